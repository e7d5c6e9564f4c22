-- A dead letter that is sent again is resent; "replay" is left to recordings.
ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_status_check;
ALTER TABLE dead_letter RENAME COLUMN replay_of TO resend_of;
ALTER TABLE dead_letter RENAME COLUMN replayed_as TO resent_as;
ALTER TABLE dead_letter RENAME COLUMN replays TO resends;
UPDATE dead_letter SET status = CASE status WHEN 'replaying' THEN 'resending' ELSE 'resent' END
WHERE status IN ('replaying', 'replayed');
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_status_check
  CHECK (status IN ('open', 'resending', 'resent', 'discarded'));

-- Their texts may hold escapes that PostgreSQL's functions on JSON refuse, so keys are changed as text: inside a JSON string
-- no quotation mark stands without a backslash before it, so nothing but a key fits.
UPDATE job_run SET params = regexp_replace(params::text, '"action"\s*:\s*"replay"', '"action":"resend"')::json
WHERE job = 'dead-letters' AND params::text ~ '"action"\s*:\s*"replay"';

ALTER TABLE replay_settlement RENAME TO resend_settlement;
ALTER INDEX replay_settlement_pkey RENAME TO resend_settlement_pkey;
UPDATE resend_settlement SET change = replace(replace(replace(replace(change::text,
  '"from":["replaying",', '"from":["resending",'), '"replays":', '"resends":'), '"to":"replayed"', '"to":"resent"'),
  '"replayedAs":', '"resentAs":')::json;
