import type { Pool } from "pg";
import type { z } from "zod";
import { deadLetterJob, deadLetterJobsAnswer } from "@/server/contracts/dead-letters";
import {
  type DeadLetterJobRow,
  endDeadLetterJob,
  findDeadLetterJob,
  listDeadLetterJobs as listRows,
} from "@/server/dead-letters/dead-letter-jobs";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { toInstant } from "../instant";
import { parseJsonBody } from "../json-body";
import { NO_PARAMETERS, verb } from "../verb";
import { EMPTY_BODY, emptyBody } from "./decide";
import { jobParams, noJob } from "./id";

const MOST = 20;

export interface JobDeps {
  readonly pool: Pool;
  readonly deadLetters: Pick<DeadLetters, "count">;
}

export const listDeadLetterJobs = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters/jobs",
    summary: "Work on many dead letters at once, the newest first",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: deadLetterJobsAnswer,
    status: 200,
    problems: [],
  },
  (deps: JobDeps) => async () => ({
    items: await Promise.all((await listRows(deps.pool, MOST)).map((row) => toJobView(deps, row))),
  }),
);

export const getDeadLetterJob = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters/jobs/{id}",
    summary: "How far a job is, and what came of what it sent",
    params: jobParams,
    query: NO_PARAMETERS,
    answer: deadLetterJob,
    status: 200,
    problems: ["not-found"],
  },
  (deps: JobDeps) =>
    (_ctx, { params: { id } }) =>
      readJob(deps, id),
);

export const stopDeadLetterJob = verb(
  {
    method: "POST",
    path: "/api/v1/dead-letters/jobs/{id}/stop",
    summary: "Stops a job; what it has sent is handled all the same. One that has ended stays as it is",
    params: jobParams,
    query: NO_PARAMETERS,
    answer: deadLetterJob,
    status: 200,
    problems: ["not-found", "unsupported-media-type", "unreadable-body", "body-too-large"],
    bodies: EMPTY_BODY,
  },
  (deps: JobDeps) =>
    async (_ctx, { params: { id }, request }) => {
      await parseJsonBody(emptyBody, request);
      await endDeadLetterJob(deps.pool, id, "stopped");
      return readJob(deps, id);
    },
);

async function readJob(deps: JobDeps, id: string): Promise<z.input<typeof deadLetterJob>> {
  const row = await findDeadLetterJob(deps.pool, id);
  if (row === null) throw noJob(id);
  return toJobView(deps, row);
}

/** A job as answers have it. */
export async function toJobView(
  { deadLetters }: JobDeps,
  row: DeadLetterJobRow,
): Promise<z.input<typeof deadLetterJob>> {
  const { id, action, filter, perSecond, status, total, done, skipped, createdAt, finishedAt, error } = row;
  const { reason, device, field } = filter;
  const sent = action === "replay" && status !== "waiting" ? await deadLetters.count({ job: id }) : null;
  return {
    id,
    action,
    filter: {
      ...(reason !== undefined && { reason }),
      ...(device !== undefined && { device: device ?? "" }),
      ...(field !== undefined && { field: field ?? "" }),
    },
    perSecond,
    status,
    total,
    // What was given back in the end is not done.
    done: skipped + (sent === null ? done : sent.replaying + sent.replayed + sent.discarded),
    skipped,
    stored: sent === null ? 0 : sent.replayed - sent.refused,
    refused: sent?.refused ?? 0,
    createdAt: toInstant(createdAt),
    finishedAt: finishedAt === null ? null : toInstant(finishedAt),
    error,
  };
}
