-- The sum of a bucket whose readings could add up past a double is kept times 2^-64: count and extremes decide it, so that a
-- rollup is the same in whatever order its readings came. Before, such a sum was cut off at the largest double.
-- 8.988465674311579e307 is half of the largest double, 5.421010862427522e-20 is 2^-64; 2e301 is too small for any bucket.
UPDATE rollup_minute r SET sums = (
  SELECT array_agg(CASE WHEN greatest(abs(v.min), abs(v.max)) > 8.988465674311579e307 / v.count THEN (
      SELECT sum(CASE WHEN abs(s.value) > 1e200 THEN s.value * 5.421010862427522e-20::float8 ELSE 0 END)
      FROM (SELECT p.values[array_position(p.metrics, v.metric)] AS value FROM sample p
            WHERE p.device_id = r.device_id AND p.time >= r.bucket AND p.time < r.bucket + interval '1 minute') AS s)
    ELSE v.sum END ORDER BY v.i)
  FROM unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs) WITH ORDINALITY AS v (metric, count, sum, min, max, i))
WHERE EXISTS (SELECT FROM unnest(r.mins || r.maxs) AS value WHERE abs(value) > 2e301);

UPDATE rollup_hour r SET sums = (
  SELECT array_agg(CASE WHEN greatest(abs(v.min), abs(v.max)) > 8.988465674311579e307 / v.count THEN (
      SELECT sum(CASE WHEN abs(s.value) > 1e200 THEN s.value * 5.421010862427522e-20::float8 ELSE 0 END)
      FROM (SELECT p.values[array_position(p.metrics, v.metric)] AS value FROM sample p
            WHERE p.device_id = r.device_id AND p.time >= r.bucket AND p.time < r.bucket + interval '1 hour') AS s)
    ELSE v.sum END ORDER BY v.i)
  FROM unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs) WITH ORDINALITY AS v (metric, count, sum, min, max, i))
WHERE EXISTS (SELECT FROM unnest(r.mins || r.maxs) AS value WHERE abs(value) > 2e301);

-- The same columns; a sum that is kept smaller is none for people who write SQL.
CREATE OR REPLACE VIEW reading_minute AS
SELECT d.name AS device, m.name AS metric, coalesce(u.unit, m.unit) AS unit, r.bucket, v.count,
  CASE WHEN greatest(abs(v.min), abs(v.max)) > 8.988465674311579e307 / v.count THEN NULL ELSE v.sum END AS sum,
  v.min, v.max, v.first, v.last
FROM rollup_minute r
JOIN device d ON d.id = r.device_id
CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts)
  AS v (metric_id, count, sum, min, max, first, last)
JOIN metric m ON m.id = v.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;

CREATE OR REPLACE VIEW reading_hour AS
SELECT d.name AS device, m.name AS metric, coalesce(u.unit, m.unit) AS unit, r.bucket, v.count,
  CASE WHEN greatest(abs(v.min), abs(v.max)) > 8.988465674311579e307 / v.count THEN NULL ELSE v.sum END AS sum,
  v.min, v.max, v.first, v.last
FROM rollup_hour r
JOIN device d ON d.id = r.device_id
CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts)
  AS v (metric_id, count, sum, min, max, first, last)
JOIN metric m ON m.id = v.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;
