-- A row of sample holds the moments of one device within one hour: time is that of its last moment, offsets tells for each moment how many
-- milliseconds it lies before that (ascending in time; the last is 0). NULL: one moment, as every row until now. values lie metric after
-- metric: that of metric m at moment i of n is values[(m - 1) * n + i], NULL where the moment has no such metric.
ALTER TABLE sample ADD COLUMN offsets integer[];

-- Hours before it have exact rollups, those of late_hour excepted; hours from it on have none.
ALTER TABLE device ADD COLUMN rolled_until timestamptz(3);

-- Hours before rolled_until that got readings since their rollups were made, which are gone.
CREATE TABLE late_hour (
  device_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  hour      timestamptz NOT NULL,
  PRIMARY KEY (device_id, hour)
);

-- Rollups were kept up with every batch: all hours but each device's last are complete, and stay as they are.
UPDATE device SET rolled_until = date_trunc('hour', last_event_time, 'UTC') WHERE last_event_time IS NOT NULL;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
DELETE FROM rollup_minute r USING device d WHERE r.device_id = d.id AND r.bucket >= d.rolled_until;
DELETE FROM rollup_hour r USING device d WHERE r.device_id = d.id AND r.bucket >= d.rolled_until;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;

-- The hours that are rows a moment are merged while all goes on; they are counted to tell how far it is.
INSERT INTO job_run (id, job, lane, trigger, state, total)
SELECT gen_random_uuid()::text, 'readings-upgrade', 'readings-upgrade', 'request', 'waiting', count(*) FROM rollup_hour HAVING count(*) > 0;

-- Every reading, one a row; block is the time of the row of sample it lies in, by which partitions and keys are found.
CREATE VIEW stored_reading AS
SELECT p.device_id, m.metric_id, p.time - v.before * interval '1 ms' AS time, v.value, p.time AS block
FROM sample p
CROSS JOIN LATERAL unnest(p.metrics) WITH ORDINALITY AS m (metric_id, i)
CROSS JOIN LATERAL unnest(
  coalesce(p.offsets, '{0}'),
  p.values[(m.i::integer - 1) * coalesce(cardinality(p.offsets), 1) + 1 : m.i::integer * coalesce(cardinality(p.offsets), 1)]
) AS v (before, value)
WHERE v.value IS NOT NULL;

-- The same columns and one more, block.
CREATE OR REPLACE VIEW reading AS
SELECT d.name AS device, s.name AS site, m.name AS metric, coalesce(u.unit, m.unit) AS unit, p.time, p.value, p.block
FROM stored_reading p
JOIN device d ON d.id = p.device_id
LEFT JOIN site s ON s.id = d.site_id
JOIN metric m ON m.id = p.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;

-- The same columns: rollups where an hour has them, and elsewhere the same from its readings. Values past 1e290 are added up times 2^-64,
-- since PostgreSQL fails where a sum leaves the doubles.
CREATE OR REPLACE VIEW reading_minute AS
SELECT d.name AS device, m.name AS metric, coalesce(u.unit, m.unit) AS unit, r.bucket, r.count,
  CASE WHEN greatest(abs(r.min), abs(r.max)) > 8.988465674311579e307 / r.count THEN NULL
    ELSE coalesce(r.sum + r.large * 18446744073709551616::float8, r.sum, r.large * 18446744073709551616::float8) END AS sum,
  r.min, r.max, r.first, r.last
FROM device d
CROSS JOIN LATERAL (
  SELECT k.bucket, v.metric_id, v.count, v.sum, NULL::float8 AS large, v.min, v.max, v.first, v.last
  FROM rollup_minute k
  CROSS JOIN LATERAL unnest(k.metrics, k.counts, k.sums, k.mins, k.maxs, k.firsts, k.lasts)
    AS v (metric_id, count, sum, min, max, first, last)
  WHERE k.device_id = d.id
  UNION ALL
  SELECT date_trunc('minute', s.time, 'UTC'), s.metric_id, count(*)::integer,
    sum(s.value) FILTER (WHERE abs(s.value) <= 1e290),
    sum(s.value * 5.421010862427522e-20::float8) FILTER (WHERE abs(s.value) > 1e290),
    min(s.value), max(s.value), (array_agg(s.value ORDER BY s.time))[1], (array_agg(s.value ORDER BY s.time DESC))[1]
  FROM stored_reading s
  WHERE s.device_id = d.id AND NOT EXISTS (
    SELECT FROM rollup_minute k WHERE k.device_id = s.device_id
      AND k.bucket >= date_trunc('hour', s.block, 'UTC') AND k.bucket < date_trunc('hour', s.block, 'UTC') + interval '1 hour')
  GROUP BY 1, 2
) AS r
JOIN metric m ON m.id = r.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;

CREATE OR REPLACE VIEW reading_hour AS
SELECT d.name AS device, m.name AS metric, coalesce(u.unit, m.unit) AS unit, r.bucket, r.count,
  CASE WHEN greatest(abs(r.min), abs(r.max)) > 8.988465674311579e307 / r.count THEN NULL
    ELSE coalesce(r.sum + r.large * 18446744073709551616::float8, r.sum, r.large * 18446744073709551616::float8) END AS sum,
  r.min, r.max, r.first, r.last
FROM device d
CROSS JOIN LATERAL (
  SELECT k.bucket, v.metric_id, v.count, v.sum, NULL::float8 AS large, v.min, v.max, v.first, v.last
  FROM rollup_hour k
  CROSS JOIN LATERAL unnest(k.metrics, k.counts, k.sums, k.mins, k.maxs, k.firsts, k.lasts)
    AS v (metric_id, count, sum, min, max, first, last)
  WHERE k.device_id = d.id
  UNION ALL
  SELECT date_trunc('hour', s.time, 'UTC'), s.metric_id, count(*)::integer,
    sum(s.value) FILTER (WHERE abs(s.value) <= 1e290),
    sum(s.value * 5.421010862427522e-20::float8) FILTER (WHERE abs(s.value) > 1e290),
    min(s.value), max(s.value), (array_agg(s.value ORDER BY s.time))[1], (array_agg(s.value ORDER BY s.time DESC))[1]
  FROM stored_reading s
  WHERE s.device_id = d.id AND NOT EXISTS (
    SELECT FROM rollup_hour k WHERE k.device_id = s.device_id AND k.bucket = date_trunc('hour', s.block, 'UTC'))
  GROUP BY 1, 2
) AS r
JOIN metric m ON m.id = r.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;
