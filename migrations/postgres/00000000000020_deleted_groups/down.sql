DROP INDEX learner_groups_deleted;
