-- Where a request came from, shortened to its network, and the trace its sender says it belongs to.
ALTER TABLE sync_requests ADD COLUMN client_ip TEXT;
ALTER TABLE sync_requests ADD COLUMN trace_id TEXT;
-- Where a token was last used from.
ALTER TABLE tokens ADD COLUMN last_used_ip TEXT;
ALTER TABLE tokens ADD COLUMN last_used_agent TEXT;
