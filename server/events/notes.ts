import type { PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

/** What a person or a program writes down. */
export interface Written {
  readonly kind: "note" | "deployment";
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly site: string | null;
  readonly device: string | null;
  readonly data: object;
}

/** Writes it down at a device or site, where `sites` are. @returns its number; null: there is no such device or site there */
export async function addWritten(
  tx: PoolClient,
  { kind, from, to, site, device, data }: Written,
  sites: Sites,
): Promise<string | null> {
  const { rows } = await tx.query<{ id: string }>(
    `INSERT INTO event (kind, key, device_id, device_name, site_id, site_name, severity, started_at, ended_at, data)
     SELECT $1, gen_random_uuid(), d.id, d.name, s.id, s.name, 'info', $2, $3, $4
     FROM (SELECT) one LEFT JOIN device d ON d.name = $5 LEFT JOIN site s ON s.id = d.site_id OR (d.id IS NULL AND s.name = (SELECT site_now($6)))
     WHERE ($5::text IS NULL OR d.id IS NOT NULL) AND ($6::text IS NULL OR s.name = (SELECT site_now($6))) AND ($7::integer[] IS NULL OR s.id = ANY ($7))
     RETURNING id::text AS id`,
    [kind, timeText(from), timeText(to), JSON.stringify(data), device, site, sites === "all" ? null : sites],
  );
  return rows[0]?.id ?? null;
}

/** A note as it is kept. */
export interface Note {
  readonly text: string;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

const AT = `e.id = $1 AND e.kind = 'note' AND ($2::integer[] IS NULL OR coalesce((SELECT site_id FROM device d WHERE d.id = e.device_id), e.site_id) = ANY ($2))`;

/** Finds a note at these sites, and holds it until the transaction ends. */
export async function findNote(tx: PoolClient, id: string, sites: Sites): Promise<Note | null> {
  const { rows } = await tx.query<Note>(
    `SELECT data->>'text' AS text, (extract(epoch FROM started_at) * 1000)::float8 AS "from", (extract(epoch FROM ended_at) * 1000)::float8 AS "to"
     FROM event e WHERE ${AT} FOR UPDATE`,
    [id, sites === "all" ? null : sites],
  );
  return rows[0] ?? null;
}

/** Changes a note that was found. */
export async function changeNote(tx: PoolClient, id: string, { text, from, to }: Note): Promise<void> {
  await tx.query(
    `UPDATE event SET data = data || jsonb_build_object('text', $2::text), started_at = $3, ended_at = $4 WHERE id = $1 AND kind = 'note'`,
    [id, text, timeText(from), timeText(to)],
  );
}

/** Removes a note that was found. */
export async function removeNote(tx: PoolClient, id: string): Promise<void> {
  await tx.query(`DELETE FROM event WHERE id = $1 AND kind = 'note'`, [id]);
}
