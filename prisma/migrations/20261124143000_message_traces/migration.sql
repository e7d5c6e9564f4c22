-- The way of single messages that were sent to be followed: what the process that took the message saw, and what the worker
-- did with it. Best effort, outside of every other transaction; only the latest are kept.
CREATE TABLE message_trace (
  id         text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent       json,
  handled    json
);
CREATE INDEX message_trace_created_at ON message_trace (created_at);
