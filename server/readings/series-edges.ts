import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import { monthOf, startOf } from "@/server/postgres/months";
import { timeText } from "@/server/postgres/time-text";
import { JustRemovedError } from "./retention";

/** The times before which the readings of series were removed by a rule: by device and metric. */
export type SeriesEdges = ReadonlyMap<number, ReadonlyMap<number, EpochMs>>;

const NO_EDGES: SeriesEdges = new Map();

/** Reads the edges of devices that lie after `time`. */
export async function readSeriesEdges(
  client: Pool | PoolClient,
  devices: readonly number[],
  time: EpochMs,
): Promise<SeriesEdges> {
  const { rows } = await client.query<{ device: number; metric: number; at: EpochMs }>(
    `SELECT device_id AS device, metric_id AS metric, (extract(epoch FROM gone_before) * 1000)::float8 AS at
     FROM series_edge WHERE device_id = ANY ($1::integer[]) AND keeps = 'raw' AND gone_before > $2`,
    [devices, timeText(time)],
  );
  if (rows.length === 0) return NO_EDGES;
  const edges = new Map<number, Map<number, EpochMs>>();
  for (const { device, metric, at } of rows) {
    const own = edges.get(device) ?? new Map<number, EpochMs>();
    edges.set(device, own.set(metric, at));
  }
  return edges;
}

/** Finds the edges that readings of some devices and times are to be judged by. Asks only where some are of before this month, which no rule removes anything of. */
export function createEdgeReader(
  pool: Pool,
): <T>(entries: readonly T[], deviceOf: (entry: T) => number, timeOf: (entry: T) => EpochMs) => Promise<SeriesEdges> {
  return async (entries, deviceOf, timeOf) => {
    const thisMonth = startOf(monthOf(Date.now()));
    const devices = new Set<number>();
    let oldest = Infinity;
    for (const entry of entries) {
      const time = timeOf(entry);
      if (time >= thisMonth) continue;
      devices.add(deviceOf(entry));
      oldest = Math.min(oldest, time);
    }
    return devices.size === 0 ? NO_EDGES : readSeriesEdges(pool, [...devices], oldest);
  };
}

/**
 * Refuses readings of series before what was removed of them: beside rollups of readings that aren't there any more they couldn't be counted
 * right. The devices' rows are locked: no rule removes any of their readings until the transaction ends. @throws JustRemovedError
 */
export async function refuseRemovedSeries(tx: PoolClient, samples: readonly Sample[]): Promise<void> {
  const thisMonth = startOf(monthOf(Date.now()));
  if (samples.every(({ time }) => time >= thisMonth)) return;
  const old = samples.filter(({ time }) => time < thisMonth);
  const oldest = old.reduce((least, { time }) => Math.min(least, time), Infinity);
  const edges = await readSeriesEdges(tx, [...new Set(old.map(({ deviceId }) => deviceId))], oldest);
  for (const { deviceId, metrics, time } of old)
    for (const metric of metrics) {
      const edge = edges.get(deviceId)?.get(metric);
      if (edge !== undefined && time < edge) throw new JustRemovedError(edge);
    }
}
