-- The site that the sender of a dead letter speaks for; sent again, its message is judged with it as when it came. What was stored before has none.
ALTER TABLE dead_letter ADD COLUMN sender_site text;
