import type { Pool, PoolClient } from "pg";
import { prepared } from "@/server/postgres/prepared";

const KEY = `hashtextextended('fieldwatch.catalog', 0)`;

/** Holds the catalog's epoch until the transaction ends; any number may. Goes with BEGIN. */
export const HOLD_EPOCH = `SELECT pg_advisory_xact_lock_shared(${KEY})`;

/** SQL of the catalog's epoch, to be read along with something else. */
export const EPOCH = `(SELECT epoch FROM catalog_epoch)::float8`;

/** What tells whether the catalog is still as it is remembered. */
export interface CatalogAge {
  /** Grows when something is taken out of the catalog that others may remember. */
  readonly epoch: number;
  /** The id of the newest metric, 0 if there is none. Metrics are added one worker at a time: while it stays, none was. */
  readonly newestMetric: number;
}

const READ_AGE = prepared(
  `SELECT epoch, (SELECT coalesce(max(id), 0) FROM metric) AS "newestMetric" FROM catalog_epoch`,
);

export async function readCatalogAge(db: Pool | PoolClient): Promise<CatalogAge> {
  const { rows } = await db.query<CatalogAge>(READ_AGE([]));
  const { epoch, newestMetric } = rows[0]!;
  return { epoch: Number(epoch), newestMetric };
}

/**
 * Begins another epoch: waits for the batches that are being committed, and keeps others from it until the transaction ends. Those
 * made by what was remembered before come again, their documents too.
 */
export async function beginEpoch(tx: PoolClient): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${KEY})`);
  await tx.query("UPDATE catalog_epoch SET epoch = epoch + 1");
}
