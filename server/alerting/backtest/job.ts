import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { Job, JobContext } from "@/server/postgres/job";
import { foundDevice, keepFound, mightHaveFired, readTold, sumFound, type MightHaveFired } from "./found";
import type { History } from "./history";
import { backtestDevices, nextDevices, type TriableRule } from "./run";

/** The job's name; each of its runs is one rule tried on all its devices. */
export const BACKTEST_JOB = "rule-backtest";

/** A run's task: its `params`. */
export interface BacktestTask {
  readonly spec: TriableRule;
  /** What the rule is called, which messages may go by. */
  readonly name: string;
  readonly sites: Sites;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** Where a run is, besides how many devices it has looked at: its `cursor`. */
export interface BacktestPlace {
  /** The device it came to. */
  readonly after: number;
  /** What the rule selects of those, and has looked at. */
  readonly devices: number;
  readonly series: number;
  readonly unknownHours: number;
  /** Messages that would have been sent, and alerts nobody would have been told of; null: they are too many to count. Missing: not counted yet. */
  readonly messages?: number | null;
  readonly untold?: number;
}

export interface BacktestJobDeps {
  readonly history: History;
  readonly staleMs: number;
  readonly countMessages: (
    tx: Pool,
    alerts: readonly MightHaveFired[],
  ) => Promise<{ readonly messages: number; readonly untold: number }>;
}

/** The time a step is to take, in milliseconds, and the part of it for which the job then rests: others come first. */
const STEP_MS = 250;
const REST = 0.2;
const MOST_DEVICES = 500;
const MOST_COUNTED = 200_000;

/** The job that tries rules on the history of all their devices. */
export function backtestJobs(deps: BacktestJobDeps): Job[] {
  return [
    {
      name: BACKTEST_JOB,
      title: "Rules tried on history",
      about: "Runs a rule that somebody is writing over what is stored of its devices.",
      counts: { one: "device", many: "devices" },
      everyMs: null,
      limitMs: 60 * 60_000,
      run: (ctx) => tryOnAll(deps, ctx),
    },
  ];
}

async function tryOnAll({ history, staleMs, countMessages }: BacktestJobDeps, ctx: JobContext): Promise<void> {
  const { spec, name, sites, from, to } = ctx.run.params as BacktestTask;
  const { id: run } = ctx.run;
  const keepMs = spec.kind === "condition" ? spec.keepMs : 0;
  let place = (ctx.run.cursor as BacktestPlace | null) ?? { after: 0, devices: 0, series: 0, unknownHours: 0 };
  let { done } = ctx.run;
  let most = 20;
  for (;;) {
    const began = performance.now();
    const ids = await nextDevices(ctx.tx, sites, place.after, most);
    if (ids.length === 0) break;
    const outcomes = await backtestDevices(ctx.tx, history, ids, { spec, from, to, staleMs }, ctx.signal);
    const found = outcomes.flatMap((outcome) => {
      const device = foundDevice(outcome, to);
      return device === null ? [] : [{ ...device, id: outcome.device.id, told: mightHaveFired(outcome, name, keepMs) }];
    });
    const series = outcomes.flatMap((outcome) => outcome.series);
    const next: BacktestPlace = {
      after: ids.at(-1)!,
      devices: place.devices + outcomes.filter((outcome) => outcome.series.length > 0).length,
      series: place.series + series.length,
      unknownHours: place.unknownHours + series.reduce((sum, { unknownHours }) => sum + unknownHours, 0),
    };
    await ctx.step(async (tx) => {
      await keepFound(tx, run, found);
      return { done: done + ids.length, cursor: next };
    });
    [place, done] = [next, done + ids.length];
    const took = performance.now() - began;
    most = Math.max(1, Math.min(MOST_DEVICES, Math.round((most * STEP_MS) / Math.max(took, 1)), 2 * most));
    await delay(took * REST, undefined, { signal: ctx.signal });
  }
  const { episodes } = await sumFound(ctx.tx, run);
  const counted =
    episodes > MOST_COUNTED ? { messages: null, untold: 0 } : await countMessages(ctx.tx, await readTold(ctx.tx, run));
  await ctx.note({ done, cursor: { ...place, ...counted } satisfies BacktestPlace });
}
