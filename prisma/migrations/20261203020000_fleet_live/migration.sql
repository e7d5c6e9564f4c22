-- How many devices of a site were live in an hour, looked at now and then: what is usual is learned from it. Site '' is none.
CREATE TABLE fleet_live (
  site     text NOT NULL,
  hour     timestamptz(0) NOT NULL,
  looks    integer NOT NULL,
  live_sum float8 NOT NULL,
  PRIMARY KEY (site, hour)
);
