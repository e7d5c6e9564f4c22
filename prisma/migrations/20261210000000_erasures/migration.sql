-- Breaking: no
-- Erasures of devices: docs/decisions/085-erasure.md. Each begins with the removal of a device and goes on, once that is done, over every store.
CREATE TABLE erasure (
  id           serial PRIMARY KEY,
  -- The device's id as it was; no later one has it again.
  key          integer NOT NULL,
  -- Gone once the proof found nothing.
  name         text,
  -- SHA-256 of the salt below and the name: by it messages that still come are known, and dropped.
  name_hash    bytea NOT NULL,
  -- Readings taken out.
  readings     bigint NOT NULL DEFAULT 0,
  -- The store that is worked on next.
  place        integer NOT NULL DEFAULT 0,
  -- [{ store, erased, left }], left null until the first look.
  stores       jsonb NOT NULL DEFAULT '[]',
  -- Files of cold storage that had rows of it.
  cold_files   integer[] NOT NULL DEFAULT '{}',
  -- [{ what, until, why }], until null where nobody can say.
  remains      jsonb NOT NULL DEFAULT '[]',
  looks        integer NOT NULL DEFAULT 0,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  looked_at    timestamptz(3),
  finished_at  timestamptz(3),
  -- Messages under its name that came since.
  dropped      bigint NOT NULL DEFAULT 0,
  dropped_at   timestamptz(3),
  -- From then on they are taken again.
  allowed_at   timestamptz(3)
);

CREATE TABLE erasure_salt (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  salt     bytea NOT NULL
);
INSERT INTO erasure_salt (salt) VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
