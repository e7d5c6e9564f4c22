-- Series with readings that no double holds as they were sent: the nearest is stored. time is the event time of the latest.
CREATE TABLE rounded_series (
  device_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id integer NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
  time      timestamptz(3) NOT NULL,
  PRIMARY KEY (device_id, metric_id)
);
