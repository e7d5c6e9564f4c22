-- Breaking: no
-- Events of OpenLineage that wait for their receiver, in the order they are sent in.
CREATE TABLE lineage_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event json NOT NULL,
  made_at timestamptz(3) NOT NULL DEFAULT now()
);

-- What of the stream has been told, and what became of the events.
CREATE TABLE lineage_state (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  told_until timestamptz(3),
  -- The totals until then: messages, readings and dead letters, and what each source sent.
  told json NOT NULL DEFAULT '{}',
  sent bigint NOT NULL DEFAULT 0,
  -- Let go, as more waited than may.
  dropped bigint NOT NULL DEFAULT 0,
  -- Not taken by the receiver, which said that they are wrong.
  refused bigint NOT NULL DEFAULT 0,
  last_sent timestamptz(3),
  -- Why events wait; null: they don't.
  trouble text
);
INSERT INTO lineage_state DEFAULT VALUES;
