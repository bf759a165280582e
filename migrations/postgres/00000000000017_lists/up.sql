-- Learners in the order of their last change: `updated_since`.
CREATE INDEX learners_modified ON learners (tenant_id, modified_at, id);
-- The effect brake: how many enrollments an hour a connection may cause, when it was braked, and since when it counts.
ALTER TABLE connections ADD COLUMN effect_brake INT8 DEFAULT 500;
ALTER TABLE connections ADD COLUMN braked_at INT8;
ALTER TABLE connections ADD COLUMN live_since INT8 NOT NULL DEFAULT 0;
-- What the brake adds up.
CREATE INDEX sync_requests_effects ON sync_requests (tenant_id, connection_id, at, enrollments) WHERE enrollments > 0;
