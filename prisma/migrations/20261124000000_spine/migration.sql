-- The catalog (Prisma's models).

CREATE TABLE site (
  id   serial PRIMARY KEY,
  name text NOT NULL
);
CREATE UNIQUE INDEX site_name_key ON site (name);

CREATE TABLE device (
  id              serial PRIMARY KEY,
  name            text NOT NULL,
  site_id         integer REFERENCES site (id) ON UPDATE CASCADE ON DELETE SET NULL,
  type            text,
  first_seen      timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_seen       timestamptz(3),
  last_event_time timestamptz(3),
  messages        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX device_name_key ON device (name);
CREATE INDEX device_last_seen_id_idx ON device (last_seen DESC, id);
CREATE INDEX device_site_id_idx ON device (site_id);

CREATE TABLE metric (
  id         serial PRIMARY KEY,
  name       text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('number', 'boolean')),
  unit       text,
  min        double precision,
  max        double precision,
  first_seen timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX metric_name_key ON metric (name);

-- Readings: one row a device and event time, its metrics and their values side by side (docs/decisions/003).
-- Booleans are 0 and 1. Partitions are months of event time, made as needed; sample_other takes the months past the bound.

CREATE TABLE sample (
  device_id integer NOT NULL,
  time      timestamptz NOT NULL,
  metrics   integer[] NOT NULL,
  values    double precision[] NOT NULL,
  PRIMARY KEY (device_id, time)
) PARTITION BY RANGE (time);
CREATE TABLE sample_other PARTITION OF sample DEFAULT;

-- Rollups: one row a device and bucket; element i of every array belongs to metrics[i]. *_at are milliseconds into the bucket.

CREATE TABLE rollup_minute (
  device_id integer NOT NULL,
  bucket    timestamptz NOT NULL,
  metrics   integer[] NOT NULL,
  counts    integer[] NOT NULL,
  sums      double precision[] NOT NULL,
  mins      double precision[] NOT NULL,
  maxs      double precision[] NOT NULL,
  firsts    double precision[] NOT NULL,
  first_at  integer[] NOT NULL,
  lasts     double precision[] NOT NULL,
  last_at   integer[] NOT NULL,
  PRIMARY KEY (device_id, bucket)
) PARTITION BY RANGE (bucket);
CREATE TABLE rollup_minute_other PARTITION OF rollup_minute DEFAULT WITH (fillfactor = 80);

CREATE TABLE rollup_hour (
  device_id integer NOT NULL,
  bucket    timestamptz NOT NULL,
  metrics   integer[] NOT NULL,
  counts    integer[] NOT NULL,
  sums      double precision[] NOT NULL,
  mins      double precision[] NOT NULL,
  maxs      double precision[] NOT NULL,
  firsts    double precision[] NOT NULL,
  first_at  integer[] NOT NULL,
  lasts     double precision[] NOT NULL,
  last_at   integer[] NOT NULL,
  PRIMARY KEY (device_id, bucket)
) WITH (fillfactor = 80);

-- For people who write SQL: plain rows, whatever the layout beneath.

CREATE VIEW reading AS
SELECT d.name AS device, s.name AS site, m.name AS metric, m.unit, p.time, v.value
FROM sample p
JOIN device d ON d.id = p.device_id
LEFT JOIN site s ON s.id = d.site_id
CROSS JOIN LATERAL unnest(p.metrics, p.values) AS v (metric_id, value)
JOIN metric m ON m.id = v.metric_id;

CREATE VIEW reading_minute AS
SELECT d.name AS device, m.name AS metric, m.unit, r.bucket, v.count, v.sum, v.min, v.max, v.first, v.last
FROM rollup_minute r
JOIN device d ON d.id = r.device_id
CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts)
  AS v (metric_id, count, sum, min, max, first, last)
JOIN metric m ON m.id = v.metric_id;

CREATE VIEW reading_hour AS
SELECT d.name AS device, m.name AS metric, m.unit, r.bucket, v.count, v.sum, v.min, v.max, v.first, v.last
FROM rollup_hour r
JOIN device d ON d.id = r.device_id
CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts)
  AS v (metric_id, count, sum, min, max, first, last)
JOIN metric m ON m.id = v.metric_id;

-- Where the pipeline stands in a log, with the exact totals of all it has handled; both change in one row, in the
-- transaction that writes the readings.

