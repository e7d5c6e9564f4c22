-- Devices that people took out of lists and counts; what they sent stays. One that sends again is back.
ALTER TABLE device ADD COLUMN retired_at timestamptz(3), ADD COLUMN returned_at timestamptz(3);

-- Lists of devices that people keep: what the list's address says, under a name. NULL: everybody's.
CREATE TABLE device_tab (
  id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  address    text NOT NULL CHECK (length(address) <= 2000),
  account_id integer REFERENCES account (id) ON DELETE CASCADE,
  made_by    text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX device_tab_account ON device_tab (account_id);
