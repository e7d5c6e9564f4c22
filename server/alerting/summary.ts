import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";

/** What fires at some sites, in figures. Alerts beneath that of their site are counted by themselves. */
export interface FiringSummary {
  readonly firing: number;
  readonly critical: number;
  readonly acknowledged: number;
  readonly criticalAcknowledged: number;
  readonly beneath: number;
  /** Where something critical fires, by name. */
  readonly criticalSites: string[];
}

/** Counts the open alerts of these sites. */
export async function summarizeFiring(db: Pool | PoolClient, sites: Sites): Promise<FiringSummary> {
  const { rows } = await db.query<FiringSummary>(
    `WITH open AS (
       SELECT a.parent_id IS NULL AS top, a.severity = 'critical' AS critical, coalesce(s.name, a.site_name) AS site,
         a.acknowledged_at IS NOT NULL AND coalesce(a.acknowledged_until, 'infinity') > now() AS seen
       FROM alert a LEFT JOIN site s ON s.id = a.site_id
       WHERE a.ended_at IS NULL AND ($1::integer[] IS NULL OR a.site_id = ANY ($1)))
     SELECT count(*) FILTER (WHERE top)::integer AS firing, count(*) FILTER (WHERE top AND critical)::integer AS critical,
       count(*) FILTER (WHERE top AND seen)::integer AS acknowledged, count(*) FILTER (WHERE top AND critical AND seen)::integer AS "criticalAcknowledged",
       count(*) FILTER (WHERE NOT top)::integer AS beneath,
       coalesce(array_agg(DISTINCT site ORDER BY site) FILTER (WHERE top AND critical AND site IS NOT NULL), '{}') AS "criticalSites"
     FROM open`,
    [sites === "all" ? null : sites],
  );
  return rows[0]!;
}

/** Days that {@link countEpisodes} looks back. */
const EPISODE_DAYS = 30;

/** How often each rule fired at these sites, day by day in UTC, the oldest first and today last; those that never did are left out. */
export async function countEpisodes(
  db: Pool | PoolClient,
  sites: Sites,
): Promise<{ readonly rule: number; readonly days: number[] }[]> {
  const { rows } = await db.query<{ rule: number; day: number; episodes: number }>(
    `SELECT rule_id AS rule, (started_at AT TIME ZONE 'UTC')::date - (now() AT TIME ZONE 'UTC')::date + ${EPISODE_DAYS - 1} AS day, count(*)::integer AS episodes
     FROM alert WHERE started_at >= date_trunc('day', now(), 'UTC') - interval '${EPISODE_DAYS - 1} days' AND parent_id IS NULL
       AND ($1::integer[] IS NULL OR site_id = ANY ($1))
     GROUP BY 1, 2`,
    [sites === "all" ? null : sites],
  );
  const rules = new Map<number, number[]>();
  for (const { rule, day, episodes } of rows) {
    const days = rules.get(rule) ?? Array.from({ length: EPISODE_DAYS }, () => 0);
    // What devices date ahead of us counts for today.
    days[Math.min(day, EPISODE_DAYS - 1)]! += episodes;
    rules.set(rule, days);
  }
  return [...rules].map(([rule, days]) => ({ rule, days }));
}
