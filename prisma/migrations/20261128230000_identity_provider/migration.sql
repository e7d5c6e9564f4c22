-- People as an identity provider knows them. An e-mail address says nothing about who somebody is.
CREATE TABLE provider_identity (
  issuer text NOT NULL,
  subject text NOT NULL,
  account_id integer NOT NULL UNIQUE REFERENCES account (id) ON DELETE CASCADE,
  -- What the provider said of them at the latest sign-in, and which sites their roles name that there aren't.
  groups text[] NOT NULL DEFAULT '{}',
  missing_sites text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (issuer, subject)
);

-- Sessions that began at the provider: which of its own they belong to, if it says so.
ALTER TABLE session ADD COLUMN issuer text, ADD COLUMN provider_session text;
CREATE INDEX session_provider ON session (issuer, provider_session) WHERE provider_session IS NOT NULL;

-- What counts once: sign-ins that came back from the provider, and its notices of logout.
CREATE TABLE spent_token (
  hash bytea PRIMARY KEY,
  expires_at timestamptz(3) NOT NULL
);
