-- What is done now and then, or on request: the jobs there are, and their runs. Workers write what jobs they know.
CREATE TABLE job (
  name     text PRIMARY KEY,
  title    text NOT NULL,
  about    text NOT NULL,
  -- Time between two runs; null: only when somebody asks for it.
  every_ms bigint,
  paused   boolean NOT NULL DEFAULT false,
  -- False once the configuration has it no more; its runs stay to be seen.
  known    boolean NOT NULL DEFAULT true,
  next_at  timestamptz(3)
);

-- Grows with every taking of a run: whoever holds an older one can't write for it any more.
CREATE SEQUENCE job_lease;

CREATE TABLE job_run (
  id            text PRIMARY KEY,
  job           text NOT NULL,
  -- Of the runs of one lane, one is unfinished at a time: the job's name, or the run's own id where many may be at work.
  lane          text NOT NULL,
  trigger       text NOT NULL CHECK (trigger IN ('schedule', 'request')),
  requested_by  text,
  scheduled_for timestamptz(3),
  params        json NOT NULL DEFAULT '{}',
  state         text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'stopped', 'failed')),
  stop_wanted   boolean NOT NULL DEFAULT false,
  done          bigint NOT NULL DEFAULT 0,
  -- Null: not known.
  total         bigint,
  -- Where to go on, in the job's own words.
  cursor        json,
  -- Failures in a row, without progress between.
  attempt       integer NOT NULL DEFAULT 0,
  not_before    timestamptz(3),
  lease_owner   text,
  lease_token   bigint,
  lease_until   timestamptz(3),
  created_at    timestamptz(3) NOT NULL DEFAULT now(),
  started_at    timestamptz(3),
  finished_at   timestamptz(3),
  -- Why it failed, or waits to be tried again.
  error         text
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX job_run_unfinished ON job_run (lane) WHERE state IN ('waiting', 'running');
CREATE UNIQUE INDEX job_run_scheduled ON job_run (job, scheduled_for);
CREATE INDEX job_run_newest ON job_run (job, created_at DESC);
CREATE INDEX job_run_finished ON job_run (finished_at);

-- Work on many dead letters is a job like the others. What ran goes on where it stood: its letters know the id.
INSERT INTO job_run (id, job, lane, trigger, params, state, done, total, cursor, created_at, started_at, finished_at, error)
SELECT id, 'dead-letters', id, 'request',
  json_build_object('action', action, 'filter', filter, 'until', (extract(epoch FROM until) * 1000)::bigint, 'perSecond', per_second),
  CASE status WHEN 'running' THEN 'waiting' ELSE status END, done + skipped, total, json_build_object('skipped', skipped),
  created_at, CASE WHEN status <> 'waiting' THEN created_at END, finished_at, error
FROM dead_letter_job;
DROP TABLE dead_letter_job;
