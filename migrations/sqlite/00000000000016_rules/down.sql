DROP INDEX sync_requests_caused;
ALTER TABLE connections DROP COLUMN live_since;
ALTER TABLE connections DROP COLUMN effect_brake;
