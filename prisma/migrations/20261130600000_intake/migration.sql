-- The role intake: what its doors tell of themselves, and what they have to remember.

-- One row a door: the MQTT listener, or the bridge or consumer of a source.
CREATE TABLE intake_door (
  process text NOT NULL,
  door text NOT NULL,
  -- NULL: the listener, which many share.
  source_id integer REFERENCES source (id) ON DELETE CASCADE,
  state json NOT NULL,
  at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (process, door)
);

-- Sparkplug: what a node or device said of its metrics at its birth. Data that comes later may name them by their aliases alone.
CREATE TABLE sparkplug_birth (
  source_id integer NOT NULL REFERENCES source (id) ON DELETE CASCADE,
  node text NOT NULL,
  birth json NOT NULL,
  at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (source_id, node)
);
