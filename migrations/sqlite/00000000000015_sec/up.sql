-- When a signing key left use for good: all that it signed has expired.
ALTER TABLE signing_keys ADD COLUMN removed_at INTEGER;
