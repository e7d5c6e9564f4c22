-- Devices that people took out of lists and counts; what they sent stays. One that sends again is back.
ALTER TABLE device ADD COLUMN retired_at timestamptz(3), ADD COLUMN returned_at timestamptz(3);
