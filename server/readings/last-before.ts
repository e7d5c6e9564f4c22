import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { hourOf, readBlocks } from "./blocks";
import { type HeldDevice, stretchesWithout } from "./held-hours";

const HOUR = 3_600_000;
/** How long before a moment readings are looked for. */
const LOOK_BACK = 31 * 24 * HOUR;
/** Rows of readings without rollups that are read at most, the newest. */
const MOST_ROWS = 240;

/** One reading; booleans are 0 and 1. */
export interface LastReading {
  readonly time: EpochMs;
  readonly value: number;
}

/**
 * Reads the last reading before a moment of each metric of a device, 31 days back at most: of the rollups, and of the readings of hours that have
 * none. Where too many of these lie between, nothing is said of a metric that isn't among the newest. Cold storage isn't asked.
 * @param metrics only these; left out: all
 */
export async function readLastBefore(
  client: PoolClient,
  device: HeldDevice,
  at: EpochMs,
  metrics?: readonly number[],
): Promise<ReadonlyMap<number, LastReading>> {
  const last = new Map<number, LastReading>();
  const first = Math.max(0, hourOf(at - LOOK_BACK));
  if (at <= first || (device.lastEventTime !== null && device.lastEventTime < first)) return last;
  const take = (metric: number, reading: LastReading) => {
    if (reading.time >= at || reading.time < (last.get(metric)?.time ?? first)) return;
    last.set(metric, reading);
  };
  // Of an hour that `at` is within, minutes may be all that is kept.
  for (const [width, from, to] of [
    ["hour", first, hourOf(at)],
    ["minute", hourOf(at), at],
  ] as const)
    for (const { metric, ...reading } of await lastRolledUp(client, width, device.key, from, to, metrics))
      take(metric, reading);

  const unrolled = await stretchesWithout(client, "hour", [device], first, hourOf(at));
  const begin = Math.min(hourOf(at), ...unrolled.map(({ from }) => from));
  const readFrom = await startOfNewest(client, device.key, begin, hourOf(at) + HOUR);
  for (const { times, metrics: own, values } of await readBlocks(client, [
    { device: device.key, from: readFrom, to: hourOf(at) + HOUR },
  ]))
    for (const [m, metric] of own.entries()) {
      if (metrics && !metrics.includes(metric)) continue;
      for (const [i, time] of times.entries()) {
        const value = values[m * times.length + i]!;
        if (!Number.isNaN(value)) take(metric, { time, value });
      }
    }
  // What lies in an hour that was not read may be later than what rollups told.
  const unread = unrolled.filter(({ from }) => from < readFrom).map(({ to }) => Math.min(to, readFrom));
  const knownFrom = Math.max(-Infinity, ...unread);
  for (const [metric, { time }] of last) if (time < knownFrom) last.delete(metric);
  return last;
}

/** The last reading of each metric that rollups of whole buckets within [from, to) tell. */
async function lastRolledUp(
  client: PoolClient,
  width: "hour" | "minute",
  device: number,
  from: EpochMs,
  to: EpochMs,
  metrics: readonly number[] | undefined,
): Promise<(LastReading & { readonly metric: number })[]> {
  const { rows } = await client.query<LastReading & { metric: number }>(
    `SELECT DISTINCT ON (one.metric) one.metric, one.last AS value, (extract(epoch FROM bucket) * 1000)::float8 + one.last_at AS time
     FROM rollup_${width} CROSS JOIN LATERAL unnest(metrics, lasts, last_at) AS one (metric, last, last_at)
     WHERE device_id = $1 AND bucket >= $2 AND bucket < $3 AND bucket + interval '1 ${width}' <= $3 AND ($4::integer[] IS NULL OR one.metric = ANY ($4))
     ORDER BY one.metric, bucket DESC`,
    [device, new Date(from), new Date(to), metrics ?? null],
  );
  return rows;
}

/** The start of the hour from which on a device has about as many rows of readings before `to` as are read; `from` where it has fewer. */
async function startOfNewest(client: PoolClient, device: number, from: EpochMs, to: EpochMs): Promise<EpochMs> {
  const { rows } = await client.query<{ time: Date; n: number }>(
    `SELECT min(time) AS time, count(*)::integer AS n
     FROM (SELECT time FROM sample WHERE device_id = $1 AND time >= $2 AND time < $3 ORDER BY time DESC LIMIT ${MOST_ROWS}) AS newest`,
    [device, new Date(from), new Date(to)],
  );
  const { time, n } = rows[0]!;
  return n < MOST_ROWS ? from : hourOf(time.getTime());
}
