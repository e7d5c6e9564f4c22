-- Keys that take each other's place. Of how many are alive at once the API decides.

-- The first key of those that were made by rotating, one from the other; none: it is that first one itself.
ALTER TABLE access_key ADD COLUMN line text;
-- Keys that were rotated before: the record tells of which key each was made.
WITH RECURSIVE made AS (
  SELECT DISTINCT ON (target) target AS id, detail->>'of' AS "of" FROM audit_row
  WHERE verb = 'rotateAccessKey' AND outcome = 'done' AND detail->>'of' IS NOT NULL
), traced AS (
  SELECT id, "of" FROM made
  UNION
  SELECT traced.id, made."of" FROM traced JOIN made ON made.id = traced."of"
)
UPDATE access_key k SET line = traced."of" FROM traced
WHERE traced.id = k.id AND NOT EXISTS (SELECT 1 FROM made WHERE made.id = traced."of");
CREATE INDEX access_key_line ON access_key (line);
