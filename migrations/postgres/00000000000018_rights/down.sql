ALTER TABLE connections DROP COLUMN attributes;
