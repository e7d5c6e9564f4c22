-- What an alert is about that is no device, site or metric: the engine or the source, by its name. A rule about the pipeline watches each by itself.
ALTER TABLE alert ADD COLUMN subject text;
ALTER TABLE alert_state ADD COLUMN subject text NOT NULL DEFAULT '';
ALTER TABLE alert_state DROP CONSTRAINT alert_state_pkey, ADD PRIMARY KEY (device_id, rule_id, metric_id, site_id, subject);
