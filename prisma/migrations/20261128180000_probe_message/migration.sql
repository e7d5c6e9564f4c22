-- A test message that is followed is a probe message; "trace" is left to distributed tracing.
ALTER TABLE message_trace RENAME TO probe_message;
ALTER INDEX message_trace_pkey RENAME TO probe_message_pkey;
ALTER INDEX message_trace_created_at RENAME TO probe_message_created_at;
