import { RATE_BUCKET_MS } from "@/server/observability/tally";
import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { removeSome } from "@/server/postgres/remove-some";
import { type PipelineCommit, totalsOf } from "./batch";
import { eachIngestTime } from "./ingest-times";
import type { BatchTotals } from "./positions";
import { prepared } from "@/server/postgres/prepared";

/** The number of classes of the latency histogram; the last one, from 2^30 ms (12 days) on, has no upper end. */
export const LATENCY_CLASSES = 32;

/** Tells the class a latency falls in: the least i with latency < 2^i ms. */
function latencyClass(ms: number): number {
  return ms < 1 ? 0 : Math.min(LATENCY_CLASSES - 1, Math.floor(Math.log2(ms)) + 1);
}

const ADD_RATE = prepared(
  `INSERT INTO pipeline_rate AS r (bucket, cluster, topic, partition, messages, readings, duplicates, dead_letters, late, conflicts, latencies)
     SELECT $1::timestamptz, cluster, topic, partition, messages, readings, duplicates, dead_letters, late, conflicts, latencies::integer[]
     FROM unnest($2::text[], $3::text[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[], $9::integer[],
       $10::integer[], $11::text[])
       AS n (cluster, topic, partition, messages, readings, duplicates, dead_letters, late, conflicts, latencies)
     ON CONFLICT (bucket, cluster, topic, partition) DO UPDATE
     SET messages = r.messages + excluded.messages, readings = r.readings + excluded.readings,
         duplicates = r.duplicates + excluded.duplicates, dead_letters = r.dead_letters + excluded.dead_letters,
         late = r.late + excluded.late, conflicts = r.conflicts + excluded.conflicts,
         latencies = (SELECT array_agg(a + b ORDER BY i)
                      FROM unnest(r.latencies, excluded.latencies) WITH ORDINALITY AS both_of (a, b, i))`,
);

/** Adds the batches to the current 5 seconds; latencies run from when the log took each message to now, just before the commit. */
export async function addRate(tx: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  const now = Date.now();
  const rows = batches.map((batch) => {
    const latencies = new Array<number>(LATENCY_CLASSES).fill(0);
    eachIngestTime(batch.records, (ingestTime, messages) => {
      latencies[latencyClass(now - ingestTime)]! += messages;
    });
    // What was sent again by a person, and refused again, is no new trouble.
    const deadLetters = batch.letters.filter(({ resendOf }) => resendOf === null).length;
    return {
      position: batch.position,
      totals: { ...totalsOf(batch), deadLetters },
      latencies: `{${latencies.join(",")}}`,
    };
  });
  const total = (name: keyof BatchTotals) => rows.map(({ totals }) => totals[name]);
  await tx.query(
    ADD_RATE([
      bucketOf(now),
      rows.map(({ position }) => position.cluster),
      rows.map(({ position }) => position.topic),
      rows.map(({ position }) => position.partition),
      ...(["messages", "readings", "duplicates", "deadLetters", "late", "conflicts"] as const).map(total),
      rows.map(({ latencies }) => latencies),
    ]),
  );
}

/** Adds the batches' dead letters, by reason, to the current 5 seconds and to those of all time. */
export async function addRefused(tx: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  const rows = batches.flatMap(({ position, letters }) => {
    const counts = new Map<string, number>();
    for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return [...counts].map(([reason, count]) => ({ ...position, reason, count }));
  });
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO pipeline_refused AS r (bucket, cluster, topic, partition, reason, letters)
     SELECT at, cluster, topic, partition, reason, letters
     FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::integer[]) AS n (cluster, topic, partition, reason, letters),
       unnest(ARRAY[$1::timestamptz, '-infinity']) AS at
     ON CONFLICT (bucket, cluster, topic, partition, reason) DO UPDATE SET letters = r.letters + excluded.letters`,
    [
      bucketOf(Date.now()),
      rows.map(({ cluster }) => cluster),
      rows.map(({ topic }) => topic),
      rows.map(({ partition }) => partition),
      rows.map(({ reason }) => reason),
      rows.map(({ count }) => count),
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
