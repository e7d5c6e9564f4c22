import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { HourPart } from "@/server/ports/reading-blocks";
import { timeText } from "@/server/postgres/time-text";
import { HOUR, hourOf, readBlockTimes, type Stretch } from "./blocks";
import { readAllColumnsOf, readColdBlocks } from "./cold/hot-and-cold";
import type { ColdReader } from "./cold/reader";

/** A series whose hours are asked for, and the values between which an hour is left out: all others come. */
export interface HoursAsked {
  readonly device: number;
  readonly metric: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Reads the rolled hours that [from, to) touches of some series, but those whose values all lie between the limits asked for, by series and time.
 * Hours without rollups aren't among them: {@link readOpenHours} tells those.
 */
export async function readHourParts(
  tx: PoolClient,
  asked: readonly HoursAsked[],
  from: EpochMs,
  to: EpochMs,
): Promise<HourPart[][]> {
  const parts: HourPart[][] = asked.map(() => []);
  if (asked.length === 0) return parts;
  const { rows } = await tx.query<
    [i: number, hour: number, n: number, min: number, max: number, f: number, fAt: number, l: number, lAt: number]
  >({
    rowMode: "array",
    // OFFSET 0 keeps the inner query apart, so that the metric is looked up once a row.
    text: `SELECT (k.i - 1)::integer, (extract(epoch FROM r.bucket) * 1000)::float8, r.counts[p], r.mins[p], r.maxs[p],
             r.firsts[p], r.first_at[p], r.lasts[p], r.last_at[p]
           FROM unnest($1::integer[], $2::integer[], $3::float8[], $4::float8[]) WITH ORDINALITY AS k (device, metric, low, high, i)
           CROSS JOIN LATERAL (
             SELECT bucket, counts, mins, maxs, firsts, first_at, lasts, last_at, array_position(metrics, k.metric) AS p
             FROM rollup_hour WHERE device_id = k.device AND bucket >= $5 AND bucket < $6 ORDER BY bucket OFFSET 0) AS r
           WHERE p IS NOT NULL AND NOT (r.mins[p] >= k.low AND r.maxs[p] <= k.high)
           ORDER BY k.i, r.bucket`,
    values: [
      asked.map(({ device }) => device),
      asked.map(({ metric }) => metric),
      asked.map(({ low }) => low),
      asked.map(({ high }) => high),
      timeText(hourOf(from)),
      timeText(to),
    ],
  });
  for (const [i, hour, count, min, max, first, firstAt, last, lastAt] of rows)
    parts[i]!.push({ hour, count, min, max, first, firstTime: hour + firstAt, last, lastTime: hour + lastAt });
  return parts;
}

/** The hours within [from, to) of devices whose rollups aren't kept: single ones of late readings, and all from a time on. */
export interface OpenHours {
  readonly late: readonly EpochMs[];
  readonly from: EpochMs;
}

/** Reads which hours of devices have no rollups, so that only their readings tell of them. By device. */
export async function readOpenHours(
  tx: PoolClient,
  devices: readonly number[],
  from: EpochMs,
  to: EpochMs,
): Promise<Map<number, OpenHours>> {
  const { rows } = await tx.query<{ device: number; open: number | null; late: number[] }>(
    `SELECT d.id AS device, (extract(epoch FROM d.rolled_until) * 1000)::float8 AS open,
       ARRAY (SELECT (extract(epoch FROM hour) * 1000)::float8 FROM late_hour l WHERE l.device_id = d.id AND hour >= $2 AND hour < $3 ORDER BY hour) AS late
     FROM device d WHERE d.id = ANY ($1::integer[])`,
    [devices, timeText(hourOf(from)), timeText(to)],
  );
  return new Map(rows.map(({ device, open, late }) => [device, { late, from: Math.max(from, open ?? from) }]));
}

/** Reads readings of stretches of bounded length, wherever they lie: of each stretch the columns by metric. */
export async function readStretches(
  tx: PoolClient,
  cold: ColdReader,
  metrics: readonly number[],
  stretches: readonly Stretch[],
) {
  return (await readAllColumnsOf(tx, cold, metrics, stretches)).columns;
}

/** Reads the event times of devices' messages within stretches of bounded length, ascending, wherever they lie. */
export async function readMoments(
  tx: PoolClient,
  cold: ColdReader,
  stretches: readonly Stretch[],
): Promise<Float64Array[]> {
  // Blocks that begin before the end of a stretch end within its hour.
  const whole = stretches.map((stretch) => ({ ...stretch, to: Math.ceil(stretch.to / HOUR) * HOUR }));
  const elsewhere = await readColdBlocks(tx, cold, whole);
  const placesOf = new Map<number, number[]>();
  for (const [i, { device }] of stretches.entries()) placesOf.set(device, [...(placesOf.get(device) ?? []), i]);
  const found: number[][] = elsewhere.map((blocks) => blocks.flatMap(({ times }) => [...times]));
  for (const { device, times } of await readBlockTimes(tx, whole))
    for (const i of placesOf.get(device)!) {
      const { from, to } = stretches[i]!;
      if (times[0]! < to && times[times.length - 1]! >= from) for (const time of times) found[i]!.push(time);
    }
  return found.map((times, i) => {
    const { from, to } = stretches[i]!;
    return Float64Array.from(times.filter((time) => time >= from && time < to)).sort();
  });
}
