DELETE FROM sqlite_stat1 WHERE idx IN ('memberships_ended', 'memberships_ended_learner', 'enrollment_reasons_ended')
    OR tbl IN ('completions', 'exceptions', 'reason_outcomes', 'learner_periods');
DROP TABLE learner_periods;
DROP TABLE reason_outcomes;
DROP TABLE exceptions;
DROP TABLE completions;
DROP INDEX memberships_ended_learner;
DROP INDEX memberships_ended;
DROP INDEX enrollment_reasons_ended;
ALTER TABLE assignment_versions DROP COLUMN changed_by;
ALTER TABLE assignment_versions DROP COLUMN future_only;
ALTER TABLE enrollment_reasons DROP COLUMN due_floor;
ALTER TABLE enrollment_reasons DROP COLUMN recorded_at;
