-- Deep pages sorted by `externalId` follow an index: it has those without one, too, and ends with the id that breaks ties.
DROP INDEX users_external_id;
CREATE INDEX users_external_id ON users (tenant_id, external_id, id);
DROP INDEX learner_groups_external_id;
CREATE INDEX learner_groups_external_id ON learner_groups (tenant_id, external_id, id);
-- The shapes of the indexes behind filters and sorts, as in the migration `planner`.
DELETE FROM sqlite_stat1 WHERE tbl = 'users' AND idx IN
    ('users_user_name', 'users_external_id', 'users_display_name', 'users_modified', 'users_created');
DELETE FROM sqlite_stat1 WHERE tbl = 'learner_groups' AND idx IN
    ('learner_groups_external_id', 'learner_groups_modified', 'learner_groups_created');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('users', 'users_user_name', '1000000 1000000 1'),
    ('users', 'users_external_id', '1000000 1000000 2 1'),
    ('users', 'users_display_name', '1000000 1000000 2 1'),
    ('users', 'users_modified', '1000000 1000000 20 1'),
    ('users', 'users_created', '1000000 1000000 20 1'),
    ('learner_groups', 'learner_groups_external_id', '10000 10000 2 1'),
    ('learner_groups', 'learner_groups_modified', '10000 10000 2 1'),
    ('learner_groups', 'learner_groups_created', '10000 10000 2 1');
ANALYZE sqlite_schema;
