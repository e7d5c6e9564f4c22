import type { ProbeStatus } from "@/server/contracts/health";
import type { EpochMs } from "@/server/domain/terms";
import { fatalCauseOf, isRetryable } from "@/server/postgres/error-classes";

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
  /** Judges an outage of the dependency for this probe; left out, the probe is unknown because it can't be asked. */
  readonly whenDown?: (error: Error) => Finding;
}

/** A probe's finding; one that isn't passing says why and what to do. */
export type Finding =
  | { readonly status: "pass"; readonly summary: string }
  | {
      readonly status: Exclude<ProbeStatus, "pass">;
      readonly summary: string;
      readonly cause: string;
      /** Advice; text that can be copied stands in backticks, see server/domain/fix.ts. */
      readonly fix: string;
      /** When it began, where that is known better than by when it was noticed. */
      readonly since?: EpochMs;
    };

export function pass(summary: string): Finding {
  return { status: "pass", summary };
}

/** Turns what a probe throws into a finding. */
export function findingOf(error: unknown, { whenDown }: Pick<Probe, "whenDown">): Finding {
  const known = error instanceof Error ? error : new Error(String(error));
  if (isRetryable(known)) {
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
  if (fatalCauseOf(known) === "schema") {
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
