-- Breaking: no
-- The least severe lines that every process writes, while somebody has set it: null is what each was started with.
CREATE TABLE log_level (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  level text CHECK (level IN ('trace', 'debug', 'info', 'warn', 'error', 'fatal')),
  until timestamptz,
  changed_at timestamptz
);
INSERT INTO log_level DEFAULT VALUES;