CREATE TABLE pipeline_position (
  cluster      text NOT NULL,
  topic        text NOT NULL,
  epoch        integer NOT NULL,
  partition    integer NOT NULL,
  next         bigint NOT NULL,
  messages     bigint NOT NULL DEFAULT 0,
  readings     bigint NOT NULL DEFAULT 0,
  duplicates   bigint NOT NULL DEFAULT 0,
  dead_letters bigint NOT NULL DEFAULT 0,
  -- Offsets the log had already dropped by retention before they were read.
  skipped      bigint NOT NULL DEFAULT 0,
  updated_at   timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (cluster, topic, epoch, partition)
) WITH (fillfactor = 50);

-- What was handled in each 5 seconds of processed time, for rates. Kept for a day.
CREATE TABLE pipeline_rate (
  bucket       timestamptz NOT NULL,
  cluster      text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  messages     integer NOT NULL,
  readings     integer NOT NULL,
  duplicates   integer NOT NULL,
  dead_letters integer NOT NULL,
  -- Ingest to commit, in milliseconds: latencies[i] messages took less than 2^i ms (and at least 2^(i-1)).
  latencies    integer[] NOT NULL,
  PRIMARY KEY (bucket, cluster, topic, partition)
) WITH (fillfactor = 70);

-- The event log on PostgreSQL: rows are batches of records, as they were appended (docs/decisions/002).

CREATE TABLE log_cluster (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id       text NOT NULL
);
INSERT INTO log_cluster (id) VALUES ('pg-' || substr(md5(gen_random_uuid()::text), 1, 12));

CREATE TABLE log_topic (
  id           serial PRIMARY KEY,
  name         text NOT NULL UNIQUE,
  retention_ms bigint NOT NULL,
  durable      boolean NOT NULL
);

CREATE TABLE log_partition (
  topic_id     integer NOT NULL REFERENCES log_topic (id) ON DELETE CASCADE,
  partition    integer NOT NULL,
  start_offset bigint NOT NULL DEFAULT 0,
  end_offset   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic_id, partition)
) WITH (fillfactor = 50);

CREATE TABLE log_batch (
  topic_id    integer NOT NULL,
  partition   integer NOT NULL,
  -- Offset of the last record; the first is last_offset - records + 1.
  last_offset bigint NOT NULL,
  -- At most 1000: fetching counts on it.
  records     integer NOT NULL,
  ingest_time timestamptz NOT NULL,
  payload     bytea NOT NULL,
  PRIMARY KEY (topic_id, partition, last_offset),
  FOREIGN KEY (topic_id, partition) REFERENCES log_partition ON DELETE CASCADE
);

CREATE TABLE log_commit (
  topic_id    integer NOT NULL REFERENCES log_topic (id) ON DELETE CASCADE,
  partition   integer NOT NULL,
  group_name  text NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (topic_id, partition, group_name)
) WITH (fillfactor = 50);

-- Documents. json rather than jsonb: it keeps the text exactly as received, escaped NULs and odd surrogates included.

CREATE TABLE message_archive (
  log            text NOT NULL,
  partition      integer NOT NULL,
  "offset"       bigint NOT NULL,
  device         text NOT NULL,
  event_time     timestamptz(3) NOT NULL,
  ingest_time    timestamptz(3) NOT NULL,
  processed_time timestamptz(3) NOT NULL,
  body           json NOT NULL,
  PRIMARY KEY (log, partition, "offset")
);
CREATE INDEX message_archive_device_idx ON message_archive (device, ingest_time DESC, partition DESC, "offset" DESC);
CREATE INDEX message_archive_ingest_time_idx ON message_archive USING brin (ingest_time);

CREATE TABLE device_twin (
  device     text PRIMARY KEY,
  event_time timestamptz(3) NOT NULL,
  -- { metric: [value, event time in epoch milliseconds] }
  state      json NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE dead_letter (
  id             text COLLATE "C" PRIMARY KEY,
  log            text NOT NULL,
  partition      integer NOT NULL,
  "offset"       bigint NOT NULL,
  reason         text NOT NULL,
  detail         text NOT NULL,
  device         text,
  field          text,
  ingest_time    timestamptz(3) NOT NULL,
  processed_time timestamptz(3) NOT NULL,
  raw            bytea NOT NULL
);
CREATE INDEX dead_letter_ingest_time_idx ON dead_letter (ingest_time DESC, id DESC);
CREATE INDEX dead_letter_reason_idx ON dead_letter (reason, ingest_time DESC, id DESC);
CREATE INDEX dead_letter_device_idx ON dead_letter (device, ingest_time DESC, id DESC);
