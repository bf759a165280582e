-- A first push fills these tables from nothing; with the default threshold the planner would know them as empty for too long.
ALTER TABLE memberships SET (autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE enrollments SET (autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE enrollment_reasons SET (autovacuum_analyze_scale_factor = 0.02);
