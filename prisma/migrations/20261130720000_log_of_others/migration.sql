-- How far each partition of the event log has come in partitions of other logs, whose records came into it by a source of Kafka: what comes
-- again after a crash of the process that reads them is left out. Moved in the transaction that moves the pipeline's position.
CREATE TABLE taken_from (
  cluster text NOT NULL,
  partition integer NOT NULL,
  source_id integer NOT NULL REFERENCES source (id) ON DELETE CASCADE,
  -- Topic and partition of the other log; deliveries kept whole have a lane of their own.
  lane text NOT NULL,
  -- Offsets are compared within a run alone: another topic of that name, group or mapping begins anew.
  run text NOT NULL,
  -- The latest record taken, and which of the messages made of it.
  "offset" bigint NOT NULL,
  place integer NOT NULL,
  -- Records that came again.
  repeats bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (cluster, partition, source_id, lane)
);
