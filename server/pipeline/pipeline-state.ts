import { withinOr } from "@/server/async/timeout";
import type { Pool, PoolClient } from "pg";
import { type DeviceStateName, SILENT_AFTER } from "@/server/domain/device-state";
import { histogramPercentile } from "@/server/domain/histogram";
import { createPaceMeter } from "@/server/domain/pace";
import type {
  PartitionProgress,
  PartitionWait,
  PastBreak,
  PipelineState,
  Totals,
} from "@/server/domain/pipeline-state";
import { type EpochMs, PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { EventLog, TopicState } from "@/server/ports/event-log";
import { seenWithin } from "@/server/catalog/stale";
import { readSkipped, readStopping } from "./unreadable-batches";

/** Width of a row of pipeline_rate. */
const BUCKET_MS = 5000;
const HISTORY_MS = 15 * 60_000;
const RATE_MS = 2 * BUCKET_MS;
const FAILING_LOG_PATIENCE_MS = 250;
const MOST_SKIPPED = 10;

export interface PipelineStateDeps {
  readonly pool: Pool;
  readonly eventLog: Pick<EventLog, "describe">;
  /** Messages the doors have rejected since the beginning. */
  readonly rejected: () => Promise<number>;
  readonly staleSeconds: number;
  readonly now: () => EpochMs;
  /** Called when the log can't be asked; its part of the answer is then unknown. */
  readonly onLogError: (error: unknown) => void;
}

/** Reads the pipeline's state from PostgreSQL (its position, what it did) and from the log (what waits). */
export function createPipelineState({
  pool,
  eventLog,
  rejected: readRejected,
  staleSeconds,
  now,
  onLogError,
}: PipelineStateDeps): () => Promise<PipelineState> {
  const describe = askedPatiently(() => eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP), onLogError);
  const measurePace = createPaceMeter();

  /** Reads positions before the log: the other way round, work done in between would look like a recreated topic. */
  async function readLog() {
    const positions = await readPositions(pool);
    const topic = await describe();
    if (topic === null || topic.partitions.length === 0) return null;
    const time = now();
    const partitions = progressOf(topic, positions, time);
    const stopping = await readStopping(pool, topic.cluster);
    const pace = measurePace({ time, cluster: topic.cluster, partitions });
    return {
      lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
      lagSeconds: maxOrNull(partitions.map(({ lagSeconds }) => lagSeconds)),
      clearSeconds: pace.clearSeconds,
      incomingPerSecond: pace.incomingPerSecond,
      workers: topic.members,
      partitions: partitions.map((one) => {
        return {
          ...one,
          clearSeconds: pace.clearSecondsOf.get(one.partition) ?? null,
          unreadable: stopping.get(one.partition) ?? null,
        };
      }),
    };
  }

  return async () => {
    const time = now();
    const [devices, rates, log] = await Promise.all([
      readDeviceStates(pool, time, staleSeconds),
      readRates(pool, time),
      readLog(),
    ]);
    // Totals last: no lag then means that they hold every message up to the end of the log.
    const [totals, rejected, skippedBatches] = await Promise.all([
      readTotals(pool),
      readRejected(),
      readSkipped(pool, MOST_SKIPPED),
    ]);
    return {
      time,
      totals: { ...totals, rejected, devices: devices.live + devices.stale + devices.silent + devices.new },
      rates: ratesOf(rates, time),
      ...(log ?? UNKNOWN_LOG),
      skippedBatches,
      devices,
      history: rates.map(({ latencies, ...bucket }) => ({ ...bucket, ...percentiles(latencies) })),
    };
  };
}

/** Asks the log; null when it fails. A log that hangs holds up what PostgreSQL knows once, not again until it answers. */
export function askedPatiently<T>(ask: () => Promise<T>, onError: (error: unknown) => void): () => Promise<T | null> {
  let failed = false;
  return async () => {
    const answer = ask().then(
      (value) => {
        failed = false;
        return value;
      },
      (error: unknown) => {
        failed = true;
        onError(error);
        return null;
      },
    );
    return failed ? withinOr(FAILING_LOG_PATIENCE_MS, answer, null) : answer;
  };
}

