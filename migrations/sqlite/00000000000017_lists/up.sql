-- Learners in the order of their last change: `updated_since`.
CREATE INDEX learners_modified ON learners (tenant_id, modified_at, id);
-- The effect brake: how many enrollments an hour a connection may cause, when it was braked, and since when it counts.
ALTER TABLE connections ADD COLUMN effect_brake INTEGER DEFAULT 500;
ALTER TABLE connections ADD COLUMN braked_at INTEGER;
ALTER TABLE connections ADD COLUMN live_since INTEGER NOT NULL DEFAULT 0;
-- What the brake adds up.
CREATE INDEX sync_requests_effects ON sync_requests (tenant_id, connection_id, at, enrollments) WHERE enrollments > 0;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('learners', 'learners_modified', '1000000 1000000 2 1'),
    ('sync_requests', 'sync_requests_effects', '1000000 1000000 100000 2 1');
ANALYZE sqlite_schema;
