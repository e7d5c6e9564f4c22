-- Labels of devices, from their messages or from a person, whose word wins.

CREATE TABLE device_label (
  device_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  key text NOT NULL,
  -- What counts.
  value text NOT NULL,
  -- Whose word that is.
  by_person boolean NOT NULL,
  -- What its messages said last, whatever counts; NULL: nothing.
  said text,
  PRIMARY KEY (device_id, key),
  CHECK (by_person OR (said IS NOT NULL AND said = value))
);

-- Fingerprint of the labels that the last messages with labels said; NULL: none, or they are to be looked at again.
ALTER TABLE device ADD COLUMN said_labels text;
