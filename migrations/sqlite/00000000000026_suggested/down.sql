DROP INDEX erasures_kept;
DROP INDEX learner_suggestions_state;
