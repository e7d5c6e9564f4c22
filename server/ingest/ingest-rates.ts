import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { removeSome } from "@/server/postgres/remove-some";
import type { TallyBucket } from "@/server/observability/tally";

/** Counts of the doors over some time: messages accepted, messages rejected by reason, requests refused by problem. */
export interface IngestCounts {
  accepted: number;
  readonly rejected: Map<string, number>;
  readonly requests: Map<string, number>;
}

export const noIngestCounts = (): IngestCounts => ({ accepted: 0, rejected: new Map(), requests: new Map() });

/** The row that keeps the sum of all time. */
const ALL_TIME = "-infinity";

/** Adds what the doors of one process did. Many may write the same bucket. */
export async function writeIngestRates(pool: Pool, buckets: readonly TallyBucket<IngestCounts>[]): Promise<void> {
  const sums = new Map<string, { bucket: string; kind: string; name: string; count: number }>();
  const add = (bucket: string, kind: string, name: string, count: number) => {
    const key = `${bucket} ${kind} ${name}`;
    const before = sums.get(key)?.count ?? 0;
    if (count > 0) sums.set(key, { bucket, kind, name, count: before + count });
  };
  for (const { bucket, counts } of buckets) {
    for (const at of [new Date(bucket).toISOString(), ALL_TIME]) {
      add(at, "accepted", "", counts.accepted);
      for (const [name, count] of counts.rejected) add(at, "rejected", name, count);
      for (const [name, count] of counts.requests) add(at, "request", name, count);
    }
  }
  // The order is always the same, so that two processes never wait for each other's rows.
  const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return;
  await pool.query(
    `INSERT INTO route_rate AS r (bucket, kind, name, count)
     SELECT bucket, kind, name, count
     FROM json_to_recordset($1) AS n (bucket timestamptz, kind text, name text, count bigint)
     ON CONFLICT (bucket, kind, name) DO UPDATE SET count = r.count + excluded.count`,
    [JSON.stringify(rows)],
  );
}

/** Messages the doors have rejected since the beginning. */
export async function readRejected(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ rejected: number }>(
    `SELECT coalesce(sum(count), 0)::float8 AS rejected FROM route_rate
     WHERE bucket = '${ALL_TIME}' AND kind = 'rejected'`,
  );
  return rows[0]!.rejected;
}

/** Removes what the doors did before `before`, at most `limit` rows, but for their totals; returns how many. */
export function removeIngestRatesBefore(tx: PoolClient, before: EpochMs, limit: number): Promise<number> {
  return removeSome(tx, "route_rate", before, limit);
}

/** What the doors of all processes have counted since the beginning, as far as it is written. */
export async function readIngestTotals(
  pool: Pool,
): Promise<
  readonly { readonly kind: "accepted" | "rejected" | "request"; readonly name: string; readonly count: number }[]
> {
  const { rows } = await pool.query(
    `SELECT kind, name, count::float8 AS count FROM route_rate WHERE bucket = '${ALL_TIME}' ORDER BY kind, name`,
  );
  return rows;
}
