-- What rules selected a device by before: a row for each change, with what it was until then. NULL: it had none. part: site, type or label.
CREATE TABLE device_past (
  device_id  integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  part       text NOT NULL CHECK (part IN ('site', 'type', 'label')),
  -- The label's; empty for the others.
  key        text NOT NULL DEFAULT '',
  before     text,
  until      timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (device_id, part, key, until)
);

-- As long as alerts are kept.
CREATE FUNCTION keep_device_past(of_device integer, of_part text, of_key text, was text) RETURNS void LANGUAGE sql AS $$
  DELETE FROM device_past WHERE device_id = of_device AND until < now() - interval '400 days';
  -- Of several changes in one transaction the first says what it was.
  INSERT INTO device_past (device_id, part, key, before) SELECT id, of_part, of_key, was FROM device WHERE id = of_device
  ON CONFLICT DO NOTHING;
$$;

CREATE FUNCTION device_has_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.site_id IS DISTINCT FROM NEW.site_id THEN
    PERFORM keep_device_past(NEW.id, 'site', '', (SELECT name FROM site WHERE id = OLD.site_id));
  END IF;
  IF OLD.type IS DISTINCT FROM NEW.type THEN
    PERFORM keep_device_past(NEW.id, 'type', '', OLD.type);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER device_has_past AFTER UPDATE OF site_id, type ON device FOR EACH ROW
  WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id OR OLD.type IS DISTINCT FROM NEW.type)
  EXECUTE FUNCTION device_has_past();

CREATE FUNCTION label_has_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM keep_device_past(NEW.device_id, 'label', NEW.key, NULL);
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM keep_device_past(OLD.device_id, 'label', OLD.key, OLD.value);
  ELSIF OLD.key <> NEW.key THEN
    PERFORM keep_device_past(OLD.device_id, 'label', OLD.key, OLD.value);
    PERFORM keep_device_past(NEW.device_id, 'label', NEW.key, NULL);
  ELSIF OLD.value <> NEW.value THEN
    PERFORM keep_device_past(OLD.device_id, 'label', OLD.key, OLD.value);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER label_has_past AFTER INSERT OR UPDATE OF key, value OR DELETE ON device_label FOR EACH ROW
  EXECUTE FUNCTION label_has_past();
