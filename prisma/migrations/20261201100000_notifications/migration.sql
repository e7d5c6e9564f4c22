-- Where people and programs are told of alerts. settings by the kind: server/domain/notifications/channel.ts.
CREATE TABLE channel (
  id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name           text NOT NULL UNIQUE,
  kind           text NOT NULL,
  settings       json NOT NULL,
  -- JSON of its secrets, encrypted with a key that the database doesn't hold. Never told.
  secret         text,
  enabled        boolean NOT NULL DEFAULT true,
  -- Where it is told when this one can't be used.
  fallback_id    integer REFERENCES channel (id) ON DELETE SET NULL,
  -- Messages it takes in an hour; what is more waits, and is told together.
  most_per_hour  integer NOT NULL DEFAULT 120 CHECK (most_per_hour > 0),
  -- Of its last attempts: since when none was taken, how many in a row, and why.
  failing_since  timestamptz(3),
  failures       integer NOT NULL DEFAULT 0,
  trouble        text,
  -- Nothing is sent before: the other side asked for it, or it is away.
  rests_until    timestamptz(3),
  told_at        timestamptz(3),
  last_ok_at     timestamptz(3),
  revision       integer NOT NULL DEFAULT 0,
  created_at     timestamptz(3) NOT NULL DEFAULT now(),
  updated_at     timestamptz(3) NOT NULL DEFAULT now()
);

