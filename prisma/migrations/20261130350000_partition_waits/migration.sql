-- Why the batch after a position failed, and since when it does. It counts as long as the position stands where it stood then.
ALTER TABLE pipeline_position
  ADD COLUMN wait_next   bigint,
  ADD COLUMN wait_reason text,
  ADD COLUMN wait_fix    text,
  ADD COLUMN wait_since  timestamptz;
