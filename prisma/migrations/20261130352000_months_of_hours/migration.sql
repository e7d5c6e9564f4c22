-- Hour rollups by month, as minutes are. What is there becomes rollup_hour_before, as it is, for everything before the next month: it is read
-- through once, nothing is copied. Were it the default partition, each new month would read it through again while everybody waits.

-- Makes a month's partition, unless it is there, *_other has rows of that month, which then stays there, or *_before holds its time.
CREATE OR REPLACE FUNCTION make_month(divided text, year integer, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  part text := month_partition(divided, year, month);
  bound text := (SELECT a.attname FROM pg_partitioned_table p
                 JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
                 WHERE p.partrelid = to_regclass(quote_ident(divided)));
  options text := (SELECT 'WITH (' || array_to_string(reloptions, ', ') || ')' FROM pg_class
                   WHERE oid = to_regclass(quote_ident(divided || '_other')));
  starts timestamptz := make_timestamptz(year, month, 1, 0, 0, 0);
  ends timestamptz := starts + interval '1 month';
  taken boolean;
BEGIN
  IF to_regclass(part) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I >= $1 AND %2$I < $2)', divided || '_other', bound)
    INTO taken USING starts, ends;
  IF taken THEN
    RETURN;
  END IF;
  -- Attaching takes a lighter lock on the table than CREATE TABLE … PARTITION OF: writers go on.
  EXECUTE format(
    'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION) %s',
    part, divided, coalesce(options, ''));
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', divided, part, starts, ends);
EXCEPTION WHEN check_violation OR invalid_object_definition THEN
  -- A worker that had settled on *_other wrote there since the look above, or another partition has the month's time.
  NULL;
END $$;

ALTER TABLE rollup_hour RENAME TO rollup_hour_before;
ALTER INDEX rollup_hour_pkey RENAME TO rollup_hour_before_pkey;
CREATE TABLE rollup_hour (LIKE rollup_hour_before INCLUDING DEFAULTS) PARTITION BY RANGE (bucket);
ALTER TABLE rollup_hour ADD PRIMARY KEY (device_id, bucket);
CREATE TABLE rollup_hour_other PARTITION OF rollup_hour DEFAULT WITH (fillfactor = 80);

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

DO $$
DECLARE
  next timestamptz := date_trunc('month', now(), 'UTC') + interval '1 month';
BEGIN
  EXECUTE format('ALTER FUNCTION make_month SET search_path = %I, pg_temp', current_schema());
  IF EXISTS (SELECT FROM rollup_hour_before) THEN
    -- Of clocks that are ahead.
    WITH later AS (DELETE FROM rollup_hour_before WHERE bucket >= next RETURNING *)
    INSERT INTO rollup_hour SELECT * FROM later;
    EXECUTE format('ALTER TABLE rollup_hour ATTACH PARTITION rollup_hour_before FOR VALUES FROM (MINVALUE) TO (%L)', next);
  ELSE
    DROP TABLE rollup_hour_before;
    PERFORM make_month('rollup_hour', extract(year FROM now() AT TIME ZONE 'UTC')::integer, extract(month FROM now() AT TIME ZONE 'UTC')::integer);
  END IF;
  PERFORM make_month('rollup_hour', extract(year FROM next AT TIME ZONE 'UTC')::integer, extract(month FROM next AT TIME ZONE 'UTC')::integer);
END $$;
