DROP INDEX learners_modified;
