DROP INDEX assignments_group;
