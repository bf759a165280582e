-- Completions, what is granted beside the terms, what a cycle came to, and what learners and terms were before.

-- Since when the server knows a reason; `required_since` may lie before that (a resumed clock) or be what is asked for later.
ALTER TABLE enrollment_reasons ADD COLUMN recorded_at INTEGER NOT NULL DEFAULT 0;
UPDATE enrollment_reasons SET recorded_at = required_since;
-- No due date before this day: the obligation began when the plan came back.
ALTER TABLE enrollment_reasons ADD COLUMN due_floor TEXT;
CREATE INDEX enrollment_reasons_ended ON enrollment_reasons (tenant_id, group_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX memberships_ended ON memberships (tenant_id, group_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX memberships_ended_learner ON memberships (tenant_id, learner_id, ended_at) WHERE ended_at IS NOT NULL;

-- A version that only binds obligations recorded from its instant on; earlier ones keep theirs, but for `mandatory`.
ALTER TABLE assignment_versions ADD COLUMN future_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assignment_versions ADD COLUMN changed_by TEXT NOT NULL DEFAULT '';

-- Append-only; a correction voids and adds. `score` is in hundredths.
CREATE TABLE completions (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    cycle_n INTEGER,
    completed_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_ref TEXT,
    score INTEGER,
    evidence_ref TEXT,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    request_id BLOB NOT NULL,
    voided_at INTEGER,
    voided_by TEXT,
    void_reason TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX completions_source ON completions (tenant_id, learner_id, course_id, source, source_ref) WHERE source_ref IS NOT NULL;
CREATE INDEX completions_pair ON completions (tenant_id, learner_id, course_id, completed_at);
CREATE INDEX completions_course ON completions (tenant_id, course_id, id);

-- Extensions and waivers: of one reason, or of a learner and course whatever the reason. `until` is the new due date or the last waived day.
CREATE TABLE exceptions (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('extension', 'waiver')),
    learner_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    reason_id BLOB,
    until TEXT,
    why TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    granted_by TEXT NOT NULL,
    request_id BLOB NOT NULL,
    revoked_at INTEGER,
    revoked_by TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX exceptions_pair ON exceptions (tenant_id, learner_id, course_id, granted_at);

-- What a completed cycle meant to each obligation: frozen, never rewritten by later edits.
CREATE TABLE reason_outcomes (
    tenant_id INTEGER NOT NULL,
    reason_id BLOB NOT NULL,
    cycle_n INTEGER NOT NULL,
    completion_id BLOB NOT NULL,
    due_frozen TEXT,
    on_time INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, reason_id, cycle_n)
) STRICT, WITHOUT ROWID;

-- What the facts of a learner were until an instant; what they are stands in `learners`. `initial`: nothing was before.
CREATE TABLE learner_periods (
    tenant_id INTEGER NOT NULL,
    learner_id BLOB NOT NULL,
    ended_at INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    initial INTEGER NOT NULL,
    registration TEXT NOT NULL,
    approval TEXT NOT NULL,
    active INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, learner_id, ended_at)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('memberships', 'memberships_ended', '1000000 1000000 1000 2'),
    ('memberships', 'memberships_ended_learner', '1000000 1000000 5 2'),
    ('enrollment_reasons', 'enrollment_reasons_ended', '1000000 1000000 1000 2'),
    ('completions', 'sqlite_autoindex_completions_1', '5000000 5000000 1'),
    ('completions', 'completions_source', '5000000 5000000 5 2 2 1'),
    ('completions', 'completions_pair', '5000000 5000000 5 2 1'),
    ('completions', 'completions_course', '5000000 5000000 5000 1'),
    ('exceptions', 'sqlite_autoindex_exceptions_1', '100000 100000 1'),
    ('exceptions', 'exceptions_pair', '100000 100000 2 2 1'),
    ('reason_outcomes', 'reason_outcomes', '5000000 5000000 2 1'),
    ('learner_periods', 'learner_periods', '1000000 1000000 2 1');
ANALYZE sqlite_schema;
