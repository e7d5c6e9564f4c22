import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import { type KeptWay, shortestFirst } from "@/server/domain/kept-words";
import { ruleChooser, type SeriesMarks } from "@/server/domain/series-rules";
import { readKeptTimes } from "./series-rules";

/** The devices asked about. */
interface Within {
  readonly sites: Sites;
  /** Of these, only those at this one; null or left out: all. */
  readonly site?: string | null;
  readonly type?: string | null;
}

/**
 * Tells how the readings of metrics are kept at these sites: by the rules that hold for the series there are, or the general times, the shortest first. A
 * metric that no device has goes by what would hold for it anywhere.
 * @param startDays as {@link readKeptTimes} takes it.
 */
export async function readMetricRetention(
  pool: Pool,
  startDays: number,
  within: Within,
  now: number,
): Promise<(metric: string) => KeptWay[]> {
  const { general, series } = await readKeptTimes(pool, startDays, now);
  const choose = ruleChooser(series);
  // Only then do devices matter: there may be many of them.
  const differs = series.some(({ selects }) => selects !== "metric");
  const marks = differs ? await readMarks(pool, within) : new Map<string, SeriesMarks[]>();
  return (metric) => {
    const rules = new Set((marks.get(metric) ?? [{ metric, type: null, site: null }]).map(choose));
    return shortestFirst(
      [...rules].map((rule): KeptWay => {
        const { raw, minutes, hours } = rule ?? general;
        return { rule: rule && { selects: rule.selects, pattern: rule.pattern }, raw, minutes, hours };
      }),
    );
  };
}

/** The types and sites that devices with each metric have. */
async function readMarks(
  pool: Pool,
  { sites, site = null, type = null }: Within,
): Promise<ReadonlyMap<string, SeriesMarks[]>> {
  const { rows } = await pool.query<{ metric: string; type: string | null; site: string | null }>(
    `SELECT m.name AS metric, d.type, s.name AS site
     FROM (SELECT DISTINCT p.metric_id, d.type, d.site_id FROM device_metric p JOIN device d ON d.id = p.device_id
       WHERE ($1::integer[] IS NULL OR d.site_id = ANY ($1)) AND ($3::text IS NULL OR d.type = (SELECT type_now($3)))) AS d
     JOIN metric m ON m.id = d.metric_id LEFT JOIN site s ON s.id = d.site_id
     WHERE $2::text IS NULL OR s.name = (SELECT site_now($2))`,
    [sites === "all" ? null : sites, site, type],
  );
  const marks = new Map<string, SeriesMarks[]>();
  for (const row of rows) {
    const of = marks.get(row.metric);
    if (of) of.push(row);
    else marks.set(row.metric, [row]);
  }
  return marks;
}
