-- The courses a group ever had: its timeline, its assignments as of an instant, its restoring.
CREATE INDEX assignments_group ON assignments (tenant_id, group_id, id);
