-- How long each kind of readings is kept, in days of event time; NULL: for ever. A kind without a row goes by READINGS_RETENTION_DAYS, as
-- both kinds of rollups and the readings themselves did until now.
CREATE TABLE retention_rule (
  keeps      text PRIMARY KEY CHECK (keeps IN ('raw', 'minutes', 'hours')),
  days       integer CHECK (days BETWEEN 1 AND 36500),
  changed_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Everything of the kind before this was removed: what comes late for it is too old, however long things are kept from now on.
CREATE TABLE retention_edge (
  keeps       text PRIMARY KEY CHECK (keeps IN ('raw', 'minutes', 'hours')),
  gone_before timestamptz NOT NULL
);
