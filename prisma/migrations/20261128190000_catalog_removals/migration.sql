-- Grows when a metric or a device is taken out of the catalog, or another kind is set: whoever remembers an older catalog can't
-- commit by it.
CREATE TABLE catalog_epoch (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch    bigint NOT NULL DEFAULT 0
);
INSERT INTO catalog_epoch DEFAULT VALUES;

-- What was taken out of the catalog and has readings and rollups left; a job works through it in order.
CREATE TABLE catalog_removal (
  id         serial PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('metric', 'device')),
  -- The metric's or device's id as it was; no later one has it again.
  key        integer NOT NULL,
  name       text NOT NULL,
  -- The metric that takes the readings over; null: they are removed.
  into_key   integer,
  -- How far the job is: the step, and the device after which it goes on.
  step       text NOT NULL DEFAULT 'twins' CHECK (step IN ('twins', 'readings')),
  device     integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
