-- Deep pages sorted by `externalId` follow an index: it has those without one, too, and ends with the id that breaks ties.
DROP INDEX users_external_id;
CREATE INDEX users_external_id ON users (tenant_id, external_id, id);
DROP INDEX learner_groups_external_id;
CREATE INDEX learner_groups_external_id ON learner_groups (tenant_id, external_id, id);
-- With the id in the index, the rows that a deep page skips are not read.
DROP INDEX users_user_name;
CREATE UNIQUE INDEX users_user_name ON users (tenant_id, user_name_key) INCLUDE (id) WHERE deleted_at IS NULL;
DROP INDEX learner_groups_name;
CREATE UNIQUE INDEX learner_groups_name ON learner_groups (tenant_id, name_key) INCLUDE (id) WHERE deleted_at IS NULL;
