-- How many enrollments a connection may cause within an hour before it is put on observation (NULL: any number), and since
-- when it has been live: what came before does not count.
ALTER TABLE connections ADD COLUMN effect_brake INTEGER DEFAULT 500;
ALTER TABLE connections ADD COLUMN live_since INTEGER NOT NULL DEFAULT 0;
-- What the requests of a connection caused lately. Few rows: the brake bounds them.
CREATE INDEX sync_requests_caused ON sync_requests (tenant_id, connection_id, at, enrollments) WHERE enrollments > 0;
