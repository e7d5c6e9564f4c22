-- What came of dead letters that were sent again, written with the readings; here until it stands in the letters themselves,
-- which may lie in another engine.
CREATE TABLE replay_settlement (
  letter  text COLLATE "C" NOT NULL,
  attempt integer NOT NULL,
  change  json NOT NULL,
  PRIMARY KEY (letter, attempt)
);
