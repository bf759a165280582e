DROP INDEX sync_requests_trouble;
DROP INDEX sync_requests_changes;
DROP INDEX sync_requests_resource;
CREATE INDEX sync_requests_resource ON sync_requests (tenant_id, resource_id, id) WHERE resource_id IS NOT NULL;
