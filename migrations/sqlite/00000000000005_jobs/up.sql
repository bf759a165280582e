-- Work that outlives its request: larger than one transaction may hold the writer. Each step writes its part and where the next one
-- begins in one transaction, so a crash loses nothing and doubles nothing.
CREATE TABLE jobs (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('enroll', 'end_group', 'end_assignment', 'approve', 'import')),
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
CREATE INDEX jobs_waiting ON jobs (created_at, tenant_id, id) WHERE state = 'waiting';
CREATE INDEX jobs_subject ON jobs (tenant_id, subject_id) WHERE state = 'waiting';
CREATE INDEX jobs_expiring ON jobs (expires_at, tenant_id, id) WHERE expires_at IS NOT NULL;

-- The rows of an imported file: what stood in the line, what it names here, and what becomes of it.
CREATE TABLE import_rows (
    tenant_id INTEGER NOT NULL,
    import_id BLOB NOT NULL,
    line INTEGER NOT NULL,
    cells TEXT NOT NULL,
    fields TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    detail TEXT,
    group_id BLOB,
    learner_id BLOB,
    user_id BLOB,
    course_id BLOB,
    assigns INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, import_id, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_rows_outcome ON import_rows (tenant_id, import_id, outcome, line);
CREATE INDEX import_rows_member ON import_rows (tenant_id, import_id, group_id, learner_id) WHERE group_id IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('import_rows', 'import_rows', '1000000 100000 10000 1'),
    ('import_rows', 'import_rows_outcome', '1000000 100000 10000 5000 1'),
    ('import_rows', 'import_rows_member', '1000000 100000 10000 1000 1');
ANALYZE sqlite_schema;
