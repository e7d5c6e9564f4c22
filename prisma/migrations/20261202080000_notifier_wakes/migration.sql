-- Whoever tells of alerts is woken by what there is to tell, and by what changes who is told.
CREATE FUNCTION wake_notifier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('fieldwatch_notifier', '');
  RETURN NULL;
END $$;

CREATE TRIGGER alert_event_wakes AFTER INSERT ON alert_event FOR EACH STATEMENT EXECUTE FUNCTION wake_notifier();
CREATE TRIGGER channel_wakes AFTER INSERT OR DELETE OR UPDATE OF revision ON channel FOR EACH STATEMENT EXECUTE FUNCTION wake_notifier();
CREATE TRIGGER route_wakes AFTER INSERT OR DELETE OR UPDATE OF revision ON route FOR EACH STATEMENT EXECUTE FUNCTION wake_notifier();
CREATE TRIGGER silence_wakes AFTER INSERT OR DELETE OR UPDATE OF ends_at ON silence FOR EACH STATEMENT EXECUTE FUNCTION wake_notifier();
CREATE TRIGGER maintenance_wakes AFTER INSERT OR DELETE OR UPDATE OF revision ON maintenance FOR EACH STATEMENT EXECUTE FUNCTION wake_notifier();
