import type { Pool } from "pg";
import { histogramPercentile } from "@/server/domain/histogram";
import { type Stage, STAGES } from "@/server/domain/stages";
import type { EpochMs } from "@/server/domain/terms";
import { bucketWidth } from "@/server/domain/bucket-width";
import { RATE_BUCKET_MS } from "@/server/observability/tally";
import { LATENCY_CLASSES } from "./rates";
import { DURATION_CLASSES, TICKS_A_MS } from "./stage-rates";

/** The pipeline's work between two moments. Durations are in milliseconds; null where nothing was measured. */
interface StagesStretch {
  readonly time: EpochMs;
  /** The part of the stretch that has passed, in milliseconds. */
  readonly ms: number;
  readonly accepted: number;
  /** Messages the route rejected, by reason. */
  readonly rejected: Record<string, number>;
  /** Requests the route refused whole, by problem. */
  readonly requests: Record<string, number>;
  readonly messages: number;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly late: number;
  /** Dead letters by reason. */
  readonly deadLetters: Record<string, number>;
  readonly total: Percentiles | null;
  readonly stages: Partial<Record<Stage, StageFigures>>;
}

interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface StageFigures extends Percentiles {
  /** Batches; messages for wait, frames for publish. */
  readonly runs: number;
  readonly messages: number;
  readonly bytes: number;
  readonly maxMs: number;
  /** Time a message spent in this stage with its batch, in milliseconds. */
  readonly messageMs: number;
}

export interface StagesState {
  readonly time: EpochMs;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly bucketMs: number;
  /** The last 15 seconds as one stretch, for current rates. */
  readonly recent: StagesStretch;
  /** The last minute as one stretch, for timings: fewer runs would say little. */
  readonly minute: StagesStretch;
  /** Oldest first, without gaps, from the first that anything is known of. */
  readonly buckets: StagesStretch[];
}

/** The time after each 5 seconds by which writers have written, in milliseconds; later ones are not waited for. */
const WRITTEN_AFTER_MS = 1000;
const RECENT_MS = 15_000;
const MINUTE_MS = 60_000;
const MOST_BUCKETS = 300;

/** Reads what each stage did over the last `minutes`, in at most 300 buckets. */
export async function readStages(pool: Pool, minutes: number, now: EpochMs): Promise<StagesState> {
  const to = Math.floor((now - WRITTEN_AFTER_MS) / RATE_BUCKET_MS) * RATE_BUCKET_MS;
  const bucketMs = bucketWidth(to - minutes * MINUTE_MS, to, MOST_BUCKETS, RATE_BUCKET_MS);
  const from = Math.ceil((to - minutes * MINUTE_MS) / bucketMs) * bucketMs;
  const [buckets, [recent], [minute], since] = await Promise.all([
    readStretches(pool, from, to, bucketMs),
    readStretches(pool, to - RECENT_MS, to, RECENT_MS),
    readStretches(pool, to - MINUTE_MS, to, MINUTE_MS),
    readBeginning(pool),
  ]);
  return {
    ...{ time: now, from, to, bucketMs, recent: begunAt(recent!, since), minute: begunAt(minute!, since) },
    buckets: since === null ? [] : buckets.filter(({ time, ms }) => time + ms > since),
  };
}

/** Cuts off the time before the beginning, in which nothing could happen: rates would look low. */
function begunAt(stretch: StagesStretch, since: EpochMs | null): StagesStretch {
  if (since === null) return stretch;
  const before = Math.min(Math.max(0, since - stretch.time), stretch.ms - RATE_BUCKET_MS);
  return { ...stretch, time: stretch.time + before, ms: stretch.ms - before };
}

/** Reads the time of the earliest thing still known. */
async function readBeginning(pool: Pool): Promise<EpochMs | null> {
  const { rows } = await pool.query<{ since: Date | null }>(
    `SELECT least((SELECT min(bucket) FROM pipeline_rate),
       (SELECT min(bucket) FROM route_rate WHERE bucket > '-infinity')) AS since`,
  );
  return rows[0]!.since?.getTime() ?? null;
}

/** Reads every stretch of `width` ms from `from` to `to`, including those in which nothing happened. */
async function readStretches(pool: Pool, from: EpochMs, to: EpochMs, width: number): Promise<StagesStretch[]> {
  const [rates, stages, refused, routes] = await Promise.all([
    readRates(pool, from, to, width),
    readStageRows(pool, from, to, width),
    readCounts(pool, "pipeline_refused", "'letter' AS kind, reason AS name, letters", from, to, width),
    readCounts(pool, "route_rate", "kind, name, count", from, to, width),
  ]);
  return Array.from({ length: Math.ceil((to - from) / width) }, (_, i) => {
    const rate = rates.get(i);
    const counts = (of: ReadonlyMap<number, CountRow[]>, kind: string) =>
      Object.fromEntries((of.get(i) ?? []).filter((row) => row.kind === kind).map(({ name, count }) => [name, count]));
    return {
      time: from + i * width,
      ms: Math.min(width, to - from - i * width),
      accepted: counts(routes, "accepted")[""] ?? 0,
      rejected: counts(routes, "rejected"),
      requests: counts(routes, "request"),
      messages: rate?.messages ?? 0,
      readings: rate?.readings ?? 0,
      duplicates: rate?.duplicates ?? 0,
      conflicts: rate?.conflicts ?? 0,
      late: rate?.late ?? 0,
      deadLetters: counts(refused, "letter"),
      total: percentiles(rate?.latencies ?? [], 1),
      stages: stages.get(i) ?? {},
    };
  });
}

