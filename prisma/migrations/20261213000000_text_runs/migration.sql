-- Breaking: no
-- What devices said in words, as runs: from the first to the last of messages one after the other that said the same. docs/decisions/095-history-of-texts.md
CREATE TABLE text_run (
  device_id    integer NOT NULL,
  field        text NOT NULL,
  -- Event times.
  from_time    timestamptz(3) NOT NULL,
  to_time      timestamptz(3) NOT NULL,
  -- As storableText() of server/postgres/text.ts writes it. Null: it changed too often to be kept.
  value        text,
  -- The longest time between two of its messages, next to each other, that is known; null: none is.
  quiet_after  timestamptz(3),
  quiet_before timestamptz(3),
  PRIMARY KEY (device_id, field, from_time),
  CHECK (from_time <= to_time)
) WITH (fillfactor = 80);
