ALTER TABLE memberships RESET (autovacuum_analyze_scale_factor);
ALTER TABLE enrollments RESET (autovacuum_analyze_scale_factor);
ALTER TABLE enrollment_reasons RESET (autovacuum_analyze_scale_factor);
