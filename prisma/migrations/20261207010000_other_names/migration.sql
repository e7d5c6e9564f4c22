-- Breaking: no
-- Names that sites and types of devices had before they were renamed: what still names them so means the same one. No site or type has the name itself.
CREATE TABLE site_alias (
  name    text PRIMARY KEY,
  site_id integer NOT NULL REFERENCES site (id) ON DELETE CASCADE
);
CREATE TABLE device_type_alias (
  name    text PRIMARY KEY,
  type_id integer NOT NULL REFERENCES device_type (id) ON DELETE CASCADE
);

-- What a site, or a type, of any name is called now; a name of none stays as it is. Not inlined: ask by a subquery, which is answered once.
CREATE FUNCTION site_now(text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT s.name FROM site_alias a JOIN site s ON s.id = a.site_id WHERE a.name = $1), $1)
$$;
CREATE FUNCTION type_now(text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT t.name FROM device_type_alias a JOIN device_type t ON t.id = a.type_id WHERE a.name = $1), $1)
$$;

-- Whoever gives a device a type need not know whether there is one yet, or what it is called now.
CREATE OR REPLACE FUNCTION device_has_type() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.type IS NULL THEN
    NEW.stale_seconds := NULL;
  ELSE
    NEW.type := type_now(NEW.type);
    INSERT INTO device_type (name) SELECT NEW.type WHERE NOT EXISTS (SELECT FROM device_type WHERE name = NEW.type)
    ON CONFLICT (name) DO NOTHING;
    SELECT stale_seconds INTO NEW.stale_seconds FROM device_type WHERE name = NEW.type;
  END IF;
  RETURN NEW;
END $$;

-- Doors remember the names of sites for which their senders may speak.
CREATE TRIGGER site_renamed AFTER UPDATE OF name ON site FOR EACH ROW EXECUTE FUNCTION access_changed('catalog');