-- Who is told of what: the first route in order whose matchers all hold takes an event.
CREATE TABLE route (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  place        integer NOT NULL,
  name         text NOT NULL UNIQUE,
  enabled      boolean NOT NULL DEFAULT true,
  matchers     json NOT NULL DEFAULT '[]',
  channels     integer[] NOT NULL,
  group_by     text[] NOT NULL,
  wait_ms      integer NOT NULL,
  interval_ms  integer NOT NULL,
  -- NULL: never again while nothing changes.
  repeat_ms    integer,
  resolved     boolean NOT NULL DEFAULT true,
  -- Episodes that were over before they were known.
  late         boolean NOT NULL DEFAULT true,
  -- When nobody acknowledges.
  escalate_ms  integer,
  escalate_to  integer[] NOT NULL DEFAULT '{}',
  revision     integer NOT NULL DEFAULT 0,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  updated_at   timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (place) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE silence (
  id                 integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  matchers           json NOT NULL,
  reason             text NOT NULL CHECK (reason <> ''),
  starts_at          timestamptz(3) NOT NULL,
  ends_at            timestamptz(3) NOT NULL,
  -- Ends by itself once nothing that it covers fires any more.
  until_resolved     boolean NOT NULL DEFAULT false,
  made_by            text NOT NULL,
  made_by_account    integer REFERENCES account (id) ON DELETE SET NULL,
  made_at            timestamptz(3) NOT NULL DEFAULT now(),
  ended_early        boolean NOT NULL DEFAULT false,
  CHECK (ends_at >= starts_at AND ends_at <= starts_at + interval '30 days')
);
CREATE INDEX silence_ends ON silence (ends_at);

-- Windows that come again: a cron expression in a zone, and how long each lasts.
CREATE TABLE maintenance (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  enabled     boolean NOT NULL DEFAULT true,
  matchers    json NOT NULL,
  cron        text NOT NULL,
  minutes     integer NOT NULL CHECK (minutes BETWEEN 1 AND 10080),
  zone        text NOT NULL,
  note        text,
  revision    integer NOT NULL DEFAULT 0,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  updated_at  timestamptz(3) NOT NULL DEFAULT now()
);

-- Alerts that are told together.
CREATE TABLE notification_group (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  route_id     integer NOT NULL REFERENCES route (id) ON DELETE CASCADE,
  key          text NOT NULL,
  -- When it is looked at next: news is due, or a repeat, or an escalation. NULL: not until something happens.
  next_at      timestamptz(3),
  last_told    timestamptz(3),
  -- Of the alerts that fire now and nobody has acknowledged: when it goes further, and whether it did.
  escalate_at  timestamptz(3),
  escalated    boolean NOT NULL DEFAULT false,
  UNIQUE (route_id, key)
);
CREATE INDEX notification_group_next ON notification_group (next_at) WHERE next_at IS NOT NULL;

-- What was told of each alert of a group, and what is to be.
CREATE TABLE group_alert (
  group_id  bigint NOT NULL REFERENCES notification_group (id) ON DELETE CASCADE,
  alert_id  bigint NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
  -- Something of it is to be told at the group's next turn.
  is_news   boolean NOT NULL DEFAULT false,
  -- Why it wasn't told: it is looked at again when that may be over.
  held      text CHECK (held IN ('silenced', 'maintenance', 'inhibited')),
  -- That it fires.
  told      boolean NOT NULL DEFAULT false,
  PRIMARY KEY (group_id, alert_id)
);
CREATE INDEX group_alert_alert ON group_alert (alert_id);
CREATE INDEX group_alert_held ON group_alert (group_id) WHERE held IS NOT NULL;

-- The outbox: one message for one channel, rendered once.
CREATE TABLE notification (
  id           uuid PRIMARY KEY,
  place        bigint GENERATED ALWAYS AS IDENTITY,
  -- NULL: about a channel.
  group_id     bigint REFERENCES notification_group (id) ON DELETE SET NULL,
  channel_id   integer NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  occasion     text NOT NULL,
  title        text NOT NULL,
  body         text NOT NULL,
  alert_ids    bigint[] NOT NULL,
  made_at      timestamptz(3) NOT NULL,
  status       text NOT NULL CHECK (status IN ('waiting', 'sending', 'sent', 'failed', 'given-up', 'replaced')),
  attempts     integer NOT NULL DEFAULT 0,
  next_at      timestamptz(3),
  lease_until  timestamptz(3),
  answer       text,
  sent_at      timestamptz(3),
  replaced_by  uuid
);
CREATE INDEX notification_open ON notification (channel_id, next_at, place) WHERE status IN ('waiting', 'sending');
CREATE INDEX notification_group_open ON notification (group_id) WHERE status IN ('waiting', 'sending');
CREATE INDEX notification_alerts ON notification USING gin (alert_ids);
CREATE INDEX notification_made ON notification (channel_id, made_at);
CREATE INDEX notification_age ON notification (made_at);

CREATE TABLE notification_attempt (
  notification_id  uuid NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
  number           integer NOT NULL,
  at               timestamptz(3) NOT NULL,
  -- NULL: the process ended before it knew.
  outcome          text CHECK (outcome IN ('sent', 'retry', 'failed')),
  status           integer,
  answer           text,
  took_ms          integer,
  PRIMARY KEY (notification_id, number)
);

-- What was decided about each event: why somebody was told, or nobody.
CREATE TABLE alert_verdict (
  event_id  bigint PRIMARY KEY REFERENCES alert_event (id) ON DELETE CASCADE,
  verdict   text NOT NULL CHECK (verdict IN ('told', 'grouped', 'rate-limited', 'silenced', 'maintenance', 'inhibited', 'acknowledged',
    'no-route', 'channel-off', 'kept')),
  route_id  integer REFERENCES route (id) ON DELETE SET NULL,
  group_id  bigint REFERENCES notification_group (id) ON DELETE SET NULL,
  -- The silence, the maintenance or the alert that is why.
  by_id     bigint,
  -- What that is called, should it be gone by then.
  by_name   text,
  at        timestamptz(3) NOT NULL
);
CREATE INDEX alert_verdict_waiting ON alert_verdict (group_id) WHERE verdict IN ('grouped', 'rate-limited');
CREATE INDEX alert_verdict_route ON alert_verdict (route_id);

-- Events that were judged and that the topic iot.alerts doesn't have yet.
CREATE TABLE alert_outbox (
  event_id  bigint PRIMARY KEY REFERENCES alert_event (id) ON DELETE CASCADE
);
