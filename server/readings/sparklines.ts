import type { Pool } from "pg";
import { meanOf } from "@/server/domain/rollup";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";

/**
 * The means of one metric of several devices by minute, from the minute rollups. Devices without any, or at other sites, are left out.
 * @param from start of the first minute; `minutes` of them follow.
 */
export async function readSparklines(
  pool: Pool,
  query: { sites: Sites; devices: readonly string[]; metric: number; from: EpochMs; minutes: number },
): Promise<Map<string, (number | null)[]>> {
  const some = query.sites === "all" ? [] : [query.sites];
  const { rows } = await pool.query<
    [device: string, minute: number, count: number, sum: number, min: number, max: number]
  >({
    rowMode: "array",
    // OFFSET 0 keeps the inner query apart: merged into the outer one, the metric would be looked up for every use.
    text: `SELECT d.name, (extract(epoch FROM r.bucket - $3::timestamptz) / 60)::integer,
             r.counts[r.i], r.sums[r.i], r.mins[r.i], r.maxs[r.i]
           FROM device d CROSS JOIN LATERAL (
             SELECT bucket, array_position(metrics, $2) AS i, sums, counts, mins, maxs FROM rollup_minute
             WHERE device_id = d.id AND bucket >= $3 AND bucket < $4 OFFSET 0) AS r
           WHERE d.name = ANY ($1::text[]) AND r.i IS NOT NULL ${some.map(() => "AND d.site_id = ANY ($5::integer[])").join("")}`,
    values: [query.devices, query.metric, new Date(query.from), new Date(query.from + query.minutes * 60_000), ...some],
  });
  const series = new Map<string, (number | null)[]>();
  for (const [device, minute, count, sum, min, max] of rows) {
    let values = series.get(device);
    if (values === undefined) series.set(device, (values = new Array<number | null>(query.minutes).fill(null)));
    values[minute] = meanOf(count, sum, min, max);
  }
  return series;
}
