-- Work that outlives its request: larger than one transaction may hold the writer. Each step writes its part and where the next one
-- begins in one transaction, so a crash loses nothing and doubles nothing.
CREATE TABLE jobs (
    tenant_id INT4 NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('enroll', 'end_group', 'end_assignment', 'approve', 'import')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'done', 'failed', 'canceled')),
    permission TEXT NOT NULL,
    subject_id UUID,
    spec TEXT NOT NULL,
    place TEXT NOT NULL,
    done INT8 NOT NULL,
    total INT8,
    result TEXT NOT NULL,
    error TEXT,
    actor TEXT NOT NULL,
    request_id UUID NOT NULL,
    created_at INT8 NOT NULL,
    modified_at INT8 NOT NULL,
    expires_at INT8,
    leased_by UUID,
    leased_until INT8,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX jobs_waiting ON jobs (created_at, tenant_id, id) WHERE state = 'waiting';
CREATE INDEX jobs_subject ON jobs (tenant_id, subject_id) WHERE state = 'waiting';
CREATE INDEX jobs_expiring ON jobs (expires_at, tenant_id, id) WHERE expires_at IS NOT NULL;

-- The rows of an imported file: what stood in the line, what it names here, and what becomes of it.
CREATE TABLE import_rows (
    tenant_id INT4 NOT NULL,
    import_id UUID NOT NULL,
    line INT8 NOT NULL,
    cells TEXT NOT NULL,
    fields TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    detail TEXT,
    group_id UUID,
    learner_id UUID,
    user_id UUID,
    course_id UUID,
    assigns BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, import_id, line)
);
CREATE INDEX import_rows_outcome ON import_rows (tenant_id, import_id, outcome, line);
CREATE INDEX import_rows_member ON import_rows (tenant_id, import_id, group_id, learner_id) WHERE group_id IS NOT NULL;
ALTER TABLE import_rows SET (autovacuum_analyze_scale_factor = 0.02);
