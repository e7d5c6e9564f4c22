import { processOf } from "../processes";
import type { Product } from "../product";

const ROLES = ["worker", "web"] as const;
const MB = 2 ** 20;

/**
 * Environment of a product whose memory is watched. V8 lets garbage pile up while the machine has room; with a bound, what
 * is resident is about what is needed, and a leak ends the process.
 */
export const SMALL_HEAP = { NODE_OPTIONS: "--max-old-space-size=192" } as const;

/** Samples the resident memory of the worker and the web process twice a second until stopped. */
export function memoryWatch(product: Product): {
  now(): string;
  stop(): void;
  verdicts(): Map<string, { flat: boolean; told: string; peakMb: number }>;
} {
  const samples = new Map<string, number[]>(ROLES.map((role) => [role, []]));
  const sample = () => {
    const tree = product.tree();
    for (const role of ROLES) {
      const found = processOf(tree, role);
      if (found) samples.get(role)?.push(found.rss / MB);
    }
  };
  const timer = setInterval(sample, 500).unref();
  return {
    now: () => ROLES.map((role) => `${role} ${Math.round(samples.get(role)?.at(-1) ?? 0)} MB`).join(", "),
    stop: () => clearInterval(timer),
    verdicts() {
      return new Map(
        ROLES.map((role) => {
          const all = samples.get(role) ?? [];
          // The heap grows into its size at first; after a quarter of the time it has to stay there.
          const [early, late] = [
            peak(all.slice(Math.floor(all.length * 0.25), Math.floor(all.length * 0.6))),
            peak(all.slice(Math.floor(all.length * 0.65))),
          ];
          const flat = all.length > 0 && (all.length < 12 || late <= early * 1.2 + 32);
          return [
            role,
            {
              flat,
              peakMb: Math.round(peak(all)),
              told:
                all.length === 0
                  ? "not found"
                  : `peak ${Math.round(early)} MB early, ${Math.round(late)} MB late, of ${all.length} samples`,
            },
          ];
        }),
      );
    },
  };
}

function peak(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.max(...values);
}
