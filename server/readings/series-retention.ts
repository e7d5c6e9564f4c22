import type { PoolClient } from "pg";
import { counted } from "@/server/domain/counted";
import type { Kept } from "@/server/domain/retention";
import type { EpochMs } from "@/server/domain/terms";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import type { Job, JobContext } from "@/server/postgres/job";
import type { ColdReader } from "./cold/reader";
import { planSeries, type SeriesGroup } from "./series-plan";
import { removeNextReadings, removeNextRollups } from "./series-removal";
import { readKeptTimes } from "./series-rules";

const HOUR = 3_600_000;

/** The job that carries out the rules for some series. */
export function seriesJob(startDays: number, cold: ColdReader): Job {
  return {
    name: "series-retention",
    title: "Retention by rules",
    about: "Takes out of stored hours what rules for metrics, types and sites keep for a shorter time than others.",
    counts: { one: "reading removed", many: "readings removed" },
    everyMs: HOUR,
    limitMs: null,
    run: (ctx) => removeSeries(ctx, startDays, cold),
  };
}

/**
 * Goes through the devices, and through what is to go of each, the oldest first. How far that is stands in series_edge, moved by the step
 * that removed it: so whoever is killed, what is before it is gone and what is after it is whole.
 */
async function removeSeries(ctx: JobContext, startDays: number, cold: ColdReader): Promise<void> {
  const times = await readKeptTimes(ctx.tx, startDays, ctx.now);
  if (times.series.length === 0 || times.isFresh) return;
  const assertSame = async (tx: PoolClient) => {
    if ((await readKeptTimes(tx, startDays, ctx.now)).version !== times.version)
      throw new ChangedError("rules changed");
  };
  const place = (ctx.run.cursor ?? { device: 0 }) as { readonly device: number };
  const state = { done: ctx.run.done };
  const waiting: { devices: Set<number>; why: ColdUnavailableError | null } = { devices: new Set(), why: null };
  for (let after: number | null = place.device; after !== null;) {
    const { groups, device }: Awaited<ReturnType<typeof planSeries>> = await planSeries(ctx.tx, times, ctx.now, after);
    for (const group of groups) {
      try {
        await removeGroup(ctx, state, group, { cold, assertSame });
      } catch (error) {
        // The next run goes by what they are then.
        if (error instanceof ChangedError) return;
        if (!(error instanceof ColdUnavailableError)) throw error;
        waiting.devices.add(group.device);
        waiting.why ??= error;
      }
    }
    after = device;
    if (groups.length > 0 && after !== null) await ctx.note({ done: state.done, cursor: { device: after } });
  }
  const { why, devices } = waiting;
  if (why !== null)
    throw new ColdUnavailableError(
      `All else is removed. Waiting for cold storage, to make minutes of what is to go: ${counted(devices.size, "device")}. ${why.message}`,
      why.fix,
      { cause: why },
    );
}

/** Somebody changed how long something is kept since the run began: nothing more is removed by what it was. */
class ChangedError extends Error {
  override readonly name = "ChangedError";
}

async function removeGroup(
  ctx: JobContext,
  state: { done: number },
  group: SeriesGroup,
  { cold, assertSame }: { readonly cold: ColdReader; readonly assertSame: (tx: PoolClient) => Promise<void> },
): Promise<void> {
  const repeat = async (step: (tx: PoolClient) => Promise<{ removed: number; isThrough: boolean }>) => {
    for (let isThrough = false; !isThrough;) {
      ctx.signal.throwIfAborted();
      let removed = 0;
      await ctx.step(async (tx) => {
        await assertSame(tx);
        ({ removed, isThrough } = await step(tx));
        return { done: state.done + removed };
      });
      state.done += removed;
    }
  };
  const { before } = group;
  if (before.raw !== null) await repeat((tx) => removeNextReadings(tx, cold, group, before.raw!));
  const rollups = async (keeps: Exclude<Kept, "raw">, time: EpochMs | null) => {
    if (time !== null) await repeat((tx) => removeNextRollups(tx, group, keeps, time));
  };
  await rollups("minutes", before.minutes);
  await rollups("hours", before.hours);
}
