-- Breaking: no
-- Rollups of a quarter of a day (six hours, UTC), so that a month of a thousand series is read in a sixth of the rows. Made by a job from the hours.
-- A quarter whose hours have changed since is due: until it is made again, its hours answer. Hours change at many places, so the table itself notes it.
CREATE TABLE rollup_quarter (LIKE rollup_hour INCLUDING DEFAULTS, PRIMARY KEY (device_id, bucket)) WITH (fillfactor = 80);

CREATE TABLE quarter_due (
  device_id integer NOT NULL,
  bucket timestamptz NOT NULL,
  PRIMARY KEY (device_id, bucket)
);

CREATE FUNCTION note_changed_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quarter_due (device_id, bucket)
  SELECT DISTINCT device_id, date_bin('6 hours', bucket, 'epoch') FROM changed_hour ORDER BY 1, 2
  -- Even a row that is there is locked, so that nobody makes its quarter before this is committed.
  ON CONFLICT (device_id, bucket) DO UPDATE SET bucket = excluded.bucket;
  RETURN NULL;
END
$$;

CREATE TRIGGER hours_added AFTER INSERT ON rollup_hour REFERENCING NEW TABLE AS changed_hour FOR EACH STATEMENT EXECUTE FUNCTION note_changed_hours();
CREATE TRIGGER hours_removed AFTER DELETE ON rollup_hour REFERENCING OLD TABLE AS changed_hour FOR EACH STATEMENT EXECUTE FUNCTION note_changed_hours();
CREATE TRIGGER hours_changed AFTER UPDATE ON rollup_hour REFERENCING NEW TABLE AS changed_hour FOR EACH STATEMENT EXECUTE FUNCTION note_changed_hours();

INSERT INTO quarter_due (device_id, bucket) SELECT DISTINCT device_id, date_bin('6 hours', bucket, 'epoch') FROM rollup_hour;
