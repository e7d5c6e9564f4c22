-- How long some series are kept, in days of event time; NULL: for ever. pattern is a name, or has * for any characters. Which of several holds
-- for a series: server/domain/series-rules.ts.
CREATE TABLE series_rule (
  id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  selects  text NOT NULL CHECK (selects IN ('metric', 'type', 'site')),
  pattern  text NOT NULL,
  raw      integer CHECK (raw BETWEEN 1 AND 36500),
  minutes  integer CHECK (minutes BETWEEN 1 AND 36500),
  hours    integer CHECK (hours BETWEEN 1 AND 36500),
  set_at   timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (selects, pattern)
);

-- When a rule was last set or removed.
CREATE TABLE series_rule_change (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  changed_at timestamptz(3) NOT NULL
);

-- Everything of a series before this was removed by a rule, and nothing from it on: raw tells which parts of rollups can't be made again.
CREATE TABLE series_edge (
  device_id   integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id   integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  keeps       text NOT NULL CHECK (keeps IN ('raw', 'minutes', 'hours')),
  gone_before timestamptz(3) NOT NULL,
  PRIMARY KEY (device_id, metric_id, keeps)
);
CREATE INDEX series_edge_metric ON series_edge (metric_id);

-- As before, but by metric: an hour that waits to be merged may have rollups of those metrics alone whose readings were removed. Values past 1e290 are added up times 2^-64,
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
    SELECT FROM rollup_minute k WHERE k.device_id = s.device_id AND k.metrics @> ARRAY[s.metric_id]
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
    SELECT FROM rollup_hour k WHERE k.device_id = s.device_id AND k.metrics @> ARRAY[s.metric_id] AND k.bucket = date_trunc('hour', s.block, 'UTC'))
  GROUP BY 1, 2
) AS r
JOIN metric m ON m.id = r.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;
