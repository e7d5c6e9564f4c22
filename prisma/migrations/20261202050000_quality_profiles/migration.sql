-- What is usual of a series by its last four weeks: server/domain/quality/profile.ts. One that moves one way only has none. Learned once a day.
CREATE TABLE series_profile (
  device_id   integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  metric_id   integer NOT NULL,
  profile     json NOT NULL,
  updated_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (device_id, metric_id)
);

-- How far hours and days are checked: the end of the last ones, and when devices were scored last. One row at most.
CREATE TABLE quality_checked (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  hours_until timestamptz(3),
  days_until  timestamptz(3),
  scored_at   timestamptz(3)
);
