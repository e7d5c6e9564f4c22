import type { Pool, PoolClient } from "pg";
import { prepared } from "@/server/postgres/prepared";

const KEY = `hashtextextended('fieldwatch.catalog', 0)`;

/** Holds the catalog's epoch until the transaction ends; any number may. Goes with BEGIN. */
export const HOLD_EPOCH = `SELECT pg_advisory_xact_lock_shared(${KEY})`;

/** SQL of the catalog's epoch, to be read along with something else. */
export const EPOCH = `(SELECT epoch FROM catalog_epoch)::float8`;

const READ_EPOCH = prepared("SELECT epoch FROM catalog_epoch");

/** The catalog's epoch. Grows when something is taken out of the catalog that others may remember. */
export async function readEpoch(db: Pool | PoolClient): Promise<number> {
  const { rows } = await db.query<{ epoch: number }>(READ_EPOCH([]));
  return Number(rows[0]!.epoch);
}

/**
 * Begins another epoch: waits for the batches that are being committed, and keeps others from it until the transaction ends. Those
 * made by what was remembered before come again, their documents too.
 */
export async function beginEpoch(tx: PoolClient): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${KEY})`);
  await tx.query("UPDATE catalog_epoch SET epoch = epoch + 1");
}
