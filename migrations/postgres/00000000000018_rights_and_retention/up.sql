-- What a client may read, write and name in a URL; JSON, `{}` for everything.
ALTER TABLE connections ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';

-- How far what is kept for a time has been emptied.
CREATE TABLE retention (
    tenant_id INT4 NOT NULL,
    what TEXT NOT NULL,
    upto UUID NOT NULL,
    PRIMARY KEY (tenant_id, what)
);

-- Accounts that have ended and still hold a profile; those that were emptied leave it.
CREATE INDEX users_ended ON users (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL AND user_name_key <> '';
