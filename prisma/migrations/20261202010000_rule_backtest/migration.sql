-- What a run of the job rule-backtest has found so far: a row for each device on which the rule would have fired. It goes with the run.
CREATE TABLE backtest_device (
  run_id        text NOT NULL REFERENCES job_run (id) ON DELETE CASCADE,
  device_id     integer NOT NULL,
  device        text NOT NULL,
  site          text,
  episodes      integer NOT NULL,
  firing_ms     float8 NOT NULL,
  longest_ms    float8 NOT NULL,
  firing_now    boolean NOT NULL,
  last_fired_at timestamptz(3) NOT NULL,
  -- What messages are told by: the device's facts, and when which alert would have fired and been over.
  told_by       json NOT NULL,
  PRIMARY KEY (run_id, device_id)
);
