import { signatureOf } from "@/server/domain/access";
import type { Pool, PoolClient } from "pg";
import { job, jobRun } from "@/server/contracts/jobs";
import { type JobRow, readJobs, readRun, type RunRow } from "@/server/jobs/read";
import { hurryRun, pauseJob, requestRun, stopRun } from "@/server/jobs/requests";
import type { WritingContext } from "@/server/postgres/context";
import { EMPTY_BODY, emptyBody } from "../dead-letters/decide";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { jobPath, noSuchJob, runPath, toJob, toRun } from "./view";

/** Defines a verb that changes a job with a schedule and answers with the job as it is then. */
function changing(
  action: "run" | "pause" | "resume",
  summary: string,
  change: (ctx: WritingContext, name: string) => Promise<unknown>,
) {
  return writingVerb(
    {
      method: "POST",
      path: `/api/v1/jobs/{name}/${action}`,
      access: "operate",
      summary,
      params: jobPath,
      query: NO_PARAMETERS,
      answer: job,
      status: 200,
      problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
      bodies: EMPTY_BODY,
    },
    () =>
      async (ctx, { params: { name }, request, note }) => {
        await parseJsonBody(emptyBody, request);
        const before = await find(ctx.tx, name);
        assertScheduled(before);
        await change(ctx, name);
        const after = await find(ctx.tx, name);
        note({ detail: { before: noteOfJob(before), after: noteOfJob(after) } });
        return toJob(after, ctx.now);
      },
  );
}

export const runJob = changing(
  "run",
  "Runs a job now, paused or not; one that waits to be tried again is tried at once",
  async ({ tx, caller }, name) => {
    if ((await requestRun(tx, { job: name, requestedBy: signatureOf(caller) })) === null && !(await hurryRun(tx, name)))
      throw new ProblemError("wrong-status", "It runs already: wait until it ends, or stop it.");
  },
);

export const pauseJobVerb = changing(
  "pause",
  "Pauses a job's schedule, until it is resumed; a run under way goes on",
  ({ tx }, name) => pauseJob(tx, name, true),
);

export const resumeJob = changing(
  "resume",
  "Lets a paused job go on; runs that were missed are made up for by one",
  ({ tx }, name) => pauseJob(tx, name, false),
);

export const stopJobRun = writingVerb(
  {
    method: "POST",
    path: "/api/v1/jobs/{name}/runs/{id}/stop",
    access: "operate",
    summary: "Stops a run within seconds; what it has done stays. One that has ended stays as it is",
    params: runPath,
    query: NO_PARAMETERS,
    answer: jobRun,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: EMPTY_BODY,
  },
  () =>
    async ({ tx, sites }, { params: { name, id }, request, note }) => {
      await parseJsonBody(emptyBody, request);
      const before = await readRun(tx, name, sites, id);
      await stopRun(tx, name, id);
      const row = await readRun(tx, name, sites, id);
      if (row === null) throw new ProblemError("not-found", `The job has no run ${JSON.stringify(id)}.`);
      note({ detail: { before: before && noteOfRun(before), after: noteOfRun(row) } });
      return toRun(row);
    },
);

/** What the audit record tells of a job. */
function noteOfJob({ paused, current }: JobRow): object {
  return { paused, run: current && { id: current.id, ...noteOfRun(current) } };
}

/** What the audit record tells of a run; who asked for it is told by the row of that. */
function noteOfRun({ state, stopWanted, done, total }: RunRow): object {
  return { state: stopWanted && state === "running" ? "stopping" : state, done, total };
}

async function find(tx: Pool | PoolClient, name: string): Promise<JobRow> {
  const [row] = await readJobs(tx, name);
  if (!row) throw noSuchJob(name);
  return row;
}

function assertScheduled({ everyMs, title }: JobRow): void {
  if (everyMs !== null) return;
  throw new ProblemError("wrong-status", `"${title}" has no schedule: it is started where its work is chosen.`);
}
