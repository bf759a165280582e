-- Who is active, and who is not, in the order of a list.
CREATE INDEX users_active ON users (tenant_id, active, created_at, id) WHERE deleted_at IS NULL;
