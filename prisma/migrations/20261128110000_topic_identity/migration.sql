-- Which topic a position belongs to: null for positions from before, which adopt the id at first sight, and where the log
-- has none. The term of the partition's leadership in which the last message before it was written; null when not known.
-- What happened last to the log under the position, when, and how many offsets it cost; null: nothing ever did.
ALTER TABLE pipeline_position
  ADD COLUMN topic_id text,
  ADD COLUMN term integer,
  ADD COLUMN break text CHECK (break IN ('recreated', 'lostTail', 'expired')),
  ADD COLUMN break_time timestamptz,
  ADD COLUMN break_offsets bigint;
