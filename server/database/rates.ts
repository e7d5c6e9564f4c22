import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { BatchTotals, PipelinePosition } from "./positions";

/** Width of one row of pipeline_rate in milliseconds. */
export const RATE_BUCKET_MS = 5000;

/** Classes of the latency histogram; the last one, from 2^30 ms (12 days) on, has no upper end. */
export const LATENCY_CLASSES = 32;

/** The class a latency falls in: the least i with latency < 2^i ms. */
export function latencyClass(ms: number): number {
  return ms < 1 ? 0 : Math.min(LATENCY_CLASSES - 1, Math.floor(Math.log2(ms)) + 1);
}

/**
 * Adds a batch to the 5 seconds of `now`.
 * @param ingestTimes when the log took each message; the latency is from there to `now`, just before the commit.
 */
export async function addRate(
  client: PoolClient,
  position: PipelinePosition,
  now: EpochMs,
  totals: BatchTotals,
  ingestTimes: Iterable<EpochMs>,
): Promise<void> {
  const latencies = new Array<number>(LATENCY_CLASSES).fill(0);
  for (const ingestTime of ingestTimes) latencies[latencyClass(now - ingestTime)]! += 1;
  await client.query(
    `INSERT INTO pipeline_rate AS r (bucket, cluster, topic, partition, messages, readings, duplicates, dead_letters, latencies)
     VALUES ($1::timestamptz, $2, $3, $4, $5, $6, $7, $8, $9::integer[])
     ON CONFLICT (bucket, cluster, topic, partition) DO UPDATE
     SET messages = r.messages + excluded.messages, readings = r.readings + excluded.readings,
         duplicates = r.duplicates + excluded.duplicates, dead_letters = r.dead_letters + excluded.dead_letters,
         latencies = (SELECT array_agg(a + b ORDER BY i)
                      FROM unnest(r.latencies, excluded.latencies) WITH ORDINALITY AS both_of (a, b, i))`,
    [
      new Date(Math.floor(now / RATE_BUCKET_MS) * RATE_BUCKET_MS).toISOString(),
      position.cluster,
      position.topic,
      position.partition,
      totals.messages,
      totals.readings,
      totals.duplicates,
      totals.deadLetters,
      `{${latencies.join(",")}}`,
    ],
  );
}

/** Removes the rates of before `before`; returns how many rows. */
export async function removeRatesBefore(pool: Pool, before: EpochMs): Promise<number> {
  const { rowCount } = await pool.query(`DELETE FROM pipeline_rate WHERE bucket < $1::timestamptz`, [
    new Date(before).toISOString(),
  ]);
  return rowCount ?? 0;
}
