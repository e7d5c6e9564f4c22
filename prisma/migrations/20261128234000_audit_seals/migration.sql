-- The audit record is sealed, and what it holds of people stands apart, where it can be erased.

ALTER TABLE audit_row
  -- Of an outcome: the row that told that it was tried.
  ADD COLUMN attempt bigint,
  -- By its place in the row, the SHA-256 of the salt and value that audit_value holds: {"actor": "…", "detail.before.email": "…"}.
  ADD COLUMN personal jsonb;
CREATE INDEX audit_row_attempt ON audit_row (attempt) WHERE attempt IS NOT NULL;
CREATE INDEX audit_row_verb ON audit_row (verb, id);

-- Personal values. Erased ones leave the rows and seals as they are; what is left can't be guessed without the salt.
CREATE TABLE audit_value (
  row_id bigint NOT NULL,
  path text NOT NULL,
  -- Whose it is; NULL: not known.
  account_id integer,
  salt bytea NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (row_id, path)
);
CREATE INDEX audit_value_account ON audit_value (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX audit_value_value ON audit_value (value);

-- Rows that wait for their seal, each since the transaction that added it was committed, however late that was.
CREATE TABLE audit_unsealed (
  row_id bigint PRIMARY KEY
);
INSERT INTO audit_unsealed SELECT id FROM audit_row;

CREATE FUNCTION audit_row_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed SELECT id FROM added;
  RETURN NULL;
END $$;
CREATE TRIGGER audit_row_waits AFTER INSERT ON audit_row REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_row_waits();

-- Each seal holds for its rows, and for the seal before it.
CREATE TABLE audit_seal (
  -- 1, 2, 3, … without gaps.
  id bigint PRIMARY KEY,
  time timestamptz(3) NOT NULL,
  row_ids bigint[] NOT NULL,
  -- 32 bytes for each of them, in the same order.
  row_hashes bytea NOT NULL,
  previous bytea NOT NULL,
  hash bytea NOT NULL,
  -- Names the key of mac, an HMAC of hash. The key is never in the database.
  key_id text NOT NULL,
  mac bytea NOT NULL,
  CHECK (octet_length(row_hashes) = 32 * cardinality(row_ids) AND cardinality(row_ids) > 0)
);

CREATE TRIGGER audit_seal_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
  FOR EACH STATEMENT EXECUTE FUNCTION audit_row_stays();
-- Values may be erased, and never be changed.
CREATE TRIGGER audit_value_stays BEFORE UPDATE OR TRUNCATE ON audit_value
  FOR EACH STATEMENT EXECUTE FUNCTION audit_row_stays();
