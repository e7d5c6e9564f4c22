-- The metrics that each device has, or had, readings of: whoever sees some sites alone sees the metrics of their devices alone.
CREATE TABLE device_metric (
  device_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  first_seen timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (device_id, metric_id)
);
CREATE INDEX device_metric_metric ON device_metric (metric_id);

-- What is stored under a metric that is being merged belongs to the one it goes to.
INSERT INTO device_metric (device_id, metric_id, first_seen)
SELECT DISTINCT d.id, m.id, greatest(d.first_seen, m.first_seen)
FROM (SELECT DISTINCT device_id, unnest(metrics) AS metric_id FROM rollup_hour) AS stored
LEFT JOIN catalog_removal r ON r.kind = 'metric' AND r.key = stored.metric_id
JOIN device d ON d.id = stored.device_id
JOIN metric m ON m.id = coalesce(r.into_key, stored.metric_id);
