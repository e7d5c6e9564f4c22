import type { PoolClient } from "pg";
import type { PipelineCommit } from "./batch";

/** Counts the messages of erased devices that were dropped. */
export async function addErased(tx: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  const dropped = new Map<number, number>();
  for (const { erased } of batches)
    for (const [erasure, count] of erased ?? []) dropped.set(erasure, (dropped.get(erasure) ?? 0) + count);
  if (dropped.size === 0) return;
  await tx.query(
    `UPDATE erasure e SET dropped = e.dropped + n.count, dropped_at = now()
     FROM (SELECT * FROM unnest($1::integer[], $2::bigint[]) AS n (id, count) ORDER BY id) AS n WHERE e.id = n.id`,
    [[...dropped.keys()], [...dropped.values()]],
  );
}
