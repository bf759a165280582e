-- Which request ended a membership, as `request_id` says which one began it.
ALTER TABLE memberships ADD COLUMN ended_request_id BLOB;
CREATE INDEX memberships_ended_by_request ON memberships (tenant_id, ended_request_id) WHERE ended_request_id IS NOT NULL;

-- Answers kept for `Idempotency-Key`, per token; written in the transaction of what they answer.
CREATE TABLE idempotency_keys (
    tenant_id INTEGER NOT NULL,
    jti TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    version INTEGER,
    media_type TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, jti, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
