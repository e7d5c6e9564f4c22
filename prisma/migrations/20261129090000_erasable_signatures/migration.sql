-- Who did something, by their account's number: a name is looked up there, and is gone with the account. Without
-- references: a number is never used again, and what somebody has just done outlives their removal.
ALTER TABLE access_key ADD COLUMN made_by_account integer;
ALTER TABLE job_run ADD COLUMN requested_by_account integer;
ALTER TABLE unreadable_batch ADD COLUMN skipped_by_account integer;

-- Names of before, where they are one person's and no program's.
CREATE TEMPORARY TABLE signer ON COMMIT DROP AS
  SELECT name, min(id) AS id FROM account WHERE name NOT IN (SELECT name FROM access_key) AND name <> 'system'
  GROUP BY name HAVING count(*) = 1;
UPDATE access_key SET made_by = 'user ' || s.id, made_by_account = s.id FROM signer s WHERE made_by = s.name;
UPDATE job_run SET requested_by = 'user ' || s.id, requested_by_account = s.id FROM signer s WHERE requested_by = s.name;
UPDATE unreadable_batch SET skipped_by = 'user ' || s.id, skipped_by_account = s.id FROM signer s WHERE skipped_by = s.name;
