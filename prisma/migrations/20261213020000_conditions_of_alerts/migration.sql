-- Breaking: no
-- Of a rule of several conditions: the one that an alert's values are of, by its place in the version of its rule, from 0, and its metric.
ALTER TABLE alert
  ADD COLUMN condition       smallint,
  ADD COLUMN value_metric_id integer REFERENCES metric (id) ON DELETE SET NULL;
CREATE INDEX alert_value_metric ON alert (value_metric_id) WHERE value_metric_id IS NOT NULL;
