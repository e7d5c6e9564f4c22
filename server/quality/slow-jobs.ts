import type { PoolClient } from "pg";
import { HOUR_MS } from "@/server/domain/quality/profile";
import type { EpochMs } from "@/server/domain/terms";
import type { Job, JobContext } from "@/server/postgres/job";
import { timeText } from "@/server/postgres/time-text";
import { readLimits, type Limits } from "./limits";
import { nextPlaced, type Placed } from "./profiles";
import { AFTER_MS, checkHourOf, learnDay, type ReadHours, type ReadStretches } from "./slow-checks";

const MINUTE = 60_000;
const DAY_MS = 24 * HOUR_MS;
/** After a rest of ours so many hours are caught up with. */
const CAUGHT_UP = 24;
/** A day's hours are merged by then. */
const MERGED_MS = HOUR_MS;

/** What is checked when hours and days are over, apart from the commit. */
export function slowQualityJobs(readStretches: ReadStretches, readHours: ReadHours): Job[] {
  return [
    {
      name: "quality-hours",
      title: "Quality of hours",
      about: "Checks each hour that is over: drift, climatology, fading, unit jumps, pairs, neighbors, usual range.",
      counts: { one: "series-hour checked", many: "series-hours checked" },
      everyMs: 5 * MINUTE,
      limitMs: 60 * MINUTE,
      run: (ctx) =>
        catchUp(ctx, {
          ...{ column: "hours_until", width: HOUR_MS, most: CAUGHT_UP, after: AFTER_MS + MINUTE },
          check: (tx, limits, devices, hour) => checkHourOf(tx, readStretches, limits, devices, hour),
        }),
    },
    {
      name: "quality-profiles",
      title: "Quality profiles",
      about: "Learns once a day what is usual of each series in four weeks, and holds the day before against it.",
      counts: { one: "profile learned", many: "profiles learned" },
      everyMs: 60 * MINUTE,
      limitMs: 6 * 60 * MINUTE,
      run: (ctx) =>
        catchUp(ctx, {
          ...{ column: "days_until", width: DAY_MS, most: 1, after: MERGED_MS },
          check: (tx, limits, devices, day) => learnDay(tx, readHours, limits, devices, day, ctx.now),
        }),
    },
  ];
}

interface Slow {
  readonly column: "hours_until" | "days_until";
  readonly width: number;
  /** Stretches that are caught up with at most, and how long after its end one is checked. */
  readonly most: number;
  readonly after: number;
  readonly check: (tx: PoolClient, limits: Limits, devices: readonly Placed[], begin: EpochMs) => Promise<number>;
}

/** The place where a run is: the stretch's begin, and the last device that was checked. */
interface Place {
  readonly begin: EpochMs;
  readonly device: Placed | null;
}

async function catchUp(ctx: JobContext, { column, width, most, after, check }: Slow): Promise<void> {
  const end = ctx.now - after - ((ctx.now - after) % width);
  let { done } = ctx.run;
  let place = (ctx.run.cursor as Place | null) ?? {
    begin: await nextBegin(ctx, column, end, width, most),
    device: null,
  };
  while (place.begin < end) {
    ctx.signal.throwIfAborted();
    const { begin, device } = place;
    const { devices, isLast } = await nextPlaced(ctx.tx, device);
    place = isLast ? { begin: begin + width, device: null } : { begin, device: devices.at(-1)! };
    await ctx.step(async (tx) => {
      done += await check(tx, await readLimits(tx), devices, begin);
      if (isLast)
        await tx.query(
          `INSERT INTO quality_checked (${column}) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET ${column} = excluded.${column}`,
          [timeText(begin + width)],
        );
      return { done, cursor: place };
    });
  }
}

async function nextBegin(
  { tx }: JobContext,
  column: Slow["column"],
  end: EpochMs,
  width: number,
  most: number,
): Promise<EpochMs> {
  const { rows } = await tx.query<{ until: number | null }>(
    `SELECT (extract(epoch FROM ${column}) * 1000)::float8 AS until FROM quality_checked`,
  );
  return Math.max(end - most * width, rows[0]?.until ?? end - width);
}
