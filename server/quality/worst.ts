import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { Score } from "@/server/domain/quality/score";
import type { EpochMs } from "@/server/domain/terms";
import type { AnyCheck } from "./flags";

const DAY = "interval '1 day'";
const UNKNOWN = 101;

/** The place of a series in the list of the worst. */
export interface WorstPlace {
  /** Its score; 101: it has none. */
  readonly score: number;
  readonly device: number;
  readonly metric: number;
}

export interface WorstQuery {
  readonly sites: Sites;
  readonly day: EpochMs;
  readonly site?: string | undefined;
  readonly device?: string | undefined;
  readonly check?: AnyCheck | undefined;
}

export interface ScoredSeries extends Score {
  readonly place: WorstPlace;
  readonly device: string;
  readonly site: string | null;
  readonly metric: string;
  readonly received: number;
  readonly flagged: Partial<Record<AnyCheck, number>>;
}

/** The latest day with scores at these sites; null: there is none. */
export async function latestScoredDay(db: Pool | PoolClient, sites: Sites): Promise<EpochMs | null> {
  const { rows } = await db.query<{ day: number | null }>(
    `SELECT (extract(epoch FROM (SELECT q.bucket FROM quality_day q JOIN device d ON d.id = q.device_id
       WHERE $1::integer[] IS NULL OR d.site_id = ANY ($1) ORDER BY q.bucket DESC LIMIT 1)) * 1000)::float8 AS day`,
    [listOf(sites)],
  );
  return rows[0]!.day;
}

/** Series of a day, worst first; those without a score last. */
export async function findWorst(
  db: Pool | PoolClient,
  query: WorstQuery,
  after: WorstPlace | null,
  limit: number,
): Promise<{ series: ScoredSeries[]; total: number }> {
  const values = [
    listOf(query.sites),
    new Date(query.day),
    query.site ?? null,
    query.check ?? null,
    query.device ?? null,
  ];
  const { rows } = await db.query<Omit<ScoredSeries, "place"> & WorstPlaceRow>(
    `SELECT d.name AS device, s.name AS site, m.name AS metric, q.score, q.expected, q.received, q.completeness, q.validity, q.timeliness, q.plausibility,
       q.uniqueness, coalesce(q.score, ${UNKNOWN})::float8 AS "placeScore", q.device_id AS "placeDevice", q.metric_id AS "placeMetric",
       (SELECT coalesce(json_object_agg(f."check", f.n), '{}') FROM (
          SELECT f."check", sum(f.count)::int AS n FROM quality_flag f
          WHERE f.device_id = q.device_id AND f.metric_id IN (0, q.metric_id) AND f.to_time >= q.bucket AND f.from_time < q.bucket + ${DAY} GROUP BY 1) AS f) AS flagged
     ${FROM} AND ($6::float8 IS NULL OR (coalesce(q.score, ${UNKNOWN})::float8, q.device_id, q.metric_id) > ($6, $7::integer, $8::integer))
     ORDER BY coalesce(q.score, ${UNKNOWN})::float8, q.device_id, q.metric_id LIMIT $9`,
    [...values, after?.score ?? null, after?.device ?? null, after?.metric ?? null, limit],
  );
  const { rows: counted } = await db.query<{ n: number }>(`SELECT count(*)::int AS n ${FROM}`, values);
  return {
    series: rows.map(({ placeScore, placeDevice, placeMetric, ...row }) => {
      return { ...row, place: { score: placeScore, device: placeDevice, metric: placeMetric } };
    }),
    total: counted[0]!.n,
  };
}

interface WorstPlaceRow {
  readonly placeScore: number;
  readonly placeDevice: number;
  readonly placeMetric: number;
}

const FROM = `FROM quality_day q JOIN device d ON d.id = q.device_id JOIN metric m ON m.id = q.metric_id LEFT JOIN site s ON s.id = d.site_id
     WHERE q.bucket = $2 AND ($1::integer[] IS NULL OR d.site_id = ANY ($1)) AND ($3::text IS NULL OR s.name = (SELECT site_now($3))) AND ($5::text IS NULL OR d.name = $5)
       AND ($4::text IS NULL OR EXISTS (SELECT FROM quality_flag f WHERE f.device_id = q.device_id AND f.metric_id IN (0, q.metric_id)
         AND f."check" = $4 AND f.to_time >= q.bucket AND f.from_time < q.bucket + ${DAY}))`;

/** A site as good as the median of its devices, each as good as its worst series. */
export interface ScoredSite {
  readonly site: string | null;
  readonly series: number;
  readonly median: number | null;
  readonly below80: number;
  readonly unknown: number;
}

/** The sites of a day, worst first. */
export async function scoreSites(db: Pool | PoolClient, sites: Sites, day: EpochMs): Promise<ScoredSite[]> {
  const { rows } = await db.query<ScoredSite>(
    `SELECT s.name AS site, sum(w.series)::int AS series, percentile_cont(0.5) WITHIN GROUP (ORDER BY w.worst) AS median,
       (count(*) FILTER (WHERE w.worst < 80))::int AS below80, (count(*) FILTER (WHERE w.worst IS NULL))::int AS unknown
     FROM (SELECT q.device_id, min(q.score)::float8 AS worst, count(*) AS series FROM quality_day q JOIN metric m ON m.id = q.metric_id WHERE q.bucket = $2 GROUP BY 1) AS w
     JOIN device d ON d.id = w.device_id LEFT JOIN site s ON s.id = d.site_id
     WHERE $1::integer[] IS NULL OR d.site_id = ANY ($1) GROUP BY 1 ORDER BY 3 NULLS LAST, 1`,
    [listOf(sites), new Date(day)],
  );
  return rows;
}

function listOf(sites: Sites): readonly number[] | null {
  return sites === "all" ? null : sites;
}
