DROP INDEX learners_modified;
DELETE FROM sqlite_stat1 WHERE idx = 'learners_modified';
