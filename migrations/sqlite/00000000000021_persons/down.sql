ALTER TABLE learners DROP COLUMN legal_hold;
ALTER TABLE learners DROP COLUMN anonymized_at;
DROP TABLE erasures;
DROP TABLE learner_suggestions;
DROP TABLE former_keys;
DROP TABLE learner_links;
