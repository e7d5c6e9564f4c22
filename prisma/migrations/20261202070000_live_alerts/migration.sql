-- Says at which sites alerts have changed (0: of none), so that whoever shows them asks only then. Once a site and transaction, and told when that is committed.
CREATE FUNCTION alerts_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('fieldwatch_alerts', site::text)
  FROM (SELECT DISTINCT coalesce(a.site_id, 0) AS site FROM made m JOIN alert a ON a.id = m.alert_id) of_sites;
  RETURN NULL;
END $$;
CREATE TRIGGER alerts_changed AFTER INSERT ON alert_event REFERENCING NEW TABLE AS made FOR EACH STATEMENT
  EXECUTE FUNCTION alerts_changed();

-- A channel took a message, or didn't: what was told has changed.
CREATE FUNCTION channel_tried() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('fieldwatch_alerts', '0');
  RETURN NULL;
END $$;
CREATE TRIGGER channel_tried AFTER UPDATE OF last_ok_at, failing_since ON channel FOR EACH ROW
  WHEN (OLD.last_ok_at IS DISTINCT FROM NEW.last_ok_at OR OLD.failing_since IS DISTINCT FROM NEW.failing_since)
  EXECUTE FUNCTION channel_tried();
