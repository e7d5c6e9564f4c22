-- A file of readings in cold storage. state: writing (its run may have died) · kept (it is read) · removing (nothing needs it any more).
CREATE TABLE cold_file (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The first day of the month it holds.
  month       date NOT NULL,
  name        text NOT NULL UNIQUE,
  -- The folder or bucket it was written to.
  url         text NOT NULL,
  state       text NOT NULL CHECK (state IN ('writing', 'kept', 'removing')),
  -- When the state became what it is.
  since       timestamptz NOT NULL DEFAULT now(),
  bytes       bigint,
  sha256      text,
  rows        bigint,
  readings    bigint,
  min_time    timestamptz,
  max_time    timestamptz,
  -- Metrics of its columns, in their order.
  metrics     integer[],
  -- When it was read back and found to hold what PostgreSQL held.
  verified_at timestamptz
);
CREATE INDEX cold_file_month ON cold_file (month);

-- The rows of a device in a file: first_row and those after it, ascending in time. counts and sums go with the file's metrics.
CREATE TABLE cold_device (
  device_id integer NOT NULL,
  file_id   integer NOT NULL REFERENCES cold_file (id) ON DELETE CASCADE,
  first_row integer NOT NULL,
  rows      integer NOT NULL,
  min_time  timestamptz NOT NULL,
  max_time  timestamptz NOT NULL,
  counts    integer[] NOT NULL,
  sums      double precision[] NOT NULL,
  PRIMARY KEY (device_id, file_id)
);
CREATE INDEX cold_device_file ON cold_device (file_id);

-- Months that stay in PostgreSQL however old they are: somebody has brought them back.
CREATE TABLE cold_hold (
  month date PRIMARY KEY
);

-- Months whose rows changed while they were copied.
CREATE TABLE cold_touched (
  month date NOT NULL
);

CREATE FUNCTION note_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM cold_touched WHERE month = TG_ARGV[0]::date) THEN
    INSERT INTO cold_touched (month) VALUES (TG_ARGV[0]::date);
  END IF;
  RETURN NULL;
END $$;

-- From its commit on every change of a month's samples is noted in cold_touched. Gathers what lies in sample_other into the month's own partition.
CREATE FUNCTION watch_month(year integer, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  part text := month_partition('sample', year, month);
  starts timestamptz := make_timestamptz(year, month, 1, 0, 0, 0);
  ends timestamptz := starts + interval '1 month';
  options text := coalesce((SELECT 'WITH (' || array_to_string(reloptions, ', ') || ')' FROM pg_class WHERE oid = to_regclass('sample_other')), '');
BEGIN
  IF to_regclass(part) IS NULL THEN
    LOCK TABLE sample_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
      'CREATE TABLE %I (LIKE sample INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION) %s', part, options);
    EXECUTE format(
      'WITH moved AS (DELETE FROM sample_other WHERE time >= $1 AND time < $2 RETURNING device_id, time, metrics, values, offsets)
       INSERT INTO %I (device_id, time, metrics, values, offsets) SELECT * FROM moved', part) USING starts, ends;
    EXECUTE format('ALTER TABLE sample ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, starts, ends);
  END IF;
  EXECUTE format('DROP TRIGGER IF EXISTS touched ON %I', part);
  EXECUTE format('CREATE TRIGGER touched AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION note_touched(%L)',
    part, starts::date);
  EXECUTE 'DELETE FROM cold_touched WHERE month = $1' USING starts::date;
END $$;

DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION watch_month SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION watch_month FROM PUBLIC;
