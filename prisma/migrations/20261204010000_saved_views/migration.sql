-- What a page is asked for, kept under a name: docs/decisions/068-saved-views.md.
CREATE TABLE saved_view (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Whose it is; NULL: everyone's.
  account_id   integer REFERENCES account (id) ON DELETE CASCADE,
  -- Who saved it.
  made_by      integer REFERENCES account (id) ON DELETE SET NULL,
  page         text NOT NULL,
  name         text NOT NULL,
  -- The query of the page's address, without the question mark.
  query        text NOT NULL,
  on_overview  boolean NOT NULL DEFAULT false,
  on_wall      boolean NOT NULL DEFAULT false,
  -- The order of all views together; each list shows its own in this order.
  place        integer NOT NULL,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (account_id, page, name)
);
