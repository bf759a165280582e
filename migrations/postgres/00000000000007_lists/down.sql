DROP INDEX learner_groups_name;
CREATE UNIQUE INDEX learner_groups_name ON learner_groups (tenant_id, name_key) WHERE deleted_at IS NULL;
DROP INDEX users_user_name;
CREATE UNIQUE INDEX users_user_name ON users (tenant_id, user_name_key) WHERE deleted_at IS NULL;
DROP INDEX learner_groups_external_id;
CREATE INDEX learner_groups_external_id ON learner_groups (tenant_id, external_id) WHERE external_id IS NOT NULL;
DROP INDEX users_external_id;
CREATE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id IS NOT NULL;
