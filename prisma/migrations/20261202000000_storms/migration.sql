-- Alerts of no device: whoever tells of others asks for those of sites.
CREATE INDEX alert_of_no_device ON alert (id) WHERE device_name IS NULL;

-- Devices that said goodbye, which are silent at once.
CREATE INDEX device_gone ON device (id) WHERE gone_at IS NOT NULL;
