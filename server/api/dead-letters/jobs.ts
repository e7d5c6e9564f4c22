import type { z } from "zod";
import { deadLetterJob, deadLetterJobsAnswer } from "@/server/contracts/dead-letters";
import { DEAD_LETTERS_JOB, type WorkOnMany, type WorkOnManyOutcome } from "@/server/dead-letters/work-on-many";
import { readRun, readRuns, type RunRow } from "@/server/jobs/read";
import { stopRun } from "@/server/jobs/requests";
import type { DeadLetterCounts, DeadLetters } from "@/server/ports/dead-letters";
import type { Context } from "@/server/postgres/context";
import { toInstant } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { NO_PARAMETERS, verb } from "../verb";
import { within } from "../within";
import { EMPTY_BODY, emptyBody } from "./decide";
import { jobParams, noJob } from "./id";

const MOST = 20;

export interface JobDeps {
  readonly deadLetters: Pick<DeadLetters, "countByJob">;
}

export const listDeadLetterJobs = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters/jobs",
    access: "view",
    bySite: true,
    summary: "Work on many dead letters at once, the newest first",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: deadLetterJobsAnswer,
    status: 200,
    problems: [],
  },
  (deps: JobDeps) =>
    async ({ tx, sites }) => ({ items: await toJobViews(deps, await readRuns(tx, DEAD_LETTERS_JOB, sites, MOST)) }),
);

export const getDeadLetterJob = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters/jobs/{id}",
    access: "view",
    bySite: true,
    summary: "How far a job is, and what came of what it sent",
    params: jobParams,
    query: NO_PARAMETERS,
    answer: deadLetterJob,
    status: 200,
    problems: ["not-found"],
  },
  (deps: JobDeps) =>
    (ctx, { params: { id } }) =>
      readJob(deps, ctx, id),
);

export const stopDeadLetterJob = verb(
  {
    method: "POST",
    path: "/api/v1/dead-letters/jobs/{id}/stop",
    access: "operate",
    bySite: true,
    audited: "changed",
    summary: "Stops a job; what it has sent is handled all the same. One that has ended stays as it is",
    params: jobParams,
    query: NO_PARAMETERS,
    answer: deadLetterJob,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: EMPTY_BODY,
  },
  (deps: JobDeps) =>
    async (ctx, { params: { id }, request, attempt }) => {
      await parseJsonBody(emptyBody, request);
      await attempt({ detail: { before: { stopped: false }, after: { stopped: true } } });
      await readJob(deps, ctx, id);
      await stopRun(ctx.tx, DEAD_LETTERS_JOB, id);
      return readJob(deps, ctx, id);
    },
);

async function readJob(deps: JobDeps, ctx: Context, id: string): Promise<z.input<typeof deadLetterJob>> {
  const row = await within(
    ctx,
    (sites) => readRun(ctx.tx, DEAD_LETTERS_JOB, sites, id),
    () => noJob(id),
  );
  return (await toJobViews(deps, [row]))[0]!;
}

/** Runs as answers have them; what came of all their resends is counted in one go. */
export async function toJobViews(
  { deadLetters }: JobDeps,
  runs: readonly RunRow[],
): Promise<z.input<typeof deadLetterJob>[]> {
  const isOpen = ({ params, cursor, startedAt }: RunRow) =>
    startedAt !== null &&
    (params as WorkOnMany).action === "resend" &&
    (cursor as WorkOnManyOutcome | null)?.stored === undefined;
  const open = runs.filter(isOpen).map(({ id }) => id);
  const counts = open.length === 0 ? null : await deadLetters.countByJob(open);
  return runs.map((run) => toJobView(run, open.includes(run.id) ? (counts?.get(run.id) ?? NONE) : null));
}

const NONE: DeadLetterCounts = { open: 0, resending: 0, resent: 0, discarded: 0, refused: 0 };

/** @param sent what has become of the letters it sent, where that was counted. */
function toJobView(run: RunRow, sent: DeadLetterCounts | null): z.input<typeof deadLetterJob> {
  const { action, filter, perSecond } = run.params as WorkOnMany;
  const { skipped, stored, refused } = (run.cursor ?? { skipped: 0 }) as WorkOnManyOutcome;
  const { reason, device, field, source } = filter;
  return {
    id: run.id,
    action,
    filter: {
      ...(reason !== undefined && { reason }),
      ...(device !== undefined && { device: device ?? "" }),
      ...(field !== undefined && { field: field ?? "" }),
      ...(source !== undefined && { source }),
    },
    perSecond,
    status: run.stopWanted ? "stopped" : run.state,
    total: run.total ?? 0,
    // What was reclaimed in the end is not done.
    done: sent === null ? run.done : skipped + sent.resending + sent.resent + sent.discarded,
    skipped,
    stored: sent === null ? (stored ?? 0) : sent.resent - sent.refused,
    refused: sent?.refused ?? refused ?? 0,
    createdAt: toInstant(run.createdAt),
    finishedAt: run.finishedAt === null ? null : toInstant(run.finishedAt),
    error: run.error,
  };
}
