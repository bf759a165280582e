DELETE FROM sqlite_stat1 WHERE tbl = 'users' AND idx IN
    ('users_user_name', 'users_external_id', 'users_display_name', 'users_modified', 'users_created');
DELETE FROM sqlite_stat1 WHERE tbl = 'learner_groups' AND idx IN
    ('learner_groups_external_id', 'learner_groups_modified', 'learner_groups_created');
DROP INDEX users_external_id;
CREATE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id IS NOT NULL;
DROP INDEX learner_groups_external_id;
CREATE INDEX learner_groups_external_id ON learner_groups (tenant_id, external_id) WHERE external_id IS NOT NULL;
ANALYZE sqlite_schema;
