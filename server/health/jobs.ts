import { counted } from "@/server/domain/counted";
import { type Finding, pass, type Probe } from "./probe";

/** A job as its probe sees it. */
export interface JobSeen {
  readonly title: string;
  /** True if it runs by a schedule, not only when asked for. */
  readonly isScheduled: boolean;
  readonly state: string;
  readonly cause: string | null;
  readonly fix: string | null;
  /** Failures in a row of the run that is tried again. */
  readonly attempt: number;
}

/** An outage shorter than this many tries is left to the engine's own probe. */
const PATIENCE = 3;

/** Probes whether the jobs beside the stream run. */
export function jobProbes(read: () => Promise<readonly JobSeen[]>): readonly Probe[] {
  return [
    { name: "jobs.run", title: "Jobs run", group: "Jobs", timeoutMs: 3000, run: async () => judgeJobs(await read()) },
  ];
}

export function judgeJobs(jobs: readonly JobSeen[]): Finding {
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
