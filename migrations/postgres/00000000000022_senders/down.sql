ALTER TABLE tokens DROP COLUMN last_used_agent;
ALTER TABLE tokens DROP COLUMN last_used_ip;
ALTER TABLE sync_requests DROP COLUMN trace_id;
ALTER TABLE sync_requests DROP COLUMN client_ip;
