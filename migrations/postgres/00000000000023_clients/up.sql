-- Secrets with which a connection fetches short-lived tokens (RFC 6749 §4.4); several of one hold at a time, for rotation.
-- Of a secret only its code is kept.
CREATE TABLE client_secrets (
    tenant_id INT4 NOT NULL,
    id UUID NOT NULL,
    connection_id UUID NOT NULL,
    code TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INT8 NOT NULL,
    expires_at INT8 NOT NULL,
    revoked_at INT8,
    -- The last minute in which a token was fetched, and how many in it.
    minute INT8 NOT NULL DEFAULT 0,
    fetched INT8 NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
-- Whoever fetches a token names no tenant.
CREATE INDEX client_secrets_code ON client_secrets (code);

-- Tokens that were fetched and have expired are forgotten.
CREATE INDEX tokens_fetched ON tokens (tenant_id, connection_id, expires_at) WHERE created_by = 'oauth';
