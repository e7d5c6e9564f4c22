import type { Pool, PoolClient } from "pg";

/** What matchers name, and may come to be called otherwise. */
type Named = "metric" | "type" | "site";

const TABLES = ["route", "silence", "maintenance"] as const;
const NAMES = `matchers::jsonb @> jsonb_build_array(jsonb_build_object('field', $1::text, 'values', jsonb_build_array($2::text)))`;

/** Counts the routes, silences and maintenance times that go by this name; silences that are over don't count. */
export async function countMatchers(db: Pool | PoolClient, field: Named, name: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT sum(n)::int AS count FROM (${TABLES.map((table) => `SELECT count(*) AS n FROM ${table} WHERE ${NAMES}${table === "silence" ? " AND ends_at > now()" : ""}`).join(" UNION ALL ")}) t`,
    [field, name],
  );
  return rows[0]!.count;
}

/** Writes another name wherever routes, silences and maintenance times go by this one. */
export async function renameInMatchers(tx: PoolClient, field: Named, from: string, to: string): Promise<void> {
  for (const table of TABLES)
    await tx.query(
      `UPDATE ${table} SET matchers = (
         SELECT json_agg(CASE WHEN m->>'field' = $1 THEN jsonb_set(m, '{values}', (
             SELECT jsonb_agg(CASE WHEN value = $2 THEN $3::text ELSE value END ORDER BY n)
             FROM jsonb_array_elements_text(m->'values') WITH ORDINALITY AS v (value, n))) ELSE m END ORDER BY i)
         FROM jsonb_array_elements(matchers::jsonb) WITH ORDINALITY AS e (m, i))
       WHERE ${NAMES}`,
      [field, from, to],
    );
}
