-- What a client may read, write and name in a URL; JSON, `{}` for everything.
ALTER TABLE connections ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
