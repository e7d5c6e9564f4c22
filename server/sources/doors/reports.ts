import type { Pool } from "pg";
import type { DoorReport, DoorState } from "./door";

/** What a process told of its doors counts for so long. */
const FRESH_SECONDS = 30;

/** Tells the state of this process's doors, by their sources (null: the listener); what it told before is replaced. */
export async function writeReports(
  pool: Pool,
  process: string,
  doors: readonly { readonly sourceId: number | null; readonly state: DoorState }[],
): Promise<void> {
  const names = doors.map(({ sourceId }) => (sourceId === null ? "mqtt" : `source/${sourceId}`));
  await pool.query(
    `WITH gone AS (DELETE FROM intake_door WHERE process = $1 AND NOT door = ANY ($2::text[]) OR at < now() - interval '1 hour')
     INSERT INTO intake_door (process, door, source_id, state, at)
     SELECT $1, d.name, d.id, d.state, now() FROM unnest($2::text[], $3::integer[], $4::json[]) AS d (name, id, state)
     WHERE d.id IS NULL OR EXISTS (SELECT FROM source s WHERE s.id = d.id)
     ON CONFLICT (process, door) DO UPDATE SET state = excluded.state, at = excluded.at`,
    [process, names, doors.map(({ sourceId }) => sourceId), doors.map(({ state }) => JSON.stringify(state))],
  );
}

/** What there should be of doors, and what was told of them lately. */
export interface DoorsSeen {
  /** Sources in use that come in by a door of their own, by name. */
  readonly wanted: readonly { readonly source: string; readonly type: "mqtt" | "mqtt-bridge" | "kafka" }[];
  readonly reports: readonly DoorReport[];
}

/** Reads what health judges. */
export async function readDoors(pool: Pool): Promise<DoorsSeen> {
  const { rows } = await pool.query<{ wanted: DoorsSeen["wanted"]; reports: DoorReport[] }>(
    `SELECT (SELECT coalesce(json_agg(json_build_object('source', name, 'type', door->>'type') ORDER BY name), '[]')
         FROM source WHERE enabled AND door->>'type' <> 'http') AS wanted,
       (SELECT coalesce(json_agg(d.report), '[]') FROM (
         SELECT d.state::jsonb || jsonb_build_object('source', s.name, 'at', (extract(epoch FROM d.at) * 1000)::bigint) AS report
         FROM intake_door d LEFT JOIN source s ON s.id = d.source_id
         WHERE d.at > now() - interval '${FRESH_SECONDS} s' ORDER BY s.name NULLS FIRST, d.process) AS d) AS reports`,
  );
  return rows[0]!;
}
