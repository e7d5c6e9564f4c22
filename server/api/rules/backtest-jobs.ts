import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { listFound, sumFound } from "@/server/alerting/backtest/found";
import { BACKTEST_JOB, type BacktestPlace, type BacktestTask } from "@/server/alerting/backtest/job";
import { countDevices } from "@/server/alerting/backtest/run";
import { backtestJob, backtestJobBody, backtestPath } from "@/server/contracts/backtests";
import { signatureOf } from "@/server/domain/access";
import { readRun, type RunRow } from "@/server/jobs/read";
import { requestRun, stopRun } from "@/server/jobs/requests";
import { EMPTY_BODY, emptyBody } from "../dead-letters/decide";
import { toInstant, toInstantOrNull } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { within } from "../within";
import { backtestRange, triable } from "./backtest";

/** Runs that may be unfinished at a time. */
const MOST_UNFINISHED = 4;
const MOST_DAYS = 92;
const MOST_LISTED = 100;
const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(backtestJobBody, { io: "input" });

export const startBacktest = writingVerb(
  {
    method: "POST",
    path: "/api/v1/rule-backtests",
    access: "edit",
    bySite: true,
    summary: "Tries a rule on the history of all devices that it selects",
    description:
      "A worker does it, bit by bit, and gives way to readings that come in meanwhile; it goes on after a restart. Up to 92 days. The rule isn't kept.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: backtestJob,
    status: 200,
    problems: ["too-many-jobs", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async ({ tx, sites, now, caller }, { request, note }) => {
      const { name, ...body } = await parseJsonBody(backtestJobBody, request);
      const params = {
        spec: triable(body.spec),
        name,
        sites,
        ...backtestRange(body, now, MOST_DAYS),
      } satisfies BacktestTask;
      const id = randomUUID();
      note({ target: id, detail: { asked: params } });
      const total = await countDevices(tx, sites);
      const run = { id, job: BACKTEST_JOB, lane: id, params, total, requestedBy: signatureOf(caller) };
      if ((await requestRun(tx, { ...run, most: MOST_UNFINISHED })) === null)
        throw new ProblemError(
          "too-many-jobs",
          `${MOST_UNFINISHED} of these are unfinished: wait for one, or stop one.`,
        );
      return toView(tx, (await readRun(tx, BACKTEST_JOB, sites, id))!);
    },
);

export const getBacktest = verb(
  {
    method: "GET",
    path: "/api/v1/rule-backtests/{id}",
    access: "view",
    bySite: true,
    summary: "How far the trial of a rule is, and what it has found so far",
    params: backtestPath,
    query: NO_PARAMETERS,
    answer: backtestJob,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async (ctx, { params: { id } }) =>
      toView(
        ctx.tx,
        await within(
          ctx,
          (sites) => readRun(ctx.tx, BACKTEST_JOB, sites, id),
          () => noBacktest(id),
        ),
      ),
);

export const stopBacktest = writingVerb(
  {
    method: "POST",
    path: "/api/v1/rule-backtests/{id}/stop",
    access: "edit",
    bySite: true,
    summary: "Stops the trial of a rule; what it has found stays to be seen",
    params: backtestPath,
    query: NO_PARAMETERS,
    answer: backtestJob,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: EMPTY_BODY,
  },
  () =>
    async (ctx, { params: { id }, request, note }) => {
      await parseJsonBody(emptyBody, request);
      const find = () =>
        within(
          ctx,
          (sites) => readRun(ctx.tx, BACKTEST_JOB, sites, id),
          () => noBacktest(id),
        );
      await find();
      await stopRun(ctx.tx, BACKTEST_JOB, id);
      note({ detail: { after: { stopped: true } } });
      return toView(ctx.tx, await find());
    },
);

function noBacktest(id: string): ProblemError {
  return new ProblemError("not-found", `There is no trial of a rule ${JSON.stringify(id)}.`);
}

async function toView(tx: Pool | PoolClient, run: RunRow): Promise<z.input<typeof backtestJob>> {
  const { from, to } = run.params as BacktestTask;
  const place = run.cursor as BacktestPlace | null;
  const sums = await sumFound(tx, run.id);
  const series = place?.series ?? 0;
  return {
    ...{ id: run.id, done: run.done, total: run.total ?? 0, error: run.error },
    status: run.stopWanted ? "stopped" : run.state,
    ...{ from: toInstant(from), to: toInstant(to), createdAt: toInstant(run.createdAt) },
    finishedAt: toInstantOrNull(run.finishedAt),
    ...{ devices: place?.devices ?? 0, series, unknownHours: place?.unknownHours ?? 0 },
    share: series === 0 ? 0 : sums.firingMs / (series * (to - from)),
    ...{ firingDevices: sums.devices, firingNow: sums.firingNow },
    ...{ episodes: sums.episodes, firingMs: sums.firingMs, longestMs: sums.longestMs },
    ...{ messages: place?.messages ?? null, untold: place?.untold ?? 0 },
    items: (await listFound(tx, run.id, MOST_LISTED)).map(({ lastFiredAt, ...device }) => ({
      ...device,
      lastFiredAt: toInstant(lastFiredAt),
    })),
  };
}
