-- Learners in the order of their last change: `updated_since`.
CREATE INDEX learners_modified ON learners (tenant_id, modified_at, id);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('learners', 'learners_modified', '1000000 1000000 2 1');
ANALYZE sqlite_schema;
