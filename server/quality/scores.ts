import type { PoolClient } from "pg";
import { learnedOf } from "@/server/domain/quality/series-checks";
import { type Measured, type Score, scoreOf } from "@/server/domain/quality/score";
import type { EpochMs } from "@/server/domain/terms";
import { readStates } from "./states";

export const DAY_MS = 86_400_000;
/** Readings of the last moments may still be on their way. */
const UNDER_WAY_MS = 60_000;

/** Counts the readings of devices' series within [from, to), `from` a whole hour. */
export type CountReceived = (
  tx: PoolClient,
  devices: readonly number[],
  from: EpochMs,
  to: EpochMs,
) => Promise<readonly Received[]>;

interface Received {
  readonly device: number;
  readonly metric: number;
  readonly readings: number;
  /** Event time of the first. */
  readonly first: EpochMs;
}

type Key = `${number} ${number}`;
const keyOf = (device: number, metric: number): Key => `${device} ${metric}`;

/**
 * Scores a UTC day of devices' series, as far as it has come. A series that had readings the day before is due from the day's begin, another one from its
 * first reading. @returns how many it scored
 */
export async function scoreDay(
  tx: PoolClient,
  countReceived: CountReceived,
  devices: readonly number[],
  day: EpochMs,
  now: EpochMs,
): Promise<number> {
  const to = Math.min(day + DAY_MS, now - UNDER_WAY_MS);
  const received = new Map(
    (await countReceived(tx, devices, day, to)).map((one) => [keyOf(one.device, one.metric), one]),
  );
  const before = await tx.query<{ device: number; metric: number }>(
    `SELECT device_id AS device, metric_id AS metric FROM quality_day WHERE device_id = ANY ($1::integer[]) AND bucket = $2 AND received > 0`,
    [devices, new Date(day - DAY_MS)],
  );
  const goesOn = new Set<Key>();
  for (const { device, metric } of before.rows) {
    const key = keyOf(device, metric);
    goesOn.add(key);
    if (!received.has(key)) received.set(key, { device, metric, readings: 0, first: day });
  }
  const states = await readStates(tx, devices);
  const flags = await readDayFlags(tx, devices, day);
  const counts = await readDayCounts(tx, devices, day);
  const readingsOf = new Map<number, number>();
  for (const { device, readings } of received.values())
    readingsOf.set(device, (readingsOf.get(device) ?? 0) + readings);
  const rows = [...received].map(([key, { device, metric, readings, first }]) => {
    const state = states.get(device)?.series.get(metric);
    const score = scoreOf({
      ...{ from: goesOn.has(key) ? day : first, to, received: readings },
      gapMs: state ? learnedOf(state).gapMs : null,
      flags: [...(flags.get(key) ?? []), ...(flags.get(keyOf(device, 0)) ?? [])],
      device: { ...(counts.get(device) ?? NONE), received: readingsOf.get(device)! },
    });
    return { device, metric, received: readings, ...score };
  });
  await write(tx, day, rows);
  return rows.length;
}

const NONE = { late: 0, repeats: 0, conflicts: 0 } as const;

async function readDayFlags(tx: PoolClient, devices: readonly number[], day: EpochMs) {
  type Row = Measured["flags"][number] & { readonly device: number; readonly metric: number };
  const { rows } = await tx.query<Row>(
    `SELECT device_id AS device, metric_id AS metric, "check", level, count,
       (extract(epoch FROM from_time) * 1000)::float8 AS from, (extract(epoch FROM to_time) * 1000)::float8 AS to
     FROM quality_flag WHERE device_id = ANY ($1::integer[]) AND to_time >= $2 AND from_time < $3`,
    [devices, new Date(day), new Date(day + DAY_MS)],
  );
  const byKey = new Map<Key, Row[]>();
  for (const row of rows) {
    const key = keyOf(row.device, row.metric);
    byKey.set(key, [...(byKey.get(key) ?? []), row]);
  }
  return byKey;
}

async function readDayCounts(tx: PoolClient, devices: readonly number[], day: EpochMs) {
  const { rows } = await tx.query<{ device: number; late: number; repeats: number; conflicts: number }>(
    `SELECT device_id AS device, sum(late)::float8 AS late, sum(repeats)::float8 AS repeats, sum(conflicts)::float8 AS conflicts
     FROM quality_count WHERE device_id = ANY ($1::integer[]) AND bucket >= $2 AND bucket < $3 GROUP BY 1`,
    [devices, new Date(day), new Date(day + DAY_MS)],
  );
  return new Map(rows.map((row) => [row.device, row]));
}

interface Row extends Score {
  readonly device: number;
  readonly metric: number;
  readonly received: number;
}

async function write(tx: PoolClient, day: EpochMs, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <K extends keyof Row>(name: K) => rows.map((row) => row[name]);
  await tx.query(
    `INSERT INTO quality_day (device_id, metric_id, bucket, expected, received, completeness, validity, timeliness, plausibility, uniqueness, score)
     SELECT device, metric, $1, n.* FROM unnest($2::integer[], $3::integer[]) WITH ORDINALITY AS k (device, metric, i)
     JOIN LATERAL (SELECT ($4::integer[])[i], ($5::integer[])[i], ($6::real[])[i], ($7::real[])[i], ($8::real[])[i], ($9::real[])[i], ($10::real[])[i], ($11::real[])[i]) AS n ON true
     JOIN device d ON d.id = device JOIN metric m ON m.id = metric
     ON CONFLICT (device_id, metric_id, bucket) DO UPDATE SET expected = excluded.expected, received = excluded.received, completeness = excluded.completeness,
       validity = excluded.validity, timeliness = excluded.timeliness, plausibility = excluded.plausibility, uniqueness = excluded.uniqueness, score = excluded.score`,
    [
      new Date(day),
      ...[column("device"), column("metric"), column("expected"), column("received"), column("completeness")],
      ...[column("validity"), column("timeliness"), column("plausibility"), column("uniqueness"), column("score")],
    ],
  );
}
