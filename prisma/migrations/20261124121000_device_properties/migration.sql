-- What people write about a device. A site or type set by a person stays, also when it was set to nothing; until then
-- the device's messages fill them in.

ALTER TABLE device
  ADD COLUMN notes text,
  ADD COLUMN site_by_person boolean NOT NULL DEFAULT false,
  ADD COLUMN type_by_person boolean NOT NULL DEFAULT false,
  -- When site, type or notes last changed, by whomever; grows with every change.
  ADD COLUMN updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
