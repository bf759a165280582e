-- The courses a group ever had: its timeline, its assignments as of an instant, its restoring.
CREATE INDEX assignments_group ON assignments (tenant_id, group_id, id);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('assignments', 'assignments_group', '20000 20000 5 1');
ANALYZE sqlite_schema;
