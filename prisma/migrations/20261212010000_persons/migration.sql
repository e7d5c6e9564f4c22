-- Breaking: no
-- Whose data that of the devices at a site is, but for devices that are labelled another person's: docs/decisions/093-erasing-a-person.md.
ALTER TABLE site ADD COLUMN person text;

-- Erasures that were asked for together have the number of the first of them. Null: one device was erased by itself.
ALTER TABLE erasure ADD COLUMN request integer;
