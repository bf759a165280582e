DROP INDEX users_inactive;
DROP INDEX users_modified;
CREATE INDEX users_modified ON users (tenant_id, modified_at, id) WHERE deleted_at IS NULL;
DROP INDEX users_display_name;
CREATE INDEX users_display_name ON users (tenant_id, display_name_key, id) WHERE deleted_at IS NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('users', 'users_display_name', '1000000 1000000 2 1'),
    ('users', 'users_modified', '1000000 1000000 20 1');
ANALYZE sqlite_schema;
