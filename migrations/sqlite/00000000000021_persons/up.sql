-- One person, two learners: whose accounts an administrator has given to whom. While `ended_at` is NULL the link holds, and
-- `linked_id` has no account of their own; `accounts` says which would go back.
CREATE TABLE learner_links (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    linked_id BLOB NOT NULL,
    accounts TEXT NOT NULL,
    why TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    linked_by TEXT NOT NULL,
    request_id BLOB NOT NULL,
    ended_at INTEGER,
    ended_by TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX learner_links_linked ON learner_links (tenant_id, linked_id) WHERE ended_at IS NULL;
CREATE INDEX learner_links_learner ON learner_links (tenant_id, learner_id, id);

-- What a person who has left went by, so that whoever comes under the same name can be offered their history. Emptied with the
-- profile of the account.
CREATE TABLE former_keys (
    tenant_id INTEGER NOT NULL,
    value_key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('employee_number', 'user_name', 'email')),
    user_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, value_key, kind, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_keys_user ON former_keys (tenant_id, user_id);

-- Two learners who may be one person: what an administrator is asked, and what they said. Nothing follows from a suggestion.
CREATE TABLE learner_suggestions (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    other_id BLOB NOT NULL,
    matched TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'declined')),
    found_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX learner_suggestions_pair ON learner_suggestions (tenant_id, learner_id, other_id);
CREATE INDEX learner_suggestions_other ON learner_suggestions (tenant_id, other_id);

-- When a person was erased, and what holds against it.
ALTER TABLE learners ADD COLUMN anonymized_at INTEGER;
ALTER TABLE learners ADD COLUMN legal_hold TEXT;

-- Who was erased, so that a restored backup can be made to forget them again. `markers` is what the sweep through the log looks
-- for, as far as `place`; when it is through, both are gone.
CREATE TABLE erasures (
    tenant_id INTEGER NOT NULL,
    learner_id BLOB NOT NULL,
    accounts TEXT NOT NULL,
    why TEXT NOT NULL,
    erased_at INTEGER NOT NULL,
    erased_by TEXT NOT NULL,
    request_id BLOB NOT NULL,
    kept_until TEXT,
    markers TEXT,
    swept_at INTEGER,
    PRIMARY KEY (tenant_id, learner_id)
) STRICT;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('learner_links', 'learner_links_linked', '10000 10000 1'),
    ('learner_links', 'learner_links_learner', '10000 10000 2 1'),
    ('former_keys', 'former_keys', '1000000 1000000 2 1 1'),
    ('former_keys', 'former_keys_user', '1000000 1000000 3'),
    ('learner_suggestions', 'learner_suggestions_pair', '10000 10000 2 1'),
    ('learner_suggestions', 'learner_suggestions_other', '10000 10000 2');
ANALYZE sqlite_schema;

-- Another kind of job: what a person leaves in the log is looked for step by step.
CREATE TABLE jobs_with_erasures (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('enroll', 'end_group', 'end_assignment', 'approve', 'import', 'erase')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'done', 'failed', 'canceled')),
    permission TEXT NOT NULL,
    subject_id BLOB,
    spec TEXT NOT NULL,
    place TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER,
    result TEXT NOT NULL,
    error TEXT,
    actor TEXT NOT NULL,
    request_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    expires_at INTEGER,
    leased_by BLOB,
    leased_until INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT;
INSERT INTO jobs_with_erasures SELECT * FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_with_erasures RENAME TO jobs;
CREATE INDEX jobs_waiting ON jobs (created_at, tenant_id, id) WHERE state = 'waiting';
CREATE INDEX jobs_subject ON jobs (tenant_id, subject_id) WHERE state = 'waiting';
CREATE INDEX jobs_expiring ON jobs (expires_at, tenant_id, id) WHERE expires_at IS NOT NULL;
