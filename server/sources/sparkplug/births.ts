import type { Pool } from "pg";
import type { Birth, Births } from "./nodes";

/** Births in PostgreSQL. */
export function createBirths(pool: Pool): Births {
  return {
    async read(sourceId) {
      const { rows } = await pool.query<{ node: string; metrics: Birth["metrics"]; bdSeq: number | null }>(
        `SELECT node, birth AS metrics, bd_seq::float8 AS "bdSeq" FROM sparkplug_birth WHERE source_id = $1`,
        [sourceId],
      );
      return new Map(rows.map(({ node, ...birth }) => [node, birth]));
    },
    async write(sourceId, births) {
      await pool.query(
        `INSERT INTO sparkplug_birth (source_id, node, birth, bd_seq, at)
         SELECT $1, b.node, b.birth, b.bd_seq, now() FROM unnest($2::text[], $3::json[], $4::bigint[]) AS b (node, birth, bd_seq)
         WHERE EXISTS (SELECT FROM source WHERE id = $1)
         ON CONFLICT (source_id, node) DO UPDATE SET birth = excluded.birth, bd_seq = excluded.bd_seq, at = excluded.at`,
        [
          sourceId,
          [...births.keys()],
          [...births.values()].map(({ metrics }) => JSON.stringify(metrics)),
          [...births.values()].map(({ bdSeq }) => bdSeq),
        ],
      );
    },
  };
}
