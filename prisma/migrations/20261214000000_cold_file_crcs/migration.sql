-- Breaking: no
-- CRC-32 of each 64 KiB of the file, one after the other, 4 bytes each, so that a part of it is compared with what was written. Null: of a version
-- before, whose files are compared as a whole by their sha256.
ALTER TABLE cold_file ADD COLUMN crcs bytea;
