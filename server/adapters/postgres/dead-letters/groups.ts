import type { Pool } from "pg";
import type { RefusedDelivery } from "@/server/domain/source-mark";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { EpochMs } from "@/server/domain/terms";
import type { DeadLetterGroup, DeadLetterGroups } from "@/server/ports/dead-letters";
import { originalText } from "@/server/postgres/text";
import { withTransaction } from "@/server/postgres/transaction";

const HOUR = 3_600_000;
/** Settings that make PostgreSQL hash: groups fit into memory; sorting all letters, or compiling, takes several times as long. */
const HASHED = [
  "SET TRANSACTION READ ONLY",
  "SET LOCAL work_mem = '32MB'",
  "SET LOCAL enable_incremental_sort = off",
  "SET LOCAL enable_sort = off",
  "SET LOCAL jit = off",
] as const;
const NO_TREND: ReadonlyMap<number, number> = new Map();

interface GroupsQuery {
  /** The condition and its parameters. */
  readonly where: string;
  readonly parameters: readonly unknown[];
  readonly limit: number;
  readonly trendFrom: EpochMs;
}

/** Reads the index once for all groups and their trends, then one row of the table for each group it answers with. */
export async function findGroups(
  pool: Pool,
  { where, parameters, limit, trendFrom }: GroupsQuery,
): Promise<DeadLetterGroups> {
  const next = parameters.length + 1;
  const { rows } = await withTransaction(
    pool,
    (client) =>
      client.query<Row>(
        // By hour first: what is older than the trend is one part of its own.
        `WITH part AS (
       SELECT reason, device, field,
              CASE WHEN ingest_time >= to_timestamp($${next}::float8 / 1000)
                   THEN floor((date_part('epoch', ingest_time) * 1000 - $${next}::float8) / ${HOUR})::integer END AS hour,
              count(*) AS count, sum(resends) AS resends, min(ingest_time) AS first, max(ingest_time) AS last
       FROM dead_letter ${where} GROUP BY 1, 2, 3, 4
     ), grouped AS (
       SELECT reason, device, field, sum(count) AS count, sum(resends) AS resends, min(first) AS first, max(last) AS last,
              array_agg(hour) FILTER (WHERE hour IS NOT NULL) AS hours,
              array_agg(count::integer) FILTER (WHERE hour IS NOT NULL) AS counts, count(*) OVER () AS total
       FROM part GROUP BY 1, 2, 3
       ORDER BY count DESC, last DESC, reason, device, field LIMIT $${next + 1}
     )
     SELECT g.*, g.count::integer AS count, g.resends::integer AS resends, g.total::integer AS total,
            newest.*
     FROM grouped g LEFT JOIN LATERAL
       (SELECT d.detail AS example, d.source, d.delivery FROM dead_letter d
        WHERE d.reason = g.reason AND d.ingest_time = g.last AND d.device IS NOT DISTINCT FROM g.device
          AND d.field IS NOT DISTINCT FROM g.field
        ORDER BY d.id DESC LIMIT 1) newest ON true
     ORDER BY g.count DESC, g.last DESC, g.reason, g.device, g.field`,
        [...parameters, trendFrom, limit],
      ),
    HASHED,
  );
  return { total: rows[0]?.total ?? 0, groups: rows.map(groupOf) };
}

interface Row {
  readonly reason: DeadLetterReason;
  readonly device: string | null;
  readonly field: string | null;
  readonly count: number;
  readonly resends: number;
  readonly first: Date;
  readonly last: Date;
  readonly hours: readonly number[] | null;
  readonly counts: readonly number[] | null;
  readonly total: number;
  readonly example: string | null;
  readonly source: string | null;
  readonly delivery: RefusedDelivery | null;
}

function groupOf(row: Row): DeadLetterGroup {
  return {
    reason: row.reason,
    device: row.device === null ? null : originalText(row.device),
    field: row.field === null ? null : originalText(row.field),
    count: row.count,
    resends: row.resends,
    firstSeen: row.first.getTime(),
    lastSeen: row.last.getTime(),
    trend: row.hours === null ? NO_TREND : new Map(row.hours.map((hour, i) => [hour, row.counts![i]!])),
    example: originalText(row.example ?? ""),
    source: row.source,
    mappingVersion: row.delivery?.version ?? null,
  };
}
