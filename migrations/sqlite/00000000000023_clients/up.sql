-- Secrets with which a connection fetches short-lived tokens (RFC 6749 §4.4); several of one hold at a time, for rotation.
-- Of a secret only its code is kept.
CREATE TABLE client_secrets (
    tenant_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    code TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    -- The last minute in which a token was fetched, and how many in it.
    minute INTEGER NOT NULL DEFAULT 0,
    fetched INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
-- Whoever fetches a token names no tenant.
CREATE INDEX client_secrets_code ON client_secrets (code);

-- Tokens that were fetched and have expired are forgotten.
CREATE INDEX tokens_fetched ON tokens (tenant_id, connection_id, expires_at) WHERE created_by = 'oauth';
