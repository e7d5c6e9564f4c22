import type { Pool } from "pg";
import type { SiteLive } from "@/server/domain/fleet-live";
import type { EpochMs } from "@/server/domain/terms";

import { seenWithin } from "./stale";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What is usual is learned from so many days, and from no fewer hours than these. */
const LEARNED_DAYS = 7;
const FEWEST_HOURS = 3;

/** Counts the devices of each site that are live now, beside how many usually are. Devices that said goodbye aren't missed. */
export async function readFleetLive(pool: Pool, now: EpochMs, staleSeconds: number): Promise<SiteLive[]> {
  const live = seenWithin("d", "$3", "$1", 1);
  const { rows } = await pool.query<Omit<SiteLive, "lastSeen" | "fellAt"> & { lastSeen: Date; fellAt: Date | null }>(
    `WITH usual AS (
       SELECT site, percentile_cont(0.5) WITHIN GROUP (ORDER BY live_sum / looks) AS live FROM fleet_live
       WHERE hour >= $2 AND hour < date_trunc('hour', $3::timestamptz) GROUP BY site HAVING count(*) >= ${FEWEST_HOURS}
     ), seen AS (
       SELECT site_id, count(*)::int AS known, (count(*) FILTER (WHERE ${live}))::int AS live,
         (count(*) FILTER (WHERE last_seen > $4))::int AS heard, max(last_seen) AS last_seen,
         percentile_disc(0.5) WITHIN GROUP (ORDER BY last_seen) FILTER (WHERE NOT ${live} AND last_seen > $4) AS fell
       FROM device d WHERE last_seen IS NOT NULL AND gone_at IS NULL GROUP BY site_id
     )
     SELECT s.name AS site, known, seen.live, coalesce(usual.live, heard)::float8 AS usual,
       seen.last_seen AS "lastSeen", fell AS "fellAt"
     FROM seen LEFT JOIN site s ON s.id = seen.site_id LEFT JOIN usual ON usual.site = coalesce(s.name, '')
     ORDER BY s.name NULLS LAST`,
    [staleSeconds, new Date(now - LEARNED_DAYS * DAY_MS), new Date(now), new Date(now - DAY_MS)],
  );
  return rows.map((row) => ({
    ...row,
    lastSeen: row.lastSeen.getTime(),
    fellAt: row.fellAt === null ? null : row.fellAt.getTime(),
  }));
}

/** Adds a look at the fleet to what is learned of this hour, and drops what is too old to count. */
export async function noteFleetLive(pool: Pool, now: EpochMs, sites: readonly SiteLive[]): Promise<void> {
  await pool.query(
    `WITH old AS (DELETE FROM fleet_live WHERE hour < $2)
     INSERT INTO fleet_live AS f (site, hour, looks, live_sum)
     SELECT site, date_trunc('hour', $1::timestamptz), 1, live FROM unnest($3::text[], $4::float8[]) AS look (site, live)
     ON CONFLICT (site, hour) DO UPDATE SET looks = f.looks + 1, live_sum = f.live_sum + excluded.live_sum`,
    [
      new Date(now),
      new Date(now - (LEARNED_DAYS + 1) * DAY_MS),
      sites.map(({ site }) => site ?? ""),
      sites.map(({ live }) => live),
    ],
  );
}
