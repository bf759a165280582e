-- What is still to be decided, in the order of a list; and whose name a training record keeps for a time.
CREATE INDEX learner_suggestions_state ON learner_suggestions (tenant_id, state, id);
CREATE INDEX erasures_kept ON erasures (tenant_id, kept_until) WHERE kept_until IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('learner_suggestions', 'learner_suggestions_state', '10000 10000 1000 1');
ANALYZE sqlite_schema;
