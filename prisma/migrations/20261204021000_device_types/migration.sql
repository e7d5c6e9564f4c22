-- What devices are, by the names that devices say or people give: a renamed type is the same one. stale_seconds: the age at which its devices are
-- stale, silent at ten times as much; NULL: as any device.
CREATE TABLE device_type (
  id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name          text NOT NULL UNIQUE,
  stale_seconds integer CHECK (stale_seconds BETWEEN 1 AND 2678400),
  first_seen    timestamptz(3) NOT NULL DEFAULT now()
);
INSERT INTO device_type (name) SELECT DISTINCT type FROM device WHERE type IS NOT NULL ORDER BY type;

-- Its type's.
ALTER TABLE device ADD COLUMN stale_seconds integer;

-- Whoever gives a device a type need not know whether there is one yet.
CREATE FUNCTION device_has_type() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.type IS NULL THEN
    NEW.stale_seconds := NULL;
  ELSE
    INSERT INTO device_type (name) SELECT NEW.type WHERE NOT EXISTS (SELECT FROM device_type WHERE name = NEW.type)
    ON CONFLICT (name) DO NOTHING;
    SELECT stale_seconds INTO NEW.stale_seconds FROM device_type WHERE name = NEW.type;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER device_has_type BEFORE INSERT OR UPDATE OF type ON device FOR EACH ROW EXECUTE FUNCTION device_has_type();
ALTER TABLE device ADD CONSTRAINT device_type_known FOREIGN KEY (type) REFERENCES device_type (name) ON UPDATE CASCADE;
CREATE INDEX device_of_type ON device (type);
