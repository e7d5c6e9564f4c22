import type { PoolClient } from "pg";
import { prepared } from "@/server/postgres/prepared";
import type { PipelineCommit } from "./batch";

const MOVE = prepared(
  `INSERT INTO taken_from AS t (cluster, partition, source_id, lane, run, "offset", place, repeats)
     SELECT n.cluster, n.partition, s.id, n.lane, n.run, n."offset", n.place, n.repeats
     FROM (SELECT id, name FROM source WHERE name = ANY ($3::text[]) ORDER BY id FOR KEY SHARE) AS s
     JOIN unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::integer[], $8::bigint[])
       AS n (cluster, partition, name, lane, run, "offset", place, repeats) USING (name)
     ORDER BY n.partition, s.id, n.lane
     ON CONFLICT (cluster, partition, source_id, lane) DO UPDATE
     SET run = excluded.run, "offset" = excluded."offset", place = excluded.place, repeats = t.repeats + excluded.repeats`,
);

/** Notes how far partitions have come in logs of others. Contributes after sources were counted, which locks them in the same order. */
export async function addTakenFrom(tx: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  const rows = batches.flatMap(({ position: { cluster, partition }, takenFrom = [] }) =>
    takenFrom.map((one) => ({ cluster, partition, ...one })),
  );
  if (rows.length === 0) return;
  await tx.query(
    MOVE(
      (["cluster", "partition", "source", "lane", "run", "offset", "place", "repeats"] as const).map((name) =>
        rows.map((row) => row[name]),
      ),
    ),
  );
}
