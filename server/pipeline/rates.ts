import { RATE_BUCKET_MS } from "@/server/observability/tally";
import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { removeSome } from "@/server/postgres/remove-some";
import { type PipelineCommit, totalsOf } from "./batch";

/** The number of classes of the latency histogram; the last one, from 2^30 ms (12 days) on, has no upper end. */
export const LATENCY_CLASSES = 32;

/** Tells the class a latency falls in: the least i with latency < 2^i ms. */
function latencyClass(ms: number): number {
  return ms < 1 ? 0 : Math.min(LATENCY_CLASSES - 1, Math.floor(Math.log2(ms)) + 1);
}

/** Adds the batch to the current 5 seconds; latencies run from when the log took each message to now, just before the commit. */
export async function addRate(tx: PoolClient, batch: PipelineCommit): Promise<void> {
  const { position, records } = batch;
  const totals = totalsOf(batch);
  const now = Date.now();
  const latencies = new Array<number>(LATENCY_CLASSES).fill(0);
  for (const { ingestTime } of records) latencies[latencyClass(now - ingestTime)]! += 1;
  await tx.query(
    `INSERT INTO pipeline_rate AS r (bucket, cluster, topic, partition, messages, readings, duplicates, dead_letters, latencies, late, conflicts)
     VALUES ($1::timestamptz, $2, $3, $4, $5, $6, $7, $8, $9::integer[], $10, $11)
     ON CONFLICT (bucket, cluster, topic, partition) DO UPDATE
     SET messages = r.messages + excluded.messages, readings = r.readings + excluded.readings,
         duplicates = r.duplicates + excluded.duplicates, dead_letters = r.dead_letters + excluded.dead_letters,
         late = r.late + excluded.late, conflicts = r.conflicts + excluded.conflicts,
         latencies = (SELECT array_agg(a + b ORDER BY i)
                      FROM unnest(r.latencies, excluded.latencies) WITH ORDINALITY AS both_of (a, b, i))`,
    [
      bucketOf(now),
      position.cluster,
      position.topic,
      position.partition,
      totals.messages,
      totals.readings,
      totals.duplicates,
      totals.deadLetters,
      `{${latencies.join(",")}}`,
      totals.late,
      totals.conflicts,
    ],
  );
}

/** Adds the batch's dead letters, by reason, to the current 5 seconds. */
export async function addRefused(tx: PoolClient, { position, letters }: PipelineCommit): Promise<void> {
  if (letters.length === 0) return;
  const counts = new Map<string, number>();
  for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  await tx.query(
    `INSERT INTO pipeline_refused AS r (bucket, cluster, topic, partition, reason, letters)
     SELECT $1::timestamptz, $2, $3, $4, reason, letters FROM unnest($5::text[], $6::integer[]) AS n (reason, letters)
     ON CONFLICT (bucket, cluster, topic, partition, reason) DO UPDATE SET letters = r.letters + excluded.letters`,
    [
      bucketOf(Date.now()),
      position.cluster,
      position.topic,
      position.partition,
      [...counts.keys()],
      [...counts.values()],
    ],
  );
}

function bucketOf(time: EpochMs): string {
  return new Date(Math.floor(time / RATE_BUCKET_MS) * RATE_BUCKET_MS).toISOString();
}

/** Removes rates older than `before`, about `limit` rows; returns how many. */
export async function removeRatesBefore(tx: PoolClient, before: EpochMs, limit: number): Promise<number> {
  let removed = 0;
  for (const table of ["pipeline_rate", "pipeline_refused"]) removed += await removeSome(tx, table, before, limit);
  return removed;
}
