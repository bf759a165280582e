DROP INDEX sync_requests_resource;
-- A read stands in none of these: identity providers read before every push, each read at another place of the index.
-- No `NOT IN`: SQLite makes a table of its list for every row.
CREATE INDEX sync_requests_resource ON sync_requests (tenant_id, resource_id, id)
    WHERE resource_id IS NOT NULL AND operation <> 'read' AND operation <> 'probe' AND operation <> 'list';
-- What was asked to change, without walking past the reads.
CREATE INDEX sync_requests_changes ON sync_requests (tenant_id, id)
    WHERE operation <> 'read' AND operation <> 'probe' AND operation <> 'list';
-- What an administrator looks for first.
CREATE INDEX sync_requests_trouble ON sync_requests (tenant_id, id) WHERE outcome <> 'success' AND outcome <> 'no_op';
