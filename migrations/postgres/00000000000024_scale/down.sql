DROP INDEX users_inactive;
DROP INDEX users_modified;
CREATE INDEX users_modified ON users (tenant_id, modified_at, id) WHERE deleted_at IS NULL;
DROP INDEX users_display_name;
CREATE INDEX users_display_name ON users (tenant_id, display_name_key, id) WHERE deleted_at IS NULL;
