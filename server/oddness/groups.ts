import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { OddQuery } from "./list";

/** From so many series on that are odd at once, those of a device are told as one. */
const GROUP_OF_DEVICE = 3;
/** So much of a site's series is told as one, if it is as many as of a device and not of one device alone. */
const GROUP_OF_SITE = 0.2;

/** Series that are odd at once, and are told as one: of a device, or much of a site. */
export interface OddGroup {
  readonly siteId: number | null;
  /** Null: of a site. */
  readonly deviceId: number | null;
  readonly site: string | null;
  readonly device: string | null;
  readonly odd: number;
  /** Its number series. */
  readonly of: number;
  /** Its devices that have any of the odd ones. */
  readonly devices: number;
  /** Since when the first of them is odd. */
  readonly from: EpochMs;
  /** The metrics that are odd, those of most series first, then the oddest. */
  readonly metrics: readonly string[];
  readonly peak: number;
}

/**
 * Finds what is odd at once: of what goes on, each site of which much is, and elsewhere each device of which several series are; the widest first. Of
 * one site that is asked for its devices are told; of one device nothing, for its series are what is asked for.
 */
export async function groupOdd(
  db: Pool | PoolClient,
  { sites, least, site, device }: Omit<OddQuery, "after">,
): Promise<OddGroup[]> {
  if (device !== undefined) return [];
  const { rows } = await db.query<OddGroup>(
    `WITH odd AS (
       SELECT o.device_id, d.site_id, m.name AS metric, o.peak, o.from_time FROM odd_stretch o JOIN device d ON d.id = o.device_id
         JOIN metric m ON m.id = o.metric_id LEFT JOIN site s ON s.id = d.site_id
       WHERE o.goes_on AND o.peak >= $2 AND ($1::integer[] IS NULL OR d.site_id = ANY ($1)) AND ($3::text IS NULL OR s.name = (SELECT site_now($3)))),
     site_odd AS (SELECT site_id FROM odd WHERE site_id IS NOT NULL AND $3::text IS NULL GROUP BY site_id HAVING count(*) >= $4 AND count(DISTINCT device_id) > 1),
     site_has AS (
       SELECT d.site_id, count(*)::integer AS n FROM site_odd JOIN device d USING (site_id) JOIN device_metric dm ON dm.device_id = d.id
         JOIN metric m ON m.id = dm.metric_id WHERE m.kind = 'number' AND d.retired_at IS NULL GROUP BY d.site_id),
     wide AS (SELECT h.site_id, h.n FROM site_has h WHERE (SELECT count(*) FROM odd WHERE odd.site_id = h.site_id) >= $5::float8 * h.n),
     placed AS (
       SELECT odd.*, wide.n AS wide, CASE WHEN wide.n IS NULL THEN odd.device_id END AS grouped FROM odd LEFT JOIN wide USING (site_id)),
     found AS (
       SELECT site_id, grouped, max(wide) AS wide, count(*)::integer AS odd, count(DISTINCT device_id)::integer AS devices, min(from_time) AS from_time, max(peak) AS peak
       FROM placed GROUP BY site_id, grouped HAVING count(*) >= $4)
     SELECT f.site_id AS "siteId", f.grouped AS "deviceId", s.name AS site, d.name AS device, f.odd, f.devices, f.peak,
       (extract(epoch FROM f.from_time) * 1000)::float8 AS from,
       coalesce(f.wide, (SELECT count(*)::integer FROM device_metric dm JOIN metric m ON m.id = dm.metric_id WHERE dm.device_id = f.grouped AND m.kind = 'number')) AS of,
       (SELECT array_agg(metric ORDER BY n DESC, peak DESC, metric) FROM (
         SELECT metric, count(*) AS n, max(peak) AS peak FROM placed p
         WHERE p.site_id IS NOT DISTINCT FROM f.site_id AND p.grouped IS NOT DISTINCT FROM f.grouped GROUP BY metric) AS k) AS metrics
     FROM found f LEFT JOIN site s ON s.id = f.site_id LEFT JOIN device d ON d.id = f.grouped
     ORDER BY (f.grouped IS NULL) DESC, f.odd DESC, f.peak DESC, f.site_id, f.grouped`,
    [sites === "all" ? null : sites, least, site ?? null, GROUP_OF_DEVICE, GROUP_OF_SITE],
  );
  return rows;
}
