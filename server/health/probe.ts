import type { ProbeStatus } from "@/server/contracts/health";
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

/** What is found when a probe throws. */
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
