import type { PoolClient } from "pg";

/** What matchers name, and may come to be called otherwise. */
type Named = "metric" | "type";

/** Writes another name wherever routes, silences and maintenance times go by this one. */
export async function renameInMatchers(tx: PoolClient, field: Named, from: string, to: string): Promise<void> {
  for (const table of ["route", "silence", "maintenance"])
    await tx.query(
      `UPDATE ${table} SET matchers = (
         SELECT json_agg(CASE WHEN m->>'field' = $1 THEN jsonb_set(m, '{values}', (
             SELECT jsonb_agg(CASE WHEN value = $2 THEN $3::text ELSE value END ORDER BY n)
             FROM jsonb_array_elements_text(m->'values') WITH ORDINALITY AS v (value, n))) ELSE m END ORDER BY i)
         FROM jsonb_array_elements(matchers::jsonb) WITH ORDINALITY AS e (m, i))
       WHERE matchers::jsonb @> jsonb_build_array(jsonb_build_object('field', $1::text, 'values', jsonb_build_array($2::text)))`,
      [field, from, to],
    );
}
