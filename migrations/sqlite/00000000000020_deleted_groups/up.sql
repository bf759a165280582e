-- A directory that makes a group of a name it has deleted: is that the same one?
CREATE INDEX learner_groups_deleted ON learner_groups (tenant_id, name_key, deleted_at) WHERE deleted_at IS NOT NULL;