const UNKNOWN_LOG = {
  lag: null,
  lagSeconds: null,
  clearSeconds: null,
  incomingPerSecond: null,
  workers: null,
  partitions: [] as PartitionProgress[],
} as const;

interface Position {
  readonly cluster: string;
  readonly partition: number;
  readonly next: number;
  readonly topicId: string | null;
  readonly lastBreak: PastBreak | null;
  readonly waiting: PartitionWait | null;
}

/**
 * Merges what the log holds with the positions in PostgreSQL, which are the truth of what was handled.
 * @param positions read before `topic`: the offset committed to the log since is the newer truth.
 */
export function progressOf(topic: TopicState, positions: readonly Position[], now: EpochMs) {
  const own = new Map(
    positions.filter(({ cluster }) => cluster === topic.cluster).map((position) => [position.partition, position]),
  );
  return topic.partitions.map(({ partition, start, end, readableEnd, committed, oldestWaiting, owner }) => {
    const { next: position = null, topicId = null, lastBreak = null, waiting: noted = null } = own.get(partition) ?? {};
    const handled =
      position !== null && committed !== null && committed <= end
        ? Math.max(position, committed)
        : (position ?? committed);
    // Another topic of that name, or an end below what was handled: all that is held may be still to come.
    const isOther = topicId !== null && topic.topicId !== null && topicId !== topic.topicId;
    const next = handled === null || handled > end || isOther ? start : Math.max(handled, start);
    const lag = Math.max(0, end - next);
    const held = Math.max(0, end - Math.max(readableEnd, next));
    const lagSeconds = lag === 0 ? 0 : oldestWaiting === null ? null : Math.max(0, now - oldestWaiting) / 1000;
    const waiting = lag > held && next === position ? noted : null;
    const { topic: name } = topic;
    return { topic: name, partition, start, end, committed: handled, lag, held, lagSeconds, owner, lastBreak, waiting };
  });
}

/** Seconds for which the oldest message that isn't handled has waited; null: nobody knows. @throws when the log or the database can't be asked */
export async function readLagSeconds({
  pool,
  eventLog,
  now,
}: Pick<PipelineStateDeps, "pool" | "eventLog" | "now">): Promise<number | null> {
  const positions = await readPositions(pool);
  const topic = await eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
  return maxOrNull(progressOf(topic, positions, now()).map(({ lagSeconds }) => lagSeconds));
}

/** The share of the messages of the last `ms` that became dead letters; 0 when there were none. */
export async function readDeadLetterShare(pool: Pool, now: EpochMs, ms: number): Promise<number> {
  const { rows } = await pool.query<{ share: number }>(
    `SELECT coalesce(sum(dead_letters)::float8 / nullif(sum(messages), 0), 0) AS share FROM pipeline_rate WHERE bucket BETWEEN $1 AND $2`,
    [new Date(now - ms), new Date(now)],
  );
  return rows[0]!.share;
}

/** What the positions count, since the first message. */
export async function readTotals(pool: Pool | PoolClient): Promise<Totals & { late: number; skipped: number }> {
  const { rows } = await pool.query<Totals & { late: number; skipped: number }>(
    `SELECT coalesce(sum(messages), 0)::float8 AS messages, coalesce(sum(readings), 0)::float8 AS readings,
       coalesce(sum(duplicates), 0)::float8 AS duplicates, coalesce(sum(dead_letters), 0)::float8 AS "deadLetters",
       coalesce(sum(conflicts), 0)::float8 AS conflicts, coalesce(sum(late), 0)::float8 AS late,
       coalesce(sum(skipped), 0)::float8 AS skipped
     FROM pipeline_position`,
  );
  return rows[0]!;
}

