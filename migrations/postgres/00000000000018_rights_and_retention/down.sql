DROP INDEX users_ended;
DROP TABLE retention;
ALTER TABLE connections DROP COLUMN attributes;
