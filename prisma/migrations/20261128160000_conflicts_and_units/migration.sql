-- Readings where another value was stored already at their device, metric and millisecond: the first stays. Exact, like the
-- totals beside them. Before, they were counted among the duplicates.
ALTER TABLE pipeline_position ADD COLUMN conflicts bigint NOT NULL DEFAULT 0;
ALTER TABLE pipeline_rate ADD COLUMN conflicts integer NOT NULL DEFAULT 0;

-- The same by device, with the last of them as an example.
ALTER TABLE device
  ADD COLUMN conflicts bigint NOT NULL DEFAULT 0,
  ADD COLUMN conflict_metric_id integer REFERENCES metric (id),
  ADD COLUMN conflict_time timestamptz(3),
  ADD COLUMN conflict_kept double precision,
  ADD COLUMN conflict_refused double precision;

-- Where unit and valid range are from. none: nobody has said; guessed: an earlier version made them up from the metric's
-- name; set: somebody has said so, be it that there is no unit.
ALTER TABLE metric
  ADD COLUMN meaning text NOT NULL DEFAULT 'none' CHECK (meaning IN ('none', 'guessed', 'set'));
UPDATE metric SET meaning = 'guessed' WHERE unit IS NOT NULL OR min IS NOT NULL OR max IS NOT NULL;

-- The unit of a metric where a device has one of its own.
CREATE TABLE device_unit (
  device_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  unit      text NOT NULL,
  PRIMARY KEY (device_id, metric_id)
);

-- The same columns; the unit is now the device's.
CREATE OR REPLACE VIEW reading AS
SELECT d.name AS device, s.name AS site, m.name AS metric,
  coalesce(u.unit, m.unit) AS unit, p.time, v.value
FROM sample p
JOIN device d ON d.id = p.device_id
LEFT JOIN site s ON s.id = d.site_id
CROSS JOIN LATERAL unnest(p.metrics, p.values) AS v (metric_id, value)
JOIN metric m ON m.id = v.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;

CREATE OR REPLACE VIEW reading_minute AS
SELECT d.name AS device, m.name AS metric, coalesce(u.unit, m.unit) AS unit,
  r.bucket, v.count, v.sum, v.min, v.max, v.first, v.last
FROM rollup_minute r
JOIN device d ON d.id = r.device_id
CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts)
  AS v (metric_id, count, sum, min, max, first, last)
JOIN metric m ON m.id = v.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;

CREATE OR REPLACE VIEW reading_hour AS
SELECT d.name AS device, m.name AS metric, coalesce(u.unit, m.unit) AS unit,
  r.bucket, v.count, v.sum, v.min, v.max, v.first, v.last
FROM rollup_hour r
JOIN device d ON d.id = r.device_id
CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts)
  AS v (metric_id, count, sum, min, max, first, last)
JOIN metric m ON m.id = v.metric_id
LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id;
