-- Breaking: no
-- What stands for the name of an erased device is a name that a device might have: "(erased 12)" made a rule that nobody could read.
UPDATE alert_rule SET spec = regexp_replace(spec::text, '\(erased ([0-9]+)\)', 'erased-\1', 'g')::jsonb WHERE spec::text ~ '\(erased [0-9]+\)';
UPDATE alert_rule_version SET spec = regexp_replace(spec::text, '\(erased ([0-9]+)\)', 'erased-\1', 'g')::jsonb WHERE spec::text ~ '\(erased [0-9]+\)';
UPDATE route SET matchers = regexp_replace(matchers::text, '\(erased ([0-9]+)\)', 'erased-\1', 'g')::jsonb WHERE matchers::text ~ '\(erased [0-9]+\)';
UPDATE silence SET matchers = regexp_replace(matchers::text, '\(erased ([0-9]+)\)', 'erased-\1', 'g')::jsonb WHERE matchers::text ~ '\(erased [0-9]+\)';
UPDATE maintenance SET matchers = regexp_replace(matchers::text, '\(erased ([0-9]+)\)', 'erased-\1', 'g')::jsonb WHERE matchers::text ~ '\(erased [0-9]+\)';
