import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { Conflict, Sample, WrittenSamples } from "@/server/ports/commit-batch";
import { copyRows, isoOf, parseNumbers } from "@/server/postgres/copy";
import { InconsistencyError } from "@/server/postgres/transaction";

/** The join strategies a few thousand keys against a large table must not fall into. Goes with BEGIN. */
export const KEYED_ACCESS = [
  "SET LOCAL enable_hashjoin = off",
  "SET LOCAL enable_mergejoin = off",
  "SET LOCAL enable_seqscan = off",
  "SET LOCAL jit = off",
] as const;

/**
 * Writes what is new of `samples`. The first value stored at a device, metric and event time stays: the same value again
 * is a duplicate, another one a conflict, however the samples fell into batches.
 * @param latest last event time of each device, whose row the transaction has locked: later times can't be there yet.
 */
export async function writeSamples(
  client: PoolClient,
  samples: readonly Sample[],
  latest: ReadonlyMap<number, EpochMs | null>,
): Promise<WrittenSamples> {
  const moments = momentsOf(samples);
  const maybeThere = moments.filter((moment) => moment.time <= (latest.get(moment.deviceId) ?? -1));
  const stored = maybeThere.length > 0 ? await storedReadings(client, maybeThere) : new Map<Moment, Readings>();
  const added: Sample[] = [];
  const inserts: Sample[] = [];
  const extensions: Sample[] = [];
  const conflicts: Conflict[] = [];
  let duplicates = 0;
  for (const moment of moments) {
    const there = stored.get(moment);
    const fresh = freshOf(moment, there, conflicts);
    duplicates += fresh.duplicates;
    if (fresh.sample.metrics.length === 0) continue;
    added.push(fresh.sample);
    (there ? extensions : inserts).push(fresh.sample);
  }
  if (inserts.length > 0) await insert(client, inserts);
  if (extensions.length > 0) await extend(client, extensions);
  return { added, duplicates, conflicts, late: lateIn(added, latest) };
}

function lateIn(added: readonly Sample[], latest: ReadonlyMap<number, EpochMs | null>): number {
  let late = 0;
  for (const { deviceId, time, metrics } of added) if (time < (latest.get(deviceId) ?? -1)) late += metrics.length;
  return late;
}

/** A batch's readings of one device at one event time, in the order of the log. */
interface Moment {
  readonly deviceId: number;
  readonly time: EpochMs;
  readonly samples: Sample[];
}

/** Values by metric. */
type Readings = ReadonlyMap<number, number>;

/** The moments of a batch, by device and time. */
function momentsOf(samples: readonly Sample[]): Moment[] {
  const moments: Moment[] = [];
  for (const sample of [...samples].sort((a, b) => a.deviceId - b.deviceId || a.time - b.time)) {
    const { deviceId, time } = sample;
    const before = moments.at(-1);
    if (before?.deviceId === deviceId && before.time === time) before.samples.push(sample);
    else moments.push({ deviceId, time, samples: [sample] });
  }
  return moments;
}

/** Returns what is new at a moment where `there` is stored; values that differ from the one that stays are added to `conflicts`. */
function freshOf(
  { deviceId, time, samples }: Moment,
  there: Readings | undefined,
  conflicts: Conflict[],
): { sample: Sample; duplicates: number } {
  if (!there && samples.length === 1) return { sample: ascending(samples[0]!), duplicates: 0 };
  const kept = new Map(there);
  const metrics: number[] = [];
  const values: number[] = [];
  let duplicates = 0;
  for (const sample of samples) {
    for (const [i, metric] of sample.metrics.entries()) {
      const value = sample.values[i]!;
      const before = kept.get(metric);
      if (before === undefined) {
        kept.set(metric, value);
        metrics.push(metric);
        values.push(value);
      } else if (before === value) duplicates++;
      else conflicts.push({ deviceId, metric, time, kept: before, refused: value });
    }
  }
  return { sample: ascending({ deviceId, time, metrics, values }), duplicates };
}

function ascending(sample: Sample): Sample {
  const { metrics, values } = sample;
  let sorted = true;
  for (let i = 1; i < metrics.length && sorted; i++) sorted = metrics[i - 1]! < metrics[i]!;
  if (sorted) return sample;
  const order = metrics.map((_, i) => i).sort((a, b) => metrics[a]! - metrics[b]!);
  return { ...sample, metrics: order.map((i) => metrics[i]!), values: order.map((i) => values[i]!) };
}

/** Reads what is stored at each of `keys` that has a row in the table. */
export async function storedReadings<Key extends Pick<Sample, "deviceId" | "time">>(
  client: Pool | PoolClient,
  keys: readonly Key[],
): Promise<Map<Key, Readings>> {
  const found = await client.query<{ i: number | string; metrics: string; values: string }>(
    `SELECT k.i, s.metrics::text AS metrics, s.values::text AS values
     FROM unnest($1::integer[], $2::timestamptz[]) WITH ORDINALITY AS k (device_id, time, i)
     CROSS JOIN LATERAL (
       SELECT metrics, values FROM sample s
       WHERE s.device_id = k.device_id AND s.time = k.time AND s.time BETWEEN $3::timestamptz AND $4::timestamptz OFFSET 0
     ) AS s`,
    keysOf(keys),
  );
  return new Map(
    found.rows.map(({ i, metrics, values }) => {
      const numbers = parseNumbers(values);
      return [keys[Number(i) - 1]!, new Map(parseNumbers(metrics).map((metric, at) => [metric, numbers[at]!]))];
    }),
  );
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
function keysOf(
  rows: readonly Pick<Sample, "deviceId" | "time">[],
): [devices: string, times: string, from: string, to: string] {
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
