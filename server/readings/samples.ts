import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { copyRows, isoOf, parseNumbers } from "@/server/postgres/copy";
import { InconsistencyError } from "@/server/postgres/transaction";

/** Readings of one device at one event time: values[i] is of metrics[i], a metric at most once; booleans are 0 and 1. */
export interface Sample {
  readonly deviceId: number;
  readonly time: EpochMs;
  readonly metrics: readonly number[];
  readonly values: readonly number[];
}

export interface WrittenSamples {
  /** Only the readings that are new, metrics ascending, by device and time. */
  readonly added: readonly Sample[];
  /** Readings whose device, metric and event time were there already, in the table or earlier in the batch. */
  readonly duplicates: number;
  /** New readings whose event time is before the latest their device had when the batch came. */
  readonly late: number;
}

/** The join strategies a few thousand keys against a large table must not fall into. Goes with BEGIN. */
export const KEYED_ACCESS = [
  "SET LOCAL enable_hashjoin = off",
  "SET LOCAL enable_mergejoin = off",
  "SET LOCAL enable_seqscan = off",
  "SET LOCAL jit = off",
] as const;

/**
 * Writes what is new of `samples`; of repeats the first in order wins.
 * @param latest last event time of each device, whose row the transaction has locked: later times can't be there yet.
 */
export async function writeSamples(
  client: PoolClient,
  samples: readonly Sample[],
  latest: ReadonlyMap<number, EpochMs | null>,
): Promise<WrittenSamples> {
  const { rows, duplicates: repeated } = mergeRepeats(samples);
  rows.sort((a, b) => a.deviceId - b.deviceId || a.time - b.time);

  const maybeThere = rows.filter((row) => row.time <= (latest.get(row.deviceId) ?? -1));
  const stored =
    maybeThere.length > 0 ? await storedMetrics(client, maybeThere) : new Map<Sample, ReadonlySet<number>>();
  const added: Sample[] = [];
  const inserts: Sample[] = [];
  const extensions: Sample[] = [];
  let duplicates = repeated;
  for (const row of rows) {
    const there = stored.get(row);
    if (!there) {
      added.push(row);
      inserts.push(row);
      continue;
    }
    const fresh = without(row, there);
    duplicates += row.metrics.length - fresh.metrics.length;
    if (fresh.metrics.length === 0) continue;
    added.push(fresh);
    extensions.push(fresh);
  }
  if (inserts.length > 0) await insert(client, inserts);
  if (extensions.length > 0) await extend(client, extensions);
  return { added, duplicates, late: lateIn(added, latest) };
}

function lateIn(added: readonly Sample[], latest: ReadonlyMap<number, EpochMs | null>): number {
  let late = 0;
  for (const { deviceId, time, metrics } of added) if (time < (latest.get(deviceId) ?? -1)) late += metrics.length;
  return late;
}

/** One row a device and time, metrics ascending. */
function mergeRepeats(samples: readonly Sample[]): { rows: Sample[]; duplicates: number } {
  const byDevice = new Map<number, Map<EpochMs, Sample>>();
  let duplicates = 0;
  for (const sample of samples) {
    let times = byDevice.get(sample.deviceId);
    if (!times) byDevice.set(sample.deviceId, (times = new Map()));
    const before = times.get(sample.time);
    if (!before) {
      times.set(sample.time, ascending(sample));
      continue;
    }
    const fresh = without(sample, new Set(before.metrics));
    duplicates += sample.metrics.length - fresh.metrics.length;
    if (fresh.metrics.length === 0) continue;
    const metrics = [...before.metrics, ...fresh.metrics];
    times.set(sample.time, ascending({ ...before, metrics, values: [...before.values, ...fresh.values] }));
  }
  const rows: Sample[] = [];
  for (const times of byDevice.values()) for (const row of times.values()) rows.push(row);
  return { rows, duplicates };
}

function ascending(sample: Sample): Sample {
  const { metrics, values } = sample;
  let sorted = true;
  for (let i = 1; i < metrics.length && sorted; i++) sorted = metrics[i - 1]! < metrics[i]!;
  if (sorted) return sample;
  const order = metrics.map((_, i) => i).sort((a, b) => metrics[a]! - metrics[b]!);
  return { ...sample, metrics: order.map((i) => metrics[i]!), values: order.map((i) => values[i]!) };
}

function without(sample: Sample, there: ReadonlySet<number>): Sample {
  const keep = sample.metrics.map((_, i) => i).filter((i) => !there.has(sample.metrics[i]!));
  if (keep.length === sample.metrics.length) return sample;
  return { ...sample, metrics: keep.map((i) => sample.metrics[i]!), values: keep.map((i) => sample.values[i]!) };
}

/** Which metrics are stored already of each of `rows` that has a row in the table. */
export async function storedMetrics(
  client: Pool | PoolClient,
  rows: readonly Sample[],
): Promise<Map<Sample, ReadonlySet<number>>> {
  const found = await client.query<{ i: number | string; metrics: string }>(
    `SELECT k.i, s.metrics::text AS metrics
     FROM unnest($1::integer[], $2::timestamptz[]) WITH ORDINALITY AS k (device_id, time, i)
     CROSS JOIN LATERAL (
       SELECT metrics FROM sample s
       WHERE s.device_id = k.device_id AND s.time = k.time AND s.time BETWEEN $3::timestamptz AND $4::timestamptz OFFSET 0
     ) AS s`,
    keysOf(rows),
  );
  return new Map(found.rows.map(({ i, metrics }) => [rows[Number(i) - 1]!, new Set(parseNumbers(metrics))]));
}

async function insert(client: PoolClient, rows: readonly Sample[]): Promise<void> {
  let lines = "";
  for (const row of rows) {
    lines += `${row.deviceId}\t${isoOf(row.time)}\t{${row.metrics.join(",")}}\t{${row.values.join(",")}}\n`;
  }
  const written = await copyRows(client, "sample (device_id, time, metrics, values)", lines);
  if (written !== rows.length) throw new InconsistencyError(`${written} of ${rows.length} samples were written`);
}

async function extend(client: PoolClient, rows: readonly Sample[]): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE sample s SET metrics = s.metrics || k.metrics::integer[], values = s.values || k.values::double precision[]
     FROM unnest($1::integer[], $2::timestamptz[], $5::text[], $6::text[]) AS k (device_id, time, metrics, values)
     WHERE s.device_id = k.device_id AND s.time = k.time AND s.time BETWEEN $3::timestamptz AND $4::timestamptz`,
    [...keysOf(rows), rows.map((row) => `{${row.metrics.join(",")}}`), rows.map((row) => `{${row.values.join(",")}}`)],
  );
  if (rowCount !== rows.length) throw new InconsistencyError(`${rowCount} of ${rows.length} samples were extended`);
}

/** Devices, times, and the span of the times, which lets the planner leave out partitions. */
function keysOf(rows: readonly Sample[]): [devices: string, times: string, from: string, to: string] {
  let from = Infinity;
  let to = -Infinity;
  for (const { time } of rows) {
    if (time < from) from = time;
    if (time > to) to = time;
  }
  const devices = rows.map((row) => row.deviceId).join(",");
  const times = rows.map((row) => isoOf(row.time)).join(",");
  return [`{${devices}}`, `{${times}}`, isoOf(from), isoOf(to)];
}
