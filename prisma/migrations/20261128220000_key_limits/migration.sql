-- Keys of one site, the folder whose programs use a key, and what senders have named first.

-- Keys of devices may be bound to a site; programs have theirs by their grants.
ALTER TABLE access_key ADD CONSTRAINT access_key_site CHECK (site_id IS NULL OR kind <> 'service');
-- Host and data folder whose ingest.key this is: when the file is lost, the key goes with it.
ALTER TABLE access_key ADD COLUMN folder text;
CREATE UNIQUE INDEX access_key_folder ON access_key (folder) WHERE revoked_at IS NULL;

-- Devices and metrics that were in no catalog when a sender first named them, for an hour: each sender may name so many.
CREATE TABLE new_name (
  kind text NOT NULL CHECK (kind IN ('device', 'metric')),
  name text NOT NULL,
  -- The key's id, or the person who sent.
  sender text NOT NULL,
  at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, name)
);
CREATE INDEX new_name_sender ON new_name (sender, kind, at);
CREATE INDEX new_name_at ON new_name (at);

-- Web processes remember of which site devices are, and which devices and metrics there are.
CREATE TRIGGER device_moved AFTER UPDATE OF site_id, site_by_person ON device FOR EACH ROW
  WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id OR OLD.site_by_person <> NEW.site_by_person) EXECUTE FUNCTION access_changed('catalog');
CREATE TRIGGER device_gone AFTER DELETE ON device FOR EACH ROW EXECUTE FUNCTION access_changed('catalog');
CREATE TRIGGER metric_gone AFTER DELETE ON metric FOR EACH ROW EXECUTE FUNCTION access_changed('catalog');
