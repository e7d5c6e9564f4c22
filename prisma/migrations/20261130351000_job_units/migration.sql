-- What a job counts: {"one": "hour merged", "many": "hours merged"}. Workers say it at their start; null until they have.
ALTER TABLE job ADD COLUMN counts json;
