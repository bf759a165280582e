-- Rules of this schema: the tenant leads every key, ids are UUID v7 made by the server, instants are milliseconds since 1970 UTC,
-- no sequences, no foreign keys across tenants. Folded keys (`*_key`) are compared bytewise. Both databases have the same tables.

CREATE TABLE tenants (
    tenant_id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    plan TEXT NOT NULL CHECK (plan IN ('starter', 'professional', 'business')),
    time_zone TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Counters that a list's totalResults reads; spread over shards so that parallel creates do not wait for one row.
CREATE TABLE counters (
    tenant_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    shard INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name, shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    secret TEXT NOT NULL,
    public TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

CREATE TABLE connections (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    idp TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'observe', 'paused')),
    approve TEXT NOT NULL CHECK (approve IN ('auto', 'manual', 'inherit')),
    lock_groups INTEGER NOT NULL,
    switches TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX connections_name ON connections (tenant_id, name_key);

CREATE TABLE tokens (
    tenant_id INTEGER NOT NULL,
    jti TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('scim', 'api')),
    label TEXT NOT NULL,
    connection_id BLOB,
    scopes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (tenant_id, jti)
) STRICT;

CREATE TABLE admins (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'manager', 'auditor', 'it')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX admins_email ON admins (tenant_id, email_key);

