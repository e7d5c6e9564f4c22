import type { Pool, PoolClient } from "pg";
import { type Learned, learnedOf } from "@/server/domain/quality/series-checks";
import type { FlagLevel } from "@/server/domain/quality/checks";
import type { Score } from "@/server/domain/quality/score";
import type { EpochMs } from "@/server/domain/terms";
import type { AnyCheck } from "./flags";
import { readStates } from "./states";

/** Flags of a device that are told at most. */
const MOST_FLAGS = 2000;

export interface StoredFlag {
  readonly metric: string | null;
  readonly check: AnyCheck;
  readonly level: FlagLevel;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly count: number;
}

/** The flags of a device and its series that touch [from, to), by time: the newest of them. */
export async function readFlags(db: Pool | PoolClient, device: number, from: EpochMs, to: EpochMs) {
  const { rows } = await db.query<StoredFlag>(
    `SELECT m.name AS metric, f."check", f.level, (extract(epoch FROM f.from_time) * 1000)::float8 AS from,
       (extract(epoch FROM f.to_time) * 1000)::float8 AS to, f.count
     FROM quality_flag f LEFT JOIN metric m ON m.id = f.metric_id
     WHERE f.device_id = $1 AND f.to_time >= $2 AND f.from_time < $3 AND (f.metric_id = 0 OR m.id IS NOT NULL)
     ORDER BY f.from_time DESC, f.metric_id, f."check" LIMIT ${MOST_FLAGS + 1}`,
    [device, new Date(from), new Date(to)],
  );
  return { flags: rows.slice(0, MOST_FLAGS).reverse(), more: rows.length > MOST_FLAGS };
}

/** Repeats, late readings and conflicts of a device in the hours that [from, to) touches. */
export async function readCounts(db: Pool | PoolClient, device: number, from: EpochMs, to: EpochMs) {
  const { rows } = await db.query<{ repeats: number; late: number; conflicts: number }>(
    `SELECT coalesce(sum(repeats), 0)::float8 AS repeats, coalesce(sum(late), 0)::float8 AS late, coalesce(sum(conflicts), 0)::float8 AS conflicts
     FROM quality_count WHERE device_id = $1 AND bucket >= date_trunc('hour', $2::timestamptz, 'UTC') AND bucket < $3`,
    [device, new Date(from), new Date(to)],
  );
  return rows[0]!;
}

/** The score of a device's day: that of its worst series, and each of them. */
export async function readDeviceScores(db: Pool | PoolClient, device: number) {
  const { rows } = await db.query<Score & { metric: string; metricId: number; received: number; day: number }>(
    `SELECT m.name AS metric, m.id AS "metricId", q.received, q.score, q.expected, q.completeness, q.validity, q.timeliness, q.plausibility, q.uniqueness,
       (extract(epoch FROM q.bucket) * 1000)::float8 AS day
     FROM quality_day q JOIN metric m ON m.id = q.metric_id
     WHERE q.device_id = $1 AND q.bucket = (SELECT max(bucket) FROM quality_day WHERE device_id = $1) ORDER BY q.score NULLS LAST, m.name`,
    [device],
  );
  return { day: rows[0]?.day ?? null, score: rows[0]?.score ?? null, series: rows };
}

/** What the checks learned of a device's series, by metric. */
export async function readLearned(db: PoolClient | Pool, device: number): Promise<Map<number, Learned>> {
  const states = await readStates(db, [device]);
  return new Map([...(states.get(device)?.series ?? [])].map(([metric, state]) => [metric, learnedOf(state)]));
}