/** Reads the position of each partition in the topic's latest epoch, for every cluster there was. */
async function readPositions(pool: Pool): Promise<Position[]> {
  const { rows } = await pool.query<Position>(
    `SELECT DISTINCT ON (cluster, partition) cluster, partition, next::float8 AS next, topic_id AS "topicId",
       CASE WHEN break IS NOT NULL THEN json_build_object('kind', break, 'offsets', break_offsets,
         'time', (extract(epoch FROM break_time) * 1000)::bigint) END AS "lastBreak",
       CASE WHEN wait_next = next THEN json_build_object('reason', wait_reason, 'fix', wait_fix,
         'since', (extract(epoch FROM wait_since) * 1000)::bigint) END AS waiting
     FROM pipeline_position WHERE topic = $1 ORDER BY cluster, partition, epoch DESC`,
    [TOPICS.telemetry],
  );
  return rows;
}

async function readDeviceStates(
  pool: Pool,
  now: EpochMs,
  staleSeconds: number,
): Promise<Record<DeviceStateName, number>> {
  const [live, silent] = [seenWithin("d", "$1", "$2", 1), seenWithin("d", "$1", "$2", SILENT_AFTER)];
  const { rows } = await pool.query<Record<DeviceStateName, number>>(
    `SELECT (count(*) FILTER (WHERE gone_at IS NULL AND ${live}))::int AS live,
       (count(*) FILTER (WHERE gone_at IS NULL AND NOT ${live} AND ${silent}))::int AS stale,
       (count(*) FILTER (WHERE NOT ${silent} OR (gone_at IS NOT NULL AND last_seen IS NOT NULL)))::int AS silent,
       (count(*) FILTER (WHERE last_seen IS NULL))::int AS new
     FROM device d WHERE retired_at IS NULL`,
    [new Date(now), staleSeconds],
  );
  return rows[0]!;
}

interface RateRow extends Totals {
  readonly time: EpochMs;
  readonly latencies: readonly number[];
}

async function readRates(pool: Pool, now: EpochMs): Promise<RateRow[]> {
  const { rows } = await pool.query<Totals & { time: Date; latencies: number[] }>(
    `SELECT bucket AS time, messages, readings, duplicates, conflicts, dead_letters AS "deadLetters", latencies
     FROM pipeline_rate WHERE bucket BETWEEN $1 AND $2 ORDER BY bucket`,
    // A worker whose clock was ahead for a while wrote of a time that is still to come.
    [new Date(now - HISTORY_MS), new Date(now)],
  );
  const buckets = new Map<EpochMs, RateRow>();
  for (const { time, ...row } of rows) {
    const at = time.getTime();
    const sum = buckets.get(at);
    buckets.set(at, { time: at, ...(sum ? added(sum, row) : row) });
  }
  return [...buckets.values()];
}

function added(a: Omit<RateRow, "time">, b: Omit<RateRow, "time">): Omit<RateRow, "time"> {
  const longer = a.latencies.length >= b.latencies.length ? a.latencies : b.latencies;
  return {
    messages: a.messages + b.messages,
    readings: a.readings + b.readings,
    duplicates: a.duplicates + b.duplicates,
    conflicts: a.conflicts + b.conflicts,
    deadLetters: a.deadLetters + b.deadLetters,
    latencies: longer.map((_, i) => (a.latencies[i] ?? 0) + (b.latencies[i] ?? 0)),
  };
}

/** Computes rates over the last complete buckets; the current one would always look slow. */
function ratesOf(rates: readonly RateRow[], now: EpochMs): PipelineState["rates"] {
  const end = Math.floor(now / BUCKET_MS) * BUCKET_MS;
  const latest = rates.filter(({ time }) => time >= end - RATE_MS && time < end);
  const sum = latest.reduce<Omit<RateRow, "time">>(added, {
    messages: 0,
    readings: 0,
    duplicates: 0,
    conflicts: 0,
    deadLetters: 0,
    latencies: [],
  });
  const seconds = RATE_MS / 1000;
  return {
    messagesPerSecond: sum.messages / seconds,
    readingsPerSecond: sum.readings / seconds,
    ...percentiles(sum.latencies),
  };
}

function percentiles(latencies: readonly number[]): { latencyP50Ms: number | null; latencyP99Ms: number | null } {
  return { latencyP50Ms: histogramPercentile(latencies, 0.5), latencyP99Ms: histogramPercentile(latencies, 0.99) };
}

function maxOrNull(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (max, value) => (max === null || value === null ? null : Math.max(max, value)),
    0,
  );
}
