-- Months are those of any table that is divided by time: what its partitions look like is read from the table and its *_other partition.

CREATE OR REPLACE FUNCTION month_partition(divided text, year integer, month integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF year NOT BETWEEN 0 AND 9999 OR month NOT BETWEEN 1 AND 12 OR NOT EXISTS (
    SELECT FROM pg_class
    WHERE relname = divided AND relkind = 'p' AND relnamespace = current_schema()::regnamespace
  ) THEN
    RAISE EXCEPTION 'there is no such month of a divided table: % % %', divided, year, month;
  END IF;
  RETURN format('%s_%s_%s', divided, lpad(year::text, 4, '0'), lpad(month::text, 2, '0'));
END $$;

-- Makes a month's partition, unless it is there, or *_other has rows of that month, which then stays there.
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
EXCEPTION WHEN check_violation THEN
  -- A worker that had settled on *_other wrote there since the look above.
  NULL;
END $$;

-- Dead letters by month of ingest. What is there becomes *_other, as it is: nothing is copied.

ALTER TABLE dead_letter RENAME TO dead_letter_other;
ALTER TABLE dead_letter_other DROP CONSTRAINT dead_letter_pkey;
ALTER INDEX dead_letter_ingest_time_idx RENAME TO dead_letter_other_ingest_time_idx;
ALTER INDEX dead_letter_reason_idx RENAME TO dead_letter_other_reason_idx;
ALTER INDEX dead_letter_device_idx RENAME TO dead_letter_other_device_idx;
ALTER INDEX dead_letter_status_idx RENAME TO dead_letter_other_status_idx;
ALTER INDEX dead_letter_job_idx RENAME TO dead_letter_other_job_idx;

CREATE TABLE dead_letter (LIKE dead_letter_other INCLUDING DEFAULTS) PARTITION BY RANGE (ingest_time);
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_status_check
  CHECK (status IN ('open', 'resending', 'resent', 'discarded'));
ALTER TABLE dead_letter ADD PRIMARY KEY (id, ingest_time);
CREATE INDEX dead_letter_ingest_time_idx ON dead_letter (ingest_time DESC, id DESC);
CREATE INDEX dead_letter_reason_idx ON dead_letter (reason, ingest_time DESC, id DESC);
CREATE INDEX dead_letter_device_idx ON dead_letter (device, ingest_time DESC, id DESC);
CREATE INDEX dead_letter_status_idx ON dead_letter (status, ingest_time DESC, id DESC, reason, device, field, resends);
CREATE INDEX dead_letter_job_idx ON dead_letter (job, status) WHERE job IS NOT NULL;
ALTER TABLE dead_letter ATTACH PARTITION dead_letter_other DEFAULT;

SELECT make_month('dead_letter', extract(year FROM day)::integer, extract(month FROM day)::integer)
FROM (SELECT now() AT TIME ZONE 'UTC' + ahead * interval '1 month' AS day FROM generate_series(0, 1) ahead) m;

-- Drops a month of dead letters, but those being sent again, which go to *_other. Returns how many it dropped.
CREATE FUNCTION drop_dead_letter_month(year integer, month integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  part text := month_partition('dead_letter', year, month);
  letters bigint;
  kept bigint;
BEGIN
  -- Counted before the lock, which all others wait for.
  EXECUTE format('SELECT count(*) FROM %I', part) INTO letters;
  EXECUTE format('ALTER TABLE dead_letter DETACH PARTITION %I', part);
  EXECUTE format('INSERT INTO dead_letter_other SELECT * FROM %I WHERE status = ''resending''', part);
  GET DIAGNOSTICS kept = ROW_COUNT;
  EXECUTE format('DROP TABLE %I', part);
  RETURN letters - kept;
END $$;

DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION make_month SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION drop_dead_letter_month SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION drop_dead_letter_month FROM PUBLIC;
