import type { ClientBase, Pool } from "pg";

const ROLLUPS = (table: string) => `
  SELECT r.device_id, r.bucket, v.* FROM ${table} r
  CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.first_at, r.lasts, r.last_at)
    AS v (metric_id, count, sum, min, max, first, first_at, last, last_at)`;

/** Readings added up again past the code that writes rollups. Tests don't use values that a sum of doubles loses. */
const RECOUNT = (unit: "minute" | "hour") => `
  SELECT device_id, date_trunc('${unit}', time, 'UTC') AS bucket, metric_id, count(*)::integer AS count, sum(value) AS sum, sum(abs(value)) AS size,
    min(value) AS min, max(value) AS max, (array_agg(value ORDER BY time))[1] AS first, (array_agg(value ORDER BY time DESC))[1] AS last,
    (extract(epoch FROM min(time) - date_trunc('${unit}', min(time), 'UTC')) * 1000)::integer AS first_at,
    (extract(epoch FROM max(time) - date_trunc('${unit}', max(time), 'UTC')) * 1000)::integer AS last_at
  FROM stored_reading GROUP BY 1, 2, 3`;

const DIFFER = `a.count IS DISTINCT FROM b.count OR a.min IS DISTINCT FROM b.min OR a.max IS DISTINCT FROM b.max
  OR a.first IS DISTINCT FROM b.first OR a.last IS DISTINCT FROM b.last OR a.first_at IS DISTINCT FROM b.first_at
  OR a.last_at IS DISTINCT FROM b.last_at OR (abs(a.sum - b.sum) <= 1e-9 * greatest(a.size, 1e-300)) IS NOT TRUE`;

const IS_ROLLED = (hour: string) => `EXISTS (SELECT FROM device d WHERE d.id = h.device_id AND d.rolled_until > ${hour}
  AND NOT EXISTS (SELECT FROM late_hour l WHERE l.device_id = d.id AND l.hour = ${hour}))`;

/** What must be true of readings and rollups at every moment, each as a query that counts what breaks it. */
const FAULTS: Record<string, string> = {
  "readings that are there twice": `SELECT count(*) FROM (
    SELECT FROM stored_reading GROUP BY device_id, metric_id, time HAVING count(*) > 1) AS twice`,
  "moments in two blocks": `SELECT count(*) FROM (SELECT FROM (
    SELECT DISTINCT device_id, time, block FROM stored_reading) AS moment GROUP BY device_id, time HAVING count(*) > 1) AS twice`,
  "blocks that leave their hour, or end at another time than their key": `SELECT count(*) FROM sample
    WHERE date_trunc('hour', time, 'UTC') <> date_trunc('hour', time - coalesce(offsets[1], 0) * interval '1 ms', 'UTC')
      OR offsets[cardinality(offsets)] <> 0 OR cardinality(values) <> cardinality(metrics) * coalesce(cardinality(offsets), 1)`,
  "metrics of blocks without a value": `SELECT count(*) FROM sample s, unnest(s.metrics) m
    WHERE s.offsets IS NOT NULL AND NOT EXISTS (
      SELECT FROM stored_reading r WHERE r.device_id = s.device_id AND r.block = s.time AND r.metric_id = m)`,
  "hours whose rollups differ from a recount": `SELECT count(*) FROM (${RECOUNT("hour")}) AS a
    FULL JOIN (${ROLLUPS("rollup_hour")}) AS b USING (device_id, metric_id, bucket)
    CROSS JOIN LATERAL (SELECT device_id, bucket) AS h WHERE (${DIFFER})
      AND NOT (b.count IS NULL AND NOT ${IS_ROLLED("h.bucket")})`,
  "hours with rollups that should have none": `SELECT count(*) FROM rollup_hour h WHERE NOT ${IS_ROLLED("h.bucket")}`,
  "minutes whose rollups differ from a recount": `SELECT count(*) FROM (${RECOUNT("minute")}) AS a
    FULL JOIN (${ROLLUPS("rollup_minute")}) AS b USING (device_id, metric_id, bucket)
    CROSS JOIN LATERAL (SELECT device_id, date_trunc('hour', bucket, 'UTC') AS hour) AS h WHERE (${DIFFER})
      AND NOT (b.count IS NULL AND NOT EXISTS (SELECT FROM rollup_minute k
        WHERE k.device_id = h.device_id AND k.bucket >= h.hour AND k.bucket < h.hour + interval '1 hour'))`,
  "minutes with rollups that should have none": `SELECT count(*) FROM rollup_minute h
    WHERE NOT ${IS_ROLLED("date_trunc('hour', h.bucket, 'UTC')")}`,
};

/** Looks whether readings and rollups are as they must be at every moment. @returns what is wrong, in words. */
export async function faultsOfReadings(client: Pool | ClientBase): Promise<string[]> {
  const faults: string[] = [];
  for (const [name, query] of Object.entries(FAULTS)) {
    const { rows } = await client.query<{ count: string | number }>(query);
    if (Number(rows[0]!.count) > 0) faults.push(`${rows[0]!.count} ${name}`);
  }
  return faults;
}
