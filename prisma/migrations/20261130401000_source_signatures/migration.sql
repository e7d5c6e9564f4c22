-- A mapping's maker is kept by their number as everywhere: it tells nothing once the account is removed.
ALTER TABLE source_mapping DROP CONSTRAINT source_mapping_made_by_account_fkey;
