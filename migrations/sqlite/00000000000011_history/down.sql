DELETE FROM sqlite_stat1 WHERE idx = 'assignments_group';
DROP INDEX assignments_group;