interface RateRow {
  readonly messages: number;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly late: number;
  readonly latencies: number[];
}

async function readRates(pool: Pool, from: EpochMs, to: EpochMs, width: number): Promise<Map<number, RateRow>> {
  const { rows } = await pool.query<RateRow & { i: number }>(
    `SELECT ${INDEX} AS i, sum(messages)::float8 AS messages, sum(readings)::float8 AS readings,
       sum(duplicates)::float8 AS duplicates, sum(conflicts)::float8 AS conflicts,
       sum(late)::float8 AS late, ${summed("latencies", LATENCY_CLASSES)} AS latencies
     FROM pipeline_rate WHERE ${WITHIN} GROUP BY 1`,
    stretch(from, to, width),
  );
  return new Map(rows.map((row) => [row.i, row]));
}

type StageRow = Omit<StageFigures, keyof Percentiles> & { i: number; stage: Stage; durations: number[] };

async function readStageRows(
  pool: Pool,
  from: EpochMs,
  to: EpochMs,
  width: number,
): Promise<Map<number, Partial<Record<Stage, StageFigures>>>> {
  const { rows } = await pool.query<StageRow>(
    `SELECT ${INDEX} AS i, stage, sum(runs)::float8 AS runs, sum(messages)::float8 AS messages, sum(bytes)::float8 AS bytes,
       max(max_ms) AS "maxMs", sum(message_ms) / greatest(sum(messages), 1)::float8 AS "messageMs",
       ${summed("durations", DURATION_CLASSES)} AS durations
     FROM pipeline_stage WHERE ${WITHIN} GROUP BY 1, 2`,
    stretch(from, to, width),
  );
  const known = new Set<string>(STAGES);
  const found = new Map<number, Partial<Record<Stage, StageFigures>>>();
  for (const { i, stage, durations, ...row } of rows) {
    const shares = percentiles(durations, TICKS_A_MS);
    if (shares === null || !known.has(stage)) continue;
    const figures = {
      ...row,
      // A class is wide; but none took longer than the longest.
      p50Ms: rounded(Math.min(shares.p50Ms, row.maxMs)),
      p99Ms: rounded(Math.min(shares.p99Ms, row.maxMs)),
      maxMs: rounded(row.maxMs),
      messageMs: rounded(row.messageMs),
    };
    found.set(i, { ...found.get(i), [stage]: figures });
  }
  return found;
}

interface CountRow {
  readonly kind: string;
  readonly name: string;
  readonly count: number;
}

async function readCounts(
  pool: Pool,
  table: "pipeline_refused" | "route_rate",
  columns: string,
  from: EpochMs,
  to: EpochMs,
  width: number,
): Promise<Map<number, CountRow[]>> {
  const { rows } = await pool.query<CountRow & { i: number }>(
    `SELECT ${INDEX} AS i, kind, name, sum(count)::float8 AS count
     FROM (SELECT bucket, ${columns} AS count FROM ${table} WHERE ${WITHIN}) AS one GROUP BY 1, 2, 3`,
    stretch(from, to, width),
  );
  const found = new Map<number, CountRow[]>();
  for (const { i, ...row } of rows) found.set(i, [...(found.get(i) ?? []), row]);
  return found;
}

const WITHIN = "bucket >= $1::timestamptz AND bucket < $2::timestamptz";
const INDEX = "floor(extract(epoch FROM bucket - $1::timestamptz) * 1000 / $3)::integer";

function stretch(from: EpochMs, to: EpochMs, width: number): [string, string, number] {
  return [new Date(from).toISOString(), new Date(to).toISOString(), width];
}

/** SQL that adds arrays up element by element: many times faster than taking each apart. */
function summed(column: string, classes: number): string {
  return `ARRAY[${Array.from({ length: classes }, (_, i) => `coalesce(sum(${column}[${i + 1}]), 0)::float8`).join(", ")}]`;
}

function percentiles(counts: readonly number[], ticksAMs: number): Percentiles | null {
  const p50 = histogramPercentile(counts, 0.5);
  const p99 = histogramPercentile(counts, 0.99);
  return p50 === null || p99 === null ? null : { p50Ms: rounded(p50 / ticksAMs), p99Ms: rounded(p99 / ticksAMs) };
}

/** Rounds to the microsecond; further digits only make the answer longer. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
