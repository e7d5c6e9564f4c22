import type { ProbeStatus } from "@/server/contracts/health";
import { isOutage } from "@/server/postgres/outage";

/** One timed test of one dependency. Probes are data: the monitor runs them all the same way. */
export interface Probe {
  /** Stable key, e.g. postgres.reachable. */
  readonly name: string;
  readonly title: string;
  /** The dependency it belongs to, as shown. */
  readonly group: string;
  readonly timeoutMs: number;
  /** May throw: an outage makes it `unknown` or what `whenDown` says, anything else fails it. */
  readonly run: () => Promise<Finding>;
  /** What an outage of the dependency means for this probe; left out: it can't be asked, so it is unknown. */
  readonly whenDown?: (error: Error) => Finding;
}

/** What a probe found; whatever isn't passing says why and what to do. */
export type Finding =
  | { readonly status: "pass"; readonly summary: string }
  | {
      readonly status: Exclude<ProbeStatus, "pass">;
      readonly summary: string;
      readonly cause: string;
      /** What to do; what can be copied stands in backticks, see server/domain/fix.ts. */
      readonly fix: string;
    };

export function pass(summary: string): Finding {
  return { status: "pass", summary };
}

/** PostgreSQL's codes for a table, column or schema that isn't there. */
const TABLES_MISSING: ReadonlySet<unknown> = new Set(["42P01", "42703", "3F000"]);

/** What is found when a probe throws. */
export function findingOf(error: unknown, { whenDown }: Pick<Probe, "whenDown">): Finding {
  const known = error instanceof Error ? error : new Error(String(error));
  if (isOutage(known)) {
    const down = whenDown?.(known);
    return (
      down ?? {
        status: "unknown",
        summary: "Cannot be asked now.",
        cause: shortly(known),
        fix: "First mend what it depends on: see the failing probes.",
      }
    );
  }
  if (TABLES_MISSING.has((known as { code?: unknown }).code)) {
    return {
      status: "unknown",
      summary: "Cannot be asked now.",
      cause: "PostgreSQL doesn't have the tables of this version.",
      fix: "`npm run migrate`",
    };
  }
  return {
    status: "fail",
    summary: "The probe itself failed.",
    cause: shortly(known),
    fix: "Look for this error in the log of the web process.",
  };
}

/** An error in a line; a refused connection to several addresses has its words inside. */
export function shortly(error: Error): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return ((inner ?? error).message || (error as NodeJS.ErrnoException).code || error.name).slice(0, 300);
}
