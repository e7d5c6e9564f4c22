import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";

/** Removes rows of a table whose `bucket` is before `before`, at most `limit`; returns how many. */
export async function removeSome(tx: PoolClient, table: string, before: EpochMs, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE bucket < $1 AND bucket > '-infinity' LIMIT $2))`,
    [new Date(before), limit],
  );
  return rowCount ?? 0;
}
