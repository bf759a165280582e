-- Learners in the order of their last change: `updated_since`.
CREATE INDEX learners_modified ON learners (tenant_id, modified_at, id);
