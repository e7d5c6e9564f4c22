-- What happened and is remembered, one row each: docs/decisions/062-events.md. Names stay when what they name is removed; the numbers
-- have no foreign key, so that neither removing a device nor writing thousands of rows looks at the other table.
CREATE TABLE event (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind         text NOT NULL CHECK (kind IN ('silence', 'probe', 'process', 'lag', 'deployment', 'note')),
  -- What it is about, within its kind: a device's number, a probe's name, a role.
  key          text NOT NULL,
  device_id    integer,
  device_name  text,
  site_id      integer,
  site_name    text,
  severity     text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  started_at   timestamptz(3) NOT NULL,
  -- NULL: it goes on.
  ended_at     timestamptz(3),
  -- What its sentence is made of.
  data         jsonb NOT NULL DEFAULT '{}',
  CHECK (ended_at >= started_at)
);
-- One open stretch of a thing, however many processes see it begin.
CREATE UNIQUE INDEX event_open ON event (kind, key) WHERE ended_at IS NULL;
CREATE INDEX event_started ON event (started_at DESC, id DESC);
CREATE INDEX event_device ON event (device_id, started_at DESC) WHERE device_id IS NOT NULL;

-- The most that waited in each minute.
CREATE TABLE lag_minute (
  minute       timestamptz(3) PRIMARY KEY,
  lag_seconds  float8 NOT NULL,
  lag          bigint NOT NULL
);
