-- By this key web and workers sign what they say beside messages in the event log, and know each other's words from a stranger's.
CREATE TABLE log_key (
  one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  key bytea NOT NULL,
  -- What the log took before this moment may be of the version before, which didn't sign. NULL: there was none.
  unsigned_before timestamptz(3)
);
-- Two random UUIDs have 244 random bits. Processes of before may still write for a moment.
INSERT INTO log_key (key, unsigned_before) SELECT
  sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
  CASE WHEN EXISTS (SELECT FROM pipeline_position) THEN now() + interval '10 minutes' END;
