import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { OddNumbers } from "@/server/domain/oddness/words";
import type { EpochMs } from "@/server/domain/terms";

/** The place of a stretch in the list: what goes on first, then the oddest. */
export interface OddPlace {
  readonly goesOn: boolean;
  readonly peak: number;
  readonly id: string;
}

export interface OddQuery {
  readonly sites: Sites;
  /** Stretches that go on, or ended after this. */
  readonly after: EpochMs | "now";
  /** The least peak. */
  readonly least: number;
  readonly site?: string | undefined;
  readonly device?: string | undefined;
  /** What goes on of these devices, and of all of these sites, is left out. */
  readonly without?: { readonly devices: readonly number[]; readonly sites: readonly number[] };
}

/** A stretch in which a series was odd. */
export interface OddStretch extends Omit<OddNumbers, "at" | "score"> {
  readonly id: string;
  readonly deviceId: number;
  readonly metricId: number;
  readonly device: string;
  readonly site: string | null;
  readonly metric: string;
  readonly unit: string | null;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly goesOn: boolean;
  readonly score: number;
  readonly peak: number;
  readonly peakAt: EpochMs;
  readonly said: { readonly what: "normal" | "real"; readonly by: string; readonly at: EpochMs } | null;
}

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

const COLUMNS = `o.id::text AS id, o.device_id AS "deviceId", o.metric_id AS "metricId", d.name AS device, s.name AS site, m.name AS metric,
  coalesce(u.unit, m.unit) AS unit, ${ms("o.from_time")} AS from, ${ms("o.to_time")} AS to, o.goes_on AS "goesOn", o.score, o.peak,
  ${ms("o.peak_at")} AS "peakAt", o.channel, o.now_value AS now, o.usual, o.farthest, ${ms("o.known_since")} AS "knownSince",
  CASE WHEN o.said IS NOT NULL THEN json_build_object('what', o.said, 'by', coalesce((SELECT name FROM account WHERE 'user ' || id = o.said_by), o.said_by), 'at', ${ms("o.said_at")}) END AS said`;

const FROM = `FROM odd_stretch o JOIN device d ON d.id = o.device_id JOIN metric m ON m.id = o.metric_id LEFT JOIN site s ON s.id = d.site_id
  LEFT JOIN device_unit u ON u.device_id = o.device_id AND u.metric_id = o.metric_id`;

const WHERE = `WHERE ($1::integer[] IS NULL OR d.site_id = ANY ($1)) AND CASE WHEN $2::timestamptz IS NULL THEN o.goes_on ELSE o.goes_on OR o.to_time > $2 END
  AND o.peak >= $3 AND ($4::text IS NULL OR s.name = (SELECT site_now($4))) AND ($5::text IS NULL OR d.name = $5)
  AND (o.goes_on AND (o.device_id = ANY ($6::integer[]) OR d.site_id = ANY ($7::integer[]))) IS NOT TRUE`;

/** Odd stretches, ranked. */
export async function listOdd(
  db: Pool | PoolClient,
  query: OddQuery,
  after: OddPlace | null,
  limit: number,
): Promise<{ stretches: OddStretch[]; total: number }> {
  const { sites, least, site, device, without = { devices: [], sites: [] } } = query;
  const values = [
    ...[listOf(sites), query.after === "now" ? null : new Date(query.after), least],
    ...[site ?? null, device ?? null, without.devices, without.sites],
  ];
  const { rows } = await db.query<OddStretch>(
    `SELECT ${COLUMNS} ${FROM} ${WHERE} AND ($8::boolean IS NULL OR (o.goes_on, o.peak, o.id) < ($8, $9::real, $10::bigint))
     ORDER BY o.goes_on DESC, o.peak DESC, o.id DESC LIMIT $11`,
    [...values, after?.goesOn ?? null, after?.peak ?? null, after?.id ?? null, limit],
  );
  const counted = await db.query<{ n: number }>(`SELECT count(*)::int AS n ${FROM} ${WHERE}`, values);
  return { stretches: rows, total: counted.rows[0]!.n };
}

/** One stretch; null: none at these sites. */
export async function findOdd(db: Pool | PoolClient, id: string, sites: Sites): Promise<OddStretch | null> {
  const { rows } = await db.query<OddStretch>(
    `SELECT ${COLUMNS} ${FROM} WHERE o.id = $2 AND ($1::integer[] IS NULL OR d.site_id = ANY ($1))`,
    [listOf(sites), id],
  );
  return rows[0] ?? null;
}

/** How far the following has come, and how right it was. */
export interface OddCoverage {
  readonly devices: number;
  /** Devices of which enough is known to call anything odd. */
  readonly warm: number;
  /** When the first can be, of devices of which too little is known; null: there is none. */
  readonly firstAt: EpochMs | null;
  readonly real: number;
  readonly normal: number;
}

/** @param warm what has to be known: steps, and time */
export async function oddCoverage(
  db: Pool | PoolClient,
  sites: Sites,
  warm: { readonly steps: number; readonly ms: number },
): Promise<OddCoverage> {
  const { rows } = await db.query<OddCoverage>(
    `SELECT count(*)::int AS devices, (count(*) FILTER (WHERE k.warm))::int AS warm, min(k.first_at) FILTER (WHERE NOT k.warm) AS "firstAt",
       (SELECT count(*)::int ${SAID} AND o.said = 'real') AS real, (SELECT count(*)::int ${SAID} AND o.said = 'normal') AS normal
     FROM odd_state o JOIN device d ON d.id = o.device_id CROSS JOIN LATERAL (SELECT
       o.steps >= $2 AND o.until - o.since >= $3 * interval '1 ms' AS warm,
       greatest(${ms("o.since")} + $3, ${ms("o.since")} + (${ms("o.until")} - ${ms("o.since")}) * ($2 + 1) / nullif(o.steps, 0)) AS first_at) AS k
     WHERE o.since IS NOT NULL AND ($1::integer[] IS NULL OR d.site_id = ANY ($1))`,
    [listOf(sites), warm.steps, warm.ms],
  );
  return rows[0]!;
}

const SAID = `FROM odd_stretch o JOIN device d ON d.id = o.device_id WHERE o.said IS NOT NULL AND ($1::integer[] IS NULL OR d.site_id = ANY ($1))`;

function listOf(sites: Sites): readonly number[] | null {
  return sites === "all" ? null : sites;
}
