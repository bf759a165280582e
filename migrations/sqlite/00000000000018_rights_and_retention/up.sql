-- What a client may read, write and name in a URL; JSON, `{}` for everything.
ALTER TABLE connections ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';

-- How far what is kept for a time has been emptied.
CREATE TABLE retention (
    tenant_id INTEGER NOT NULL,
    what TEXT NOT NULL,
    upto BLOB NOT NULL,
    PRIMARY KEY (tenant_id, what)
) STRICT, WITHOUT ROWID;

-- Accounts that have ended and still hold a profile; those that were emptied leave it.
CREATE INDEX users_ended ON users (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL AND user_name_key <> '';
