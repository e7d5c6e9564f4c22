-- A rule that was taken back: the kind goes by READINGS_RETENTION_DAYS again, since changed_at.
ALTER TABLE retention_rule ADD COLUMN is_set boolean NOT NULL DEFAULT true;
