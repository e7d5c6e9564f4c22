-- What people say of how a metric is shown. color: a place in the palette, which has a color for each theme; thresholds are drawn, and tell nobody.
ALTER TABLE metric
  ADD COLUMN description    text,
  ADD COLUMN decimals       smallint CHECK (decimals BETWEEN 0 AND 10),
  ADD COLUMN color          smallint CHECK (color BETWEEN 1 AND 6),
  ADD COLUMN warning_below  double precision,
  ADD COLUMN warning_above  double precision,
  ADD COLUMN critical_below double precision,
  ADD COLUMN critical_above double precision;

-- Names that a metric had, or that were merged into it: what is sent under them are its readings.
CREATE TABLE metric_alias (
  name      text PRIMARY KEY,
  metric_id integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  since     timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX metric_alias_metric ON metric_alias (metric_id);

-- Whoever takes messages remembers which names are known.
CREATE TRIGGER metric_alias_gone AFTER DELETE ON metric_alias FOR EACH ROW EXECUTE FUNCTION access_changed('catalog');
