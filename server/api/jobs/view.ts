import { z } from "zod";
import { text } from "@/server/contracts/common";
import type { job, jobRun } from "@/server/contracts/jobs";
import type { EpochMs } from "@/server/domain/terms";
import { stateOf } from "@/server/jobs/job-state";
import type { JobRow, RunRow } from "@/server/jobs/read";
import { toInstant, toInstantOrNull } from "../instant";
import { ProblemError } from "../problem";

/** The path of a job. */
export const jobPath = z.object({ name: text(64).min(1).describe("The job's name") });

/** The path of a run. */
export const runPath = jobPath.extend({ id: text(64).min(1).describe("The run's id") });

export function noSuchJob(name: string): ProblemError {
  return new ProblemError("not-found", `There is no job ${JSON.stringify(name)}.`);
}

/** A job as answers have it. */
export function toJob(row: JobRow, now: EpochMs): z.input<typeof job> {
  const { name, title, about, counts, everyMs, paused, nextAt, unfinished, current, last } = row;
  return {
    ...{ name, title, about, counts, unfinished },
    ...stateOf(row, now),
    everySeconds: everyMs === null ? null : everyMs / 1000,
    nextRun: paused ? null : toInstantOrNull(nextAt),
    current: current && toRun(current),
    last: last && toRun(last),
  };
}

/** A run as answers have it. */
export function toRun(row: RunRow): z.input<typeof jobRun> {
  const { id, trigger, requestedBy, state, stopWanted, done, total, attempt, worker, error } = row;
  return {
    ...{ id, trigger, requestedBy, done, total, attempt, worker, error },
    state: state === "running" && stopWanted ? "stopping" : state,
    retryAt: toInstantOrNull(row.notBefore),
    createdAt: toInstant(row.createdAt),
    startedAt: toInstantOrNull(row.startedAt),
    finishedAt: toInstantOrNull(row.finishedAt),
  };
}
