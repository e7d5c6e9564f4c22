-- Stretches of event time that a check flags, of a series or (metric_id 0) of all a device's. What isn't flagged has no row. Rows of one check of a series
-- begin more than five minutes after the one before ended, so that there are twelve an hour at most.
CREATE TABLE quality_flag (
  device_id  integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id  integer NOT NULL DEFAULT 0,
  "check"    text NOT NULL,
  from_time  timestamptz(3) NOT NULL,
  to_time    timestamptz(3) NOT NULL,
  level      text NOT NULL CHECK (level IN ('suspect', 'fail')),
  -- How often it was told: readings of the series, or messages of the device.
  count      integer NOT NULL,
  PRIMARY KEY (device_id, metric_id, "check", from_time)
);
CREATE INDEX quality_flag_time ON quality_flag (device_id, to_time);

-- Readings that were sent again, came late or said another value, by their device and the hour of their event time. Without any there is no row.
CREATE TABLE quality_count (
  device_id  integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  bucket     timestamptz(3) NOT NULL,
  repeats    integer NOT NULL DEFAULT 0,
  late       integer NOT NULL DEFAULT 0,
  conflicts  integer NOT NULL DEFAULT 0,
  PRIMARY KEY (device_id, bucket)
);

-- What the checks remember of a device and its series, as of a while ago: the readings after `until` make the rest. Float64: server/quality/states.ts.
CREATE TABLE quality_state (
  device_id   integer PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
  layout      smallint NOT NULL,
  until       timestamptz(3) NOT NULL,
  state       bytea NOT NULL,
  written_at  timestamptz(3) NOT NULL
);

-- What people set of the checks' limits, for a metric (device_id 0) or for it on one device, which comes first. An absent limit is the default.
CREATE TABLE quality_limit (
  metric_id   integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  device_id   integer NOT NULL DEFAULT 0,
  limits      jsonb NOT NULL,
  updated_at  timestamptz(3) NOT NULL DEFAULT now(),
  updated_by  text NOT NULL,
  PRIMARY KEY (metric_id, device_id)
);

-- How good a series' readings of a UTC day are: the parts from 0 to 1, and 100 times their product. NULL: too little is known.
CREATE TABLE quality_day (
  device_id     integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id     integer NOT NULL,
  bucket        timestamptz(3) NOT NULL,
  expected      integer,
  received      integer NOT NULL,
  completeness  real,
  validity      real NOT NULL,
  timeliness    real NOT NULL,
  plausibility  real NOT NULL,
  uniqueness    real NOT NULL,
  score         real,
  PRIMARY KEY (device_id, metric_id, bucket)
);
CREATE INDEX quality_day_worst ON quality_day (bucket, score, device_id, metric_id);

-- The valid range of a metric and the limits people set are remembered by whoever judges readings: it reads them again.
CREATE FUNCTION judged_by_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('fieldwatch.alert-rules', 0));
  UPDATE alert_epoch SET epoch = epoch + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER metric_range_anew AFTER UPDATE OF min, max ON metric FOR EACH ROW
  WHEN (OLD.min IS DISTINCT FROM NEW.min OR OLD.max IS DISTINCT FROM NEW.max) EXECUTE FUNCTION judged_by_anew();
CREATE TRIGGER quality_limit_anew AFTER INSERT OR UPDATE OR DELETE ON quality_limit FOR EACH STATEMENT EXECUTE FUNCTION judged_by_anew();
