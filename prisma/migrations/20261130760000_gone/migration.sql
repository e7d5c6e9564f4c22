-- When the goodbye came by which a device is silent: its own, or that of the node it hangs on. NULL once it was heard again.
ALTER TABLE device ADD COLUMN gone_at timestamptz(3);

-- The number of the session that a node's birth began: a death of another session says nothing. NULL: it told none, or was kept before.
ALTER TABLE sparkplug_birth ADD COLUMN bd_seq bigint;
