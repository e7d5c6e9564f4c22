-- Batches of the event log that can't be read: each stops its partition until the position is past it. Those that were skipped
-- by a person stay, as the note of what was lost.
CREATE TABLE unreadable_batch (
  cluster     text NOT NULL,
  topic       text NOT NULL,
  epoch       int NOT NULL,
  partition   int NOT NULL,
  -- Where the position stood: a skip moves it from here.
  next        bigint NOT NULL,
  from_offset bigint NOT NULL,
  to_offset   bigint NOT NULL,
  records     int NOT NULL,
  reason      text NOT NULL,
  codec       text,
  detail      text NOT NULL,
  since       timestamptz NOT NULL DEFAULT now(),
  seen_at     timestamptz NOT NULL DEFAULT now(),
  skipped_at  timestamptz,
  skipped_by  text,
  PRIMARY KEY (cluster, topic, epoch, partition, from_offset)
);
