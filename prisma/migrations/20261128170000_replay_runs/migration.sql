-- What the pipeline made of each replay: counted in the transaction that stores a batch, by partition, so that no two workers
-- write the same row.
CREATE TABLE replay_run (
  run        text        NOT NULL,
  partition  integer     NOT NULL,
  messages   bigint      NOT NULL,
  faulty     bigint      NOT NULL,
  readings   bigint      NOT NULL,
  repeats    bigint      NOT NULL,
  conflicts  bigint      NOT NULL,
  texts      bigint      NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (run, partition)
);
CREATE INDEX replay_run_updated_at ON replay_run (updated_at);

CREATE TABLE replay_refused (
  run       text    NOT NULL,
  partition integer NOT NULL,
  reason    text    NOT NULL,
  count     bigint  NOT NULL,
  example   text    NOT NULL,
  PRIMARY KEY (run, partition, reason),
  FOREIGN KEY (run, partition) REFERENCES replay_run ON DELETE CASCADE
);
