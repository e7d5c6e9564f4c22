-- What is to be told of, and when. spec: server/domain/alerts/rule.ts.
CREATE TABLE alert_rule (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text NOT NULL UNIQUE,
  enabled      boolean NOT NULL DEFAULT true,
  -- Grows with each change of what it decides: the spec, and whether it is enabled.
  version      integer NOT NULL DEFAULT 1,
  spec         jsonb NOT NULL,
  note         text,
  runbook      text,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  created_by   text NOT NULL,
  updated_at   timestamptz(3) NOT NULL DEFAULT now(),
  updated_by   text NOT NULL,
  -- The version by which the history has been judged, and the device after which the job that does so goes on.
  seeded       integer NOT NULL DEFAULT 0,
  seed_cursor  integer NOT NULL DEFAULT 0
);

-- Each version of each rule, of removed ones too: an alert names the one that decided it.
CREATE TABLE alert_rule_version (
  rule_id  integer NOT NULL,
  version  integer NOT NULL,
  name     text NOT NULL,
  spec     jsonb NOT NULL,
  enabled  boolean NOT NULL,
  at       timestamptz(3) NOT NULL DEFAULT now(),
  by       text NOT NULL,
  PRIMARY KEY (rule_id, version)
);

-- Grows with each change of rules, and of what selects devices for them: whoever remembers older ones can't judge by them.
CREATE TABLE alert_epoch (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch    bigint NOT NULL DEFAULT 0
);
INSERT INTO alert_epoch DEFAULT VALUES;

-- Where rules stand for what they watch, unless that is normal, which has no row. 0: none. A device that was removed has rows until that is told.
CREATE TABLE alert_state (
  device_id  integer NOT NULL DEFAULT 0,
  rule_id    integer NOT NULL,
  metric_id  integer NOT NULL DEFAULT 0,
  site_id    integer NOT NULL DEFAULT 0,
  -- server/domain/alerts/step.ts
  state      jsonb NOT NULL,
  -- Event time at which something is decided without another reading; NULL: nothing is.
  due_at     timestamptz(3),
  version    integer NOT NULL,
  PRIMARY KEY (device_id, rule_id, metric_id, site_id)
);
CREATE INDEX alert_state_due ON alert_state (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_state_rule ON alert_state (rule_id);

CREATE TABLE alert (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rule_id            integer NOT NULL,
  rule_version       integer NOT NULL,
  -- NULL: it is of no device, site or metric, or of one that was removed; the names stay.
  device_id          integer REFERENCES device (id) ON DELETE SET NULL,
  site_id            integer REFERENCES site (id) ON DELETE SET NULL,
  metric_id          integer REFERENCES metric (id) ON DELETE SET NULL,
  device_name        text,
  site_name          text,
  metric_name        text,
  severity           text NOT NULL CHECK (severity IN ('warning', 'critical')),
  state              text NOT NULL CHECK (state IN ('firing', 'recovering', 'resolved', 'closed')),
  -- Event times: since when it was true, when that had lasted long enough, when it was over.
  started_at         timestamptz(3) NOT NULL,
  fired_at           timestamptz(3) NOT NULL,
  ended_at           timestamptz(3),
  -- Processed time.
  decided_at         timestamptz(3) NOT NULL DEFAULT now(),
  first_value        float8,
  worst_value        float8,
  worst_at           timestamptz(3),
  last_value         float8,
  closed_reason      text,
  -- Found by judging a stretch again to which readings came late.
  late               boolean NOT NULL DEFAULT false,
  -- The alert of the whole site that it is one of.
  parent_id          bigint REFERENCES alert (id) ON DELETE SET NULL,
  flaps              integer NOT NULL DEFAULT 0,
  flapping           boolean NOT NULL DEFAULT false,
  no_data_since      timestamptz(3),
  acknowledged_at    timestamptz(3),
  acknowledged_by    text,
  acknowledged_until timestamptz(3),
  acknowledged_note  text
);
CREATE INDEX alert_open ON alert (id) WHERE ended_at IS NULL;
CREATE INDEX alert_started ON alert (started_at DESC, id DESC);
CREATE INDEX alert_device ON alert (device_id, started_at DESC);
CREATE INDEX alert_rule_started ON alert (rule_id, started_at DESC);
CREATE INDEX alert_site ON alert (site_id);
CREATE INDEX alert_metric ON alert (metric_id);
CREATE INDEX alert_parent ON alert (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE alert_event (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert_id    bigint NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind IN ('fired', 'severity', 'recovering', 'resolved', 'flapping', 'steady', 'stale', 'closed',
    'acknowledged', 'unacknowledged', 'note', 'rule-changed', 'child')),
  severity    text NOT NULL CHECK (severity IN ('warning', 'critical')),
  -- Event time.
  at          timestamptz(3) NOT NULL,
  decided_at  timestamptz(3) NOT NULL DEFAULT now(),
  value       float8,
  detail      jsonb NOT NULL DEFAULT '{}',
  -- When it was decided whom to tell of it. Whoever does so takes what is NULL, never a cursor: ids aren't committed in their order.
  handled_at  timestamptz(3)
);
CREATE INDEX alert_event_alert ON alert_event (alert_id, id);
CREATE INDEX alert_event_open ON alert_event (id) WHERE handled_at IS NULL;

-- Stretches of event time of series to which readings came after they were judged.
CREATE TABLE alert_recheck (
  device_id  integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id  integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  from_time  timestamptz(3) NOT NULL,
  to_time    timestamptz(3) NOT NULL,
  added_at   timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (device_id, metric_id)
);
CREATE INDEX alert_recheck_added ON alert_recheck (added_at);
CREATE INDEX alert_recheck_metric ON alert_recheck (metric_id);

-- judged grows with each transaction that judges readings of a device: what a process remembers of it holds as long as this is what it left.
-- The rest: how long messages of a device are apart, learned at each commit.
ALTER TABLE device
  ADD COLUMN judged     bigint NOT NULL DEFAULT 0,
  ADD COLUMN gaps       integer NOT NULL DEFAULT 0,
  ADD COLUMN gap_median real,
  ADD COLUMN gap_p99    real;

-- Ingest time up to which the partition's messages were handled; moves on while there are none.
ALTER TABLE pipeline_position ADD COLUMN ingest_watermark timestamptz(3);

-- Stretches in which messages were taken, by process: outside of them no device's silence counts.
CREATE TABLE telemetry_open (
  process  text NOT NULL,
  since    timestamptz(3) NOT NULL,
  until    timestamptz(3) NOT NULL,
  PRIMARY KEY (process, since)
);
CREATE INDEX telemetry_open_until ON telemetry_open (until);

-- What selects a device for rules has changed: what is remembered of it doesn't hold any more.
CREATE FUNCTION device_selected_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.judged := OLD.judged + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER device_selected_anew BEFORE UPDATE OF site_id, type ON device FOR EACH ROW
  WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id OR OLD.type IS DISTINCT FROM NEW.type)
  EXECUTE FUNCTION device_selected_anew();

CREATE FUNCTION device_labelled_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE device SET judged = judged + 1 WHERE id = coalesce(NEW.device_id, OLD.device_id);
  RETURN NULL;
END $$;
CREATE TRIGGER device_labelled_anew AFTER INSERT OR UPDATE OF key, value OR DELETE ON device_label FOR EACH ROW
  EXECUTE FUNCTION device_labelled_anew();
