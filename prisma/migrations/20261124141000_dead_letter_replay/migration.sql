-- What was done about a dead letter, and what came of it.

ALTER TABLE dead_letter
  ADD COLUMN status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replaying', 'replayed', 'discarded')),
  ADD COLUMN replay_of   text COLLATE "C",
  ADD COLUMN replayed_as text COLLATE "C",
  ADD COLUMN replays     integer NOT NULL DEFAULT 0,
  -- Each an event as JSON; text, because JSON escapes what json columns refuse.
  ADD COLUMN history     text[] NOT NULL DEFAULT '{}',
  ADD COLUMN changed_at  timestamptz(3),
  -- The job that changed it last.
  ADD COLUMN job         text;

-- Serves lists by status, and all of a list's groups without a look at the table.
CREATE INDEX dead_letter_status_idx ON dead_letter (status, ingest_time DESC, id DESC, reason, device, field, replays);
CREATE INDEX dead_letter_job_idx ON dead_letter (job, status) WHERE job IS NOT NULL;

-- Work on many dead letters at once, done by a worker bit by bit.

CREATE TABLE dead_letter_job (
  id          text PRIMARY KEY,
  action      text NOT NULL CHECK (action IN ('replay', 'discard', 'restore')),
  -- { reason, device, field }
  filter      json NOT NULL,
  -- Only letters the log took by then: those that its own work makes are not among them.
  until       timestamptz(3) NOT NULL,
  per_second  integer NOT NULL,
  status      text NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'stopped', 'failed')),
  total       integer NOT NULL,
  done        integer NOT NULL DEFAULT 0,
  skipped     integer NOT NULL DEFAULT 0,
  created_at  timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at timestamptz(3),
  error       text
) WITH (fillfactor = 50);
CREATE INDEX dead_letter_job_unfinished_idx ON dead_letter_job (created_at) WHERE status IN ('waiting', 'running');
CREATE INDEX dead_letter_job_newest_idx ON dead_letter_job (created_at DESC);