-- The person: three independent facts, never one status column. Outlives every account.
CREATE TABLE learners (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    registration TEXT NOT NULL CHECK (registration IN ('invited', 'registered')),
    approval TEXT NOT NULL CHECK (approval IN ('pending', 'approved', 'rejected')),
    active INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    registered_via TEXT NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    deleted_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX learners_pending ON learners (tenant_id, id) WHERE approval = 'pending' AND deleted_at IS NULL;

-- The SCIM account. `doc` is the response without schemas, id, meta and groups: `{"userName":…}`.
CREATE TABLE users (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    connection_id BLOB,
    user_name TEXT NOT NULL,
    user_name_key TEXT NOT NULL,
    external_id TEXT,
    display_name_key TEXT,
    active INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    deleted_at INTEGER,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX users_user_name ON users (tenant_id, user_name_key) WHERE deleted_at IS NULL;
CREATE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_display_name ON users (tenant_id, display_name_key, id) WHERE deleted_at IS NULL;
CREATE INDEX users_modified ON users (tenant_id, modified_at, id) WHERE deleted_at IS NULL;
CREATE INDEX users_created ON users (tenant_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX users_learner ON users (tenant_id, learner_id);

-- One row per element of a searchable multi-valued attribute, and per searchable extension value; `attr` is a number of `store::placement`.
CREATE TABLE user_values (
    tenant_id INTEGER NOT NULL,
    attr INTEGER NOT NULL,
    value_key TEXT NOT NULL,
    user_id BLOB NOT NULL,
    ord INTEGER NOT NULL,
    type_key TEXT,
    is_primary INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, attr, value_key, user_id, ord)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_values_user ON user_values (tenant_id, user_id, attr);

-- `doc` holds what the columns do not: `{"displayName":…,"externalId":…}` plus extensions, without members.
CREATE TABLE learner_groups (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    external_id TEXT,
    description TEXT,
    color TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('console', 'rest', 'import', 'scim')),
    managed_by BLOB,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    deleted_at INTEGER,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX learner_groups_name ON learner_groups (tenant_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX learner_groups_external_id ON learner_groups (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX learner_groups_modified ON learner_groups (tenant_id, modified_at, id) WHERE deleted_at IS NULL;
CREATE INDEX learner_groups_created ON learner_groups (tenant_id, created_at, id) WHERE deleted_at IS NULL;

-- One row per period; ended periods stay for history.
CREATE TABLE memberships (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('scim', 'rest', 'console', 'import')),
    connection_id BLOB,
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    request_id BLOB NOT NULL,
    ended_at INTEGER,
    ended_by TEXT,
    end_cause TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES learner_groups (tenant_id, id),
    FOREIGN KEY (tenant_id, learner_id) REFERENCES learners (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_live ON memberships (tenant_id, group_id, learner_id) WHERE ended_at IS NULL;
CREATE INDEX memberships_group_user ON memberships (tenant_id, group_id, user_id) WHERE ended_at IS NULL;
CREATE INDEX memberships_learner ON memberships (tenant_id, learner_id) WHERE ended_at IS NULL;
CREATE INDEX memberships_user ON memberships (tenant_id, user_id) WHERE ended_at IS NULL;

CREATE TABLE courses (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    title TEXT NOT NULL,
    code TEXT,
    code_key TEXT,
    status TEXT NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
    external_ref TEXT,
    locale TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX courses_code ON courses (tenant_id, code_key) WHERE code_key IS NOT NULL;

CREATE TABLE assignments (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    mandatory INTEGER NOT NULL,
    due_date TEXT,
    due_days INTEGER,
    recert_months INTEGER,
    version INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES learner_groups (tenant_id, id),
    FOREIGN KEY (tenant_id, course_id) REFERENCES courses (tenant_id, id),
    CHECK (due_date IS NULL OR due_days IS NULL)
) STRICT;
CREATE UNIQUE INDEX assignments_live ON assignments (tenant_id, group_id, course_id) WHERE ended_at IS NULL;
CREATE INDEX assignments_course ON assignments (tenant_id, course_id) WHERE ended_at IS NULL;

-- Options in force from an instant on: any past compliance answer can be computed again.
CREATE TABLE assignment_versions (
    tenant_id INTEGER NOT NULL,
    assignment_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    mandatory INTEGER NOT NULL,
    due_date TEXT,
    due_days INTEGER,
    recert_months INTEGER,
    PRIMARY KEY (tenant_id, assignment_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrollments (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    withdrawn_at INTEGER,
    withdrawn_by TEXT,
    withdrawn_cause TEXT,
    PRIMARY KEY (tenant_id, learner_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX enrollments_id ON enrollments (tenant_id, id);
CREATE INDEX enrollments_course ON enrollments (tenant_id, course_id);

CREATE TABLE enrollment_cycles (
    tenant_id INTEGER NOT NULL,
    enrollment_id BLOB NOT NULL,
    n INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    opened_by TEXT NOT NULL CHECK (opened_by IN ('initial', 'recertification', 'restart')),
    started_at INTEGER,
    completed_at INTEGER,
    progress_pct INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, enrollment_id, n)
) STRICT, WITHOUT ROWID;

-- Why somebody is enrolled; unique per (membership period, assignment), live or ended: what makes enroll repeatable.
CREATE TABLE enrollment_reasons (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    learner_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('group', 'manual', 'self', 'api', 'import')),
    group_id BLOB,
    assignment_id BLOB,
    membership_id BLOB,
    required_since INTEGER NOT NULL,
    ended_at INTEGER,
    end_cause TEXT,
    request_id BLOB NOT NULL,
    group_name TEXT,
    course_title TEXT NOT NULL,
    mandatory INTEGER NOT NULL,
    due_date TEXT,
    due_days INTEGER,
    recert_months INTEGER,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX enrollment_reasons_cause ON enrollment_reasons (tenant_id, membership_id, assignment_id);
CREATE INDEX enrollment_reasons_pair ON enrollment_reasons (tenant_id, learner_id, course_id);
CREATE INDEX enrollment_reasons_assignment ON enrollment_reasons (tenant_id, assignment_id) WHERE ended_at IS NULL;
CREATE INDEX enrollment_reasons_group ON enrollment_reasons (tenant_id, group_id) WHERE ended_at IS NULL;

-- Append-only: what happened, by whom, because of which request.
CREATE TABLE events (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    request_id BLOB NOT NULL,
    entity TEXT NOT NULL,
    entity_id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX events_entity ON events (tenant_id, entity_id, id);

CREATE TABLE sync_requests (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    connection_id BLOB,
    token_hint TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    operation TEXT NOT NULL,
    resource_type TEXT,
    resource_id TEXT,
    resource_label TEXT,
    external_id TEXT,
    outcome TEXT NOT NULL,
    http_status INTEGER NOT NULL,
    scim_type TEXT,
    detail TEXT,
    duration_us INTEGER NOT NULL,
    members_added INTEGER NOT NULL,
    members_ended INTEGER NOT NULL,
    enrollments INTEGER NOT NULL,
    notes TEXT NOT NULL,
    changes TEXT NOT NULL,
    request_body TEXT,
    response_body TEXT,
    user_agent TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX sync_requests_resource ON sync_requests (tenant_id, resource_id, id) WHERE resource_id IS NOT NULL;
