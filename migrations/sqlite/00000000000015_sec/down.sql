ALTER TABLE signing_keys DROP COLUMN removed_at;
