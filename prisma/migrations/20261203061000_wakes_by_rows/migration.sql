-- Statements that change no row wake nobody.
CREATE FUNCTION wake_notifier_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM added) THEN PERFORM pg_notify('fieldwatch_notifier', ''); END IF;
  RETURN NULL;
END $$;

DROP TRIGGER alert_event_wakes ON alert_event;
CREATE TRIGGER alert_event_wakes AFTER INSERT ON alert_event REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION wake_notifier_of_events();
DROP TRIGGER channel_wakes ON channel;
CREATE TRIGGER channel_wakes AFTER INSERT OR DELETE OR UPDATE OF revision ON channel FOR EACH ROW EXECUTE FUNCTION wake_notifier();
DROP TRIGGER route_wakes ON route;
CREATE TRIGGER route_wakes AFTER INSERT OR DELETE OR UPDATE OF revision ON route FOR EACH ROW EXECUTE FUNCTION wake_notifier();
DROP TRIGGER silence_wakes ON silence;
CREATE TRIGGER silence_wakes AFTER INSERT OR DELETE OR UPDATE OF ends_at ON silence FOR EACH ROW EXECUTE FUNCTION wake_notifier();
DROP TRIGGER maintenance_wakes ON maintenance;
CREATE TRIGGER maintenance_wakes AFTER INSERT OR DELETE OR UPDATE OF revision ON maintenance FOR EACH ROW EXECUTE FUNCTION wake_notifier();
