DROP INDEX sync_requests_effects;
ALTER TABLE connections DROP COLUMN live_since;
ALTER TABLE connections DROP COLUMN braked_at;
ALTER TABLE connections DROP COLUMN effect_brake;
DROP INDEX learners_modified;
