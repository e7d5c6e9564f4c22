-- New readings whose event time is before the latest their device had when they came; exact, like the totals beside them.
ALTER TABLE pipeline_position ADD COLUMN late bigint NOT NULL DEFAULT 0;
ALTER TABLE pipeline_rate ADD COLUMN late integer NOT NULL DEFAULT 0;

-- Dead letters by reason in each 5 seconds of processed time, written with the readings. Kept for a day.
CREATE TABLE pipeline_refused (
  bucket    timestamptz NOT NULL,
  cluster   text NOT NULL,
  topic     text NOT NULL,
  partition integer NOT NULL,
  reason    text NOT NULL,
  letters   integer NOT NULL,
  PRIMARY KEY (bucket, cluster, topic, partition, reason)
);

-- How long each stage of a worker took in each 5 seconds; best effort, outside of the readings' transaction. Kept for a day.
CREATE TABLE pipeline_stage (
  bucket     timestamptz NOT NULL,
  worker     text NOT NULL,
  stage      text NOT NULL,
  runs       integer NOT NULL,
  messages   bigint NOT NULL,
  bytes      bigint NOT NULL,
  -- Of all runs together; message_ms counts a run once for each of its messages.
  run_ms     double precision NOT NULL,
  message_ms double precision NOT NULL,
  max_ms     double precision NOT NULL,
  -- durations[i] runs took less than 2^(i-1) sixteenths of a millisecond, and no less than half of that.
  durations  integer[] NOT NULL,
  PRIMARY KEY (bucket, worker, stage)
);

-- What the telemetry route did in each 5 seconds; best effort. kind: accepted and rejected count messages, request counts
-- requests refused whole; name is the reason or the problem. Kept for a day, in the row of -infinity for ever.
CREATE TABLE route_rate (
  bucket timestamptz NOT NULL,
  kind   text NOT NULL CHECK (kind IN ('accepted', 'rejected', 'request')),
  name   text NOT NULL DEFAULT '',
  count  bigint NOT NULL,
  PRIMARY KEY (bucket, kind, name)
) WITH (fillfactor = 70);
