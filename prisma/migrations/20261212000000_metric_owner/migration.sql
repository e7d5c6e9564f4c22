-- Breaking: no
-- Who answers for a metric: a team, or an address. Null: whoever DATA_OWNER names.
ALTER TABLE metric ADD COLUMN owner text;
