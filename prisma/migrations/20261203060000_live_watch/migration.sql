-- Until when browsers are known to watch readings as they come: workers make no frames that nobody sees.
CREATE TABLE live_watch (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  until timestamptz NOT NULL
);
INSERT INTO live_watch (until) VALUES ('-infinity');
