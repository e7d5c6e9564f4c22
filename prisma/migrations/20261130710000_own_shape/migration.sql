-- Sources of Fieldwatch's own shape take all that the telemetry route takes, as it does; those whose mapping somebody changed stay as they are.

WITH own AS (
  SELECT s.id, m.version + 1 AS version
  FROM source s JOIN source_mapping m ON m.source_id = s.id AND m.version = s.mapping_version
  WHERE s.kind = 'fieldwatch'
    AND NOT EXISTS (SELECT 1 FROM source_mapping l WHERE l.source_id = s.id AND l.version > m.version)
    AND (s.name = 'fieldwatch' OR m.mapping::jsonb = '{
      "decode": "json", "when": [], "each": {"path": "", "of": "array", "optional": true}, "device": ["{device}"],
      "time": [{"from": {"path": "time"}, "format": "any"}], "withoutTime": "refuse",
      "readings": [{"root": "readings", "depth": 0, "separator": ".", "arrays": "index", "exclude": []}],
      "rename": [], "values": {"numericStrings": false, "decimalComma": false, "booleans": [], "enums": []},
      "absent": [], "units": [], "labels": {"site": "{site}", "type": "{type}"}}'::jsonb)
), added AS (
  INSERT INTO source_mapping (source_id, version, mapping, note, made_by)
  SELECT id, version, '{"decode":"fieldwatch","device":["{device}"],"time":[{"from":{"path":"time"},"format":"any"}],"withoutTime":"refuse","readings":[{"root":"readings","depth":0}]}',
    'Takes all that the telemetry route takes', 'system'
  FROM own
)
UPDATE source s SET mapping_version = own.version, revision = s.revision + 1 FROM own WHERE own.id = s.id;
