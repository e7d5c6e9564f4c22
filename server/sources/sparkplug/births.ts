import type { Pool } from "pg";
import type { Birth, Births } from "./nodes";

/** Births in PostgreSQL. */
export function createBirths(pool: Pool): Births {
  return {
    async read(sourceId) {
      const { rows } = await pool.query<{ node: string; birth: Birth }>(
        `SELECT node, birth FROM sparkplug_birth WHERE source_id = $1`,
        [sourceId],
      );
      return new Map(rows.map(({ node, birth }) => [node, birth]));
    },
    async write(sourceId, births) {
      await pool.query(
        `INSERT INTO sparkplug_birth (source_id, node, birth, at)
         SELECT $1, b.node, b.birth, now() FROM unnest($2::text[], $3::json[]) AS b (node, birth)
         WHERE EXISTS (SELECT FROM source WHERE id = $1)
         ON CONFLICT (source_id, node) DO UPDATE SET birth = excluded.birth, at = excluded.at`,
        [sourceId, [...births.keys()], [...births.values()].map((birth) => JSON.stringify(birth))],
      );
    },
  };
}
