-- One person, two learners: whose accounts an administrator has given to whom. While `ended_at` is NULL the link holds, and
-- `linked_id` has no account of their own; `accounts` says which would go back.
CREATE TABLE learner_links (
    tenant_id INT4 NOT NULL,
    id UUID NOT NULL,
    learner_id UUID NOT NULL,
    linked_id UUID NOT NULL,
    accounts TEXT NOT NULL,
    why TEXT NOT NULL,
    linked_at INT8 NOT NULL,
    linked_by TEXT NOT NULL,
    request_id UUID NOT NULL,
    ended_at INT8,
    ended_by TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX learner_links_linked ON learner_links (tenant_id, linked_id) WHERE ended_at IS NULL;
CREATE INDEX learner_links_learner ON learner_links (tenant_id, learner_id, id);

-- What a person who has left went by, so that whoever comes under the same name can be offered their history. Emptied with the
-- profile of the account.
CREATE TABLE former_keys (
    tenant_id INT4 NOT NULL,
    value_key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('employee_number', 'user_name', 'email')),
    user_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, value_key, kind, user_id)
);
CREATE INDEX former_keys_user ON former_keys (tenant_id, user_id);

-- Two learners who may be one person: what an administrator is asked, and what they said. Nothing follows from a suggestion.
CREATE TABLE learner_suggestions (
    tenant_id INT4 NOT NULL,
    id UUID NOT NULL,
    learner_id UUID NOT NULL,
    other_id UUID NOT NULL,
    matched TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'declined')),
    found_at INT8 NOT NULL,
    decided_at INT8,
    decided_by TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX learner_suggestions_pair ON learner_suggestions (tenant_id, learner_id, other_id);
CREATE INDEX learner_suggestions_other ON learner_suggestions (tenant_id, other_id);

-- When a person was erased, and what holds against it.
ALTER TABLE learners ADD COLUMN anonymized_at INT8;
ALTER TABLE learners ADD COLUMN legal_hold TEXT;

-- Who was erased, so that a restored backup can be made to forget them again. `markers` is what the sweep through the log looks
-- for, as far as `place`; when it is through, both are gone.
CREATE TABLE erasures (
    tenant_id INT4 NOT NULL,
    learner_id UUID NOT NULL,
    accounts TEXT NOT NULL,
    why TEXT NOT NULL,
    erased_at INT8 NOT NULL,
    erased_by TEXT NOT NULL,
    request_id UUID NOT NULL,
    kept_until TEXT,
    markers TEXT,
    swept_at INT8,
    PRIMARY KEY (tenant_id, learner_id)
);

-- Another kind of job: what a person leaves in the log is looked for step by step.
ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE jobs ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('enroll', 'end_group', 'end_assignment', 'approve', 'import', 'erase'));
