import type { Pool, PoolClient } from "pg";
import type { Matcher } from "@/server/domain/notifications/matcher";
import type { Recurrence } from "./windows";

export interface Maintenance extends Recurrence {
  readonly id: number;
  readonly name: string;
  readonly enabled: boolean;
  readonly matchers: readonly Matcher[];
  readonly note: string | null;
  readonly revision: number;
}

/** What people say of a maintenance. */
export type MaintenanceSaid = Omit<Maintenance, "id" | "revision">;

const COLUMNS = `id, name, enabled, matchers, cron, minutes, zone, note, revision`;

/** All maintenances, by name. */
export async function listMaintenances(db: Pool | PoolClient): Promise<Maintenance[]> {
  return (await db.query<Maintenance>(`SELECT ${COLUMNS} FROM maintenance ORDER BY name COLLATE "C"`)).rows;
}

/** The maintenance of this number; null if there is none. With `lock`, nobody changes it until the transaction ends. */
export async function findMaintenance(db: Pool | PoolClient, id: number, lock = false): Promise<Maintenance | null> {
  const { rows } = await db.query<Maintenance>(
    `SELECT ${COLUMNS} FROM maintenance WHERE id = $1 ${lock ? "FOR UPDATE" : ""}`,
    [id],
  );
  return rows[0] ?? null;
}

/** Adds a maintenance. @returns its number, or null when the name is taken. */
export async function insertMaintenance(tx: PoolClient, said: MaintenanceSaid): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO maintenance (name, enabled, matchers, cron, minutes, zone, note) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    parametersOf(said),
  );
  return rows[0]?.id ?? null;
}

export async function updateMaintenance(tx: PoolClient, id: number, said: MaintenanceSaid): Promise<void> {
  await tx.query(
    `UPDATE maintenance SET name = $2, enabled = $3, matchers = $4, cron = $5, minutes = $6, zone = $7, note = $8, revision = revision + 1,
       updated_at = now() WHERE id = $1`,
    [id, ...parametersOf(said)],
  );
}

export async function deleteMaintenance(tx: PoolClient, id: number): Promise<void> {
  await tx.query(`DELETE FROM maintenance WHERE id = $1`, [id]);
}

function parametersOf({ name, enabled, matchers, cron, minutes, zone, note }: MaintenanceSaid): unknown[] {
  return [name, enabled, JSON.stringify(matchers), cron, minutes, zone, note];
}
