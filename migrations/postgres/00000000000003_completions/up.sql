-- Completions, what is granted beside the terms, what a cycle came to, and what learners and terms were before.

-- Since when the server knows a reason; `required_since` may lie before that (a resumed clock) or be what is asked for later.
ALTER TABLE enrollment_reasons ADD COLUMN recorded_at INT8 NOT NULL DEFAULT 0;
UPDATE enrollment_reasons SET recorded_at = required_since;
-- No due date before this day: the obligation began when the plan came back.
ALTER TABLE enrollment_reasons ADD COLUMN due_floor TEXT;
CREATE INDEX enrollment_reasons_ended ON enrollment_reasons (tenant_id, group_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX memberships_ended ON memberships (tenant_id, group_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX memberships_ended_learner ON memberships (tenant_id, learner_id, ended_at) WHERE ended_at IS NOT NULL;

-- A version that only binds obligations recorded from its instant on; earlier ones keep theirs, but for `mandatory`.
ALTER TABLE assignment_versions ADD COLUMN future_only BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE assignment_versions ADD COLUMN changed_by TEXT NOT NULL DEFAULT '';

-- Append-only; a correction voids and adds. `score` is in hundredths.
CREATE TABLE completions (
    tenant_id INT4 NOT NULL,
    id UUID NOT NULL,
    learner_id UUID NOT NULL,
    course_id UUID NOT NULL,
    cycle_n INT8,
    completed_at INT8 NOT NULL,
    source TEXT NOT NULL,
    source_ref TEXT,
    score INT8,
    evidence_ref TEXT,
    recorded_at INT8 NOT NULL,
    recorded_by TEXT NOT NULL,
    request_id UUID NOT NULL,
    voided_at INT8,
    voided_by TEXT,
    void_reason TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX completions_source ON completions (tenant_id, learner_id, course_id, source, source_ref) WHERE source_ref IS NOT NULL;
CREATE INDEX completions_pair ON completions (tenant_id, learner_id, course_id, completed_at);
CREATE INDEX completions_course ON completions (tenant_id, course_id, id);

-- Extensions and waivers: of one reason, or of a learner and course whatever the reason. `until` is the new due date or the last waived day.
CREATE TABLE exceptions (
    tenant_id INT4 NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('extension', 'waiver')),
    learner_id UUID NOT NULL,
    course_id UUID NOT NULL,
    reason_id UUID,
    until TEXT,
    why TEXT NOT NULL,
    granted_at INT8 NOT NULL,
    granted_by TEXT NOT NULL,
    request_id UUID NOT NULL,
    revoked_at INT8,
    revoked_by TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX exceptions_pair ON exceptions (tenant_id, learner_id, course_id, granted_at);

-- What a completed cycle meant to each obligation: frozen, never rewritten by later edits.
CREATE TABLE reason_outcomes (
    tenant_id INT4 NOT NULL,
    reason_id UUID NOT NULL,
    cycle_n INT8 NOT NULL,
    completion_id UUID NOT NULL,
    due_frozen TEXT,
    on_time BOOLEAN NOT NULL,
    recorded_at INT8 NOT NULL,
    PRIMARY KEY (tenant_id, reason_id, cycle_n)
);

-- What the facts of a learner were until an instant; what they are stands in `learners`. `initial`: nothing was before.
CREATE TABLE learner_periods (
    tenant_id INT4 NOT NULL,
    learner_id UUID NOT NULL,
    ended_at INT8 NOT NULL,
    began_at INT8 NOT NULL,
    initial BOOLEAN NOT NULL,
    registration TEXT NOT NULL,
    approval TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    suspended BOOLEAN NOT NULL,
    deleted BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, learner_id, ended_at)
);
