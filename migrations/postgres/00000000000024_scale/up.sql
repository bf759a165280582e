-- A filter by one attribute and an order by another are answered by one index, without a look at the rows: what recently
-- changed in the order of creation, a prefix of names in the order of user names. None of it costs a write more: who is created
-- stays so, and a change of `active` or of a name moves the entry anyway.
DROP INDEX users_modified;
CREATE INDEX users_modified ON users (tenant_id, modified_at, id) INCLUDE (created_at, active) WHERE deleted_at IS NULL;
DROP INDEX users_display_name;
CREATE INDEX users_display_name ON users (tenant_id, display_name_key, id) INCLUDE (user_name_key) WHERE deleted_at IS NULL;
-- The few who are inactive, by the time of their last change.
CREATE INDEX users_inactive ON users (tenant_id, modified_at, created_at, id) WHERE deleted_at IS NULL AND active = FALSE;
