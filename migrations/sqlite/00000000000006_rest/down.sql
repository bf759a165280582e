DROP TABLE idempotency_keys;
DROP INDEX memberships_ended_by_request;
ALTER TABLE memberships DROP COLUMN ended_request_id;
