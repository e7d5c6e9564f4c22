-- What the detector of odd behaviour knows of a device's series, as of a while ago: the steps after `until` make the rest. A cache: server/oddness/states.ts.
CREATE TABLE odd_state (
  device_id  integer PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
  layout     smallint NOT NULL,
  -- Grows when what a worker remembers of the device doesn't hold any more.
  version    integer NOT NULL DEFAULT 1,
  until      timestamptz(3) NOT NULL,
  -- Known since, and steps so far, by the series that knows most: when the first oddness is possible.
  since      timestamptz(3),
  steps      integer NOT NULL DEFAULT 0,
  -- NULL: it is to be made again from the readings, and from what people said.
  state      bytea
);

-- Stretches of event time in which a series was farther from its usual than before. The numbers are of its oddest step.
CREATE TABLE odd_stretch (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device_id    integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id    integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  from_time    timestamptz(3) NOT NULL,
  -- End of its last odd step.
  to_time      timestamptz(3) NOT NULL,
  -- True while its last step is odd.
  goes_on      boolean NOT NULL,
  -- Of its last step.
  score        real NOT NULL,
  peak         real NOT NULL,
  peak_at      timestamptz(3) NOT NULL,
  channel      text NOT NULL,
  now_value    float8 NOT NULL,
  usual        float8 NOT NULL,
  farthest     float8 NOT NULL,
  known_since  timestamptz(3) NOT NULL,
  -- Its steps, by their end in seconds after from_time.
  step_ends    integer[] NOT NULL,
  step_scores  real[] NOT NULL,
  -- How many of them alert rules have seen.
  judged_steps integer NOT NULL DEFAULT 0,
  said         text CHECK (said IN ('normal', 'real')),
  said_by      text,
  said_at      timestamptz(3),
  UNIQUE (device_id, metric_id, from_time)
);
CREATE INDEX odd_stretch_time ON odd_stretch (to_time);
CREATE INDEX odd_stretch_metric ON odd_stretch (metric_id);
CREATE INDEX odd_stretch_now ON odd_stretch (score) WHERE goes_on;
CREATE INDEX odd_stretch_open ON odd_stretch (id) WHERE judged_steps < cardinality(step_ends);
CREATE INDEX odd_stretch_said ON odd_stretch (device_id) WHERE said IS NOT NULL;
