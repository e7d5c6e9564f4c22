import { counted } from "@/server/domain/counted";
import { commandsOf, plainFix } from "@/server/domain/fix";
import type { JobHealth } from "@/server/contracts/health";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

/** A job as its probe sees it. */
export interface JobSeen {
  readonly name: string;
  readonly title: string;
  /** True if it runs by a schedule, not only when asked for. */
  readonly isScheduled: boolean;
  readonly state: JobHealth["state"];
  readonly cause: string | null;
  readonly fix: string | null;
  /** Failures in a row of the run that is tried again. */
  readonly attempt: number;
  /** The latest run that ended. */
  readonly last: { readonly outcome: "done" | "stopped" | "failed"; readonly endedAt: EpochMs } | null;
  readonly nextAt: EpochMs | null;
}

/** An outage shorter than this many tries is left to the engine's own probe. */
const PATIENCE = 3;

/** The jobs beside the stream: whether they run, and each as it was when that was last asked. */
export interface WatchedJobs {
  readonly probe: Probe;
  /** Null while they can't be read. */
  latest(): JobHealth[] | null;
}

export function watchJobs(read: () => Promise<readonly JobSeen[]>): WatchedJobs {
  let seen: readonly JobSeen[] | null = null;
  return {
    latest: () => seen?.map(toHealth) ?? null,
    probe: {
      ...{ name: "jobs.run", title: "Jobs run", group: "Jobs", timeoutMs: 3000 },
      async run() {
        try {
          seen = await read();
        } catch (error) {
          seen = null;
          throw error;
        }
        return judgeJobs(seen);
      },
    },
  };
}

function toHealth({ name, title, state, cause, fix, last, nextAt }: JobSeen): JobHealth {
  return {
    ...{ name, title, state, cause },
    fix: fix === null ? null : plainFix(fix),
    commands: fix === null ? [] : commandsOf(fix),
    lastRun: last && { outcome: last.outcome, endedAt: new Date(last.endedAt).toISOString() },
    nextRun: nextAt === null ? null : new Date(nextAt).toISOString(),
  };
}

export function judgeJobs(
  jobs: readonly Pick<JobSeen, "title" | "isScheduled" | "state" | "cause" | "fix" | "attempt">[],
): Finding {
  if (jobs.length === 0) {
    return {
      status: "warn",
      summary: "No worker has said which jobs there are.",
      cause: "No worker of this version has run on this database yet.",
      fix: "First mend the workers: see their failing probe. A worker says at its start which jobs there are.",
    };
  }
  const failed = jobs.filter(({ state }) => state === "failed");
  const overdue = jobs.filter(({ state }) => state === "overdue");
  const retrying = jobs.filter(({ state, attempt }) => state === "retrying" && attempt >= PATIENCE);
  const [worst] = [...failed, ...overdue, ...retrying];
  if (!worst) return pass(`${counted(jobs.length, "job")}, none failing or overdue.`);
  const parts = [
    [failed, "failed"],
    [overdue, "overdue"],
    [retrying, "waiting for an engine"],
  ] as const;
  return {
    // One that was asked for once doesn't come again by itself; it is for who asked to see.
    status: failed.some(({ isScheduled }) => isScheduled) ? "fail" : "warn",
    summary: `${parts
      .filter(([some]) => some.length > 0)
      .map(([some, word]) => `${some.map(({ title }) => title).join(", ")}: ${word}`)
      .join("; ")}.`,
    cause: worst.cause ?? "Its last run ended without saying why.",
    fix: worst.fix ?? "See the page Jobs.",
  };
}
