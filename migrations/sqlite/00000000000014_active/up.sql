-- Who is active, and who is not, in the order of a list.
CREATE INDEX users_active ON users (tenant_id, active, created_at, id) WHERE deleted_at IS NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('users', 'users_active', '1000000 1000000 200000 20 1');
ANALYZE sqlite_schema;
