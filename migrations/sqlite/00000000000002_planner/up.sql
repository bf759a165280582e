-- Without statistics SQLite takes a tenant for a handful of rows and prefers walking a tenant's whole table by its primary key to
-- an index that also knows the group, learner or course. These fixed numbers say what every tenant of some size looks like:
-- "rows, rows per first column, rows per first two columns, …". They describe shapes, so nobody has to keep them true.
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('memberships', 'memberships', '1000000 1000000 1'),
    ('memberships', 'memberships_live', '1000000 1000000 1000 1'),
    ('memberships', 'memberships_group_user', '1000000 1000000 1000 1'),
    ('memberships', 'memberships_learner', '1000000 1000000 5'),
    ('memberships', 'memberships_user', '1000000 1000000 5'),
    ('learners', 'sqlite_autoindex_learners_1', '1000000 1000000 1'),
    ('learners', 'learners_pending', '1000 1000 1'),
    ('learner_groups', 'sqlite_autoindex_learner_groups_1', '10000 10000 1'),
    ('learner_groups', 'learner_groups_name', '10000 10000 1'),
    ('courses', 'sqlite_autoindex_courses_1', '1000 1000 1'),
    ('assignments', 'sqlite_autoindex_assignments_1', '20000 20000 1'),
    ('assignments', 'assignments_live', '20000 20000 5 1'),
    ('assignments', 'assignments_course', '20000 20000 20'),
    ('enrollments', 'enrollments', '5000000 5000000 5 1'),
    ('enrollments', 'enrollments_id', '5000000 5000000 1'),
    ('enrollments', 'enrollments_course', '5000000 5000000 5000'),
    ('enrollment_cycles', 'enrollment_cycles', '5000000 5000000 2 1'),
    ('enrollment_reasons', 'sqlite_autoindex_enrollment_reasons_1', '6000000 6000000 1'),
    ('enrollment_reasons', 'enrollment_reasons_cause', '6000000 6000000 5 1'),
    ('enrollment_reasons', 'enrollment_reasons_pair', '6000000 6000000 6 2'),
    ('enrollment_reasons', 'enrollment_reasons_assignment', '6000000 6000000 1000'),
    ('enrollment_reasons', 'enrollment_reasons_group', '6000000 6000000 5000'),
    ('user_values', 'user_values', '10000000 10000000 1000000 2 1 1'),
    ('user_values', 'user_values_user', '10000000 10000000 10 2'),
    ('users', 'sqlite_autoindex_users_1', '1000000 1000000 1'),
    ('users', 'users_learner', '1000000 1000000 1');
ANALYZE sqlite_schema;
