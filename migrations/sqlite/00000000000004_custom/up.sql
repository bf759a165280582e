-- Resources of types that an operator's schema files declare. `doc` is the response without id and meta, `schemas` first.
CREATE TABLE resources (
    tenant_id INTEGER NOT NULL,
    resource_type TEXT NOT NULL,
    id BLOB NOT NULL,
    external_id TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX resources_created ON resources (tenant_id, resource_type, created_at, id);
CREATE INDEX resources_modified ON resources (tenant_id, resource_type, modified_at, id);
CREATE INDEX resources_external_id ON resources (tenant_id, resource_type, external_id, id) WHERE external_id IS NOT NULL;

-- One row per value of an attribute that an operator's schema defines, of users, groups and `resources` alike;
-- `attr` is a number of `store::custom_values`.
CREATE TABLE resource_values (
    tenant_id INTEGER NOT NULL,
    attr INTEGER NOT NULL,
    value_key TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    ord INTEGER NOT NULL,
    is_unique INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, attr, value_key, resource_id, ord)
) STRICT, WITHOUT ROWID;
CREATE INDEX resource_values_resource ON resource_values (tenant_id, resource_id, attr);
CREATE UNIQUE INDEX resource_values_unique ON resource_values (tenant_id, attr, value_key) WHERE is_unique = 1;

-- The attributes whose values all stand in `resource_values`. One that is missing here is gathered from the documents at the next start.
CREATE TABLE indexed_attributes (
    path TEXT NOT NULL PRIMARY KEY,
    attr INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('resource_values', 'resource_values', '10000000 10000000 1000000 2 1 1'),
    ('resource_values', 'resource_values_resource', '10000000 10000000 10 2'),
    ('resources', 'sqlite_autoindex_resources_1', '1000000 1000000 1');
ANALYZE sqlite_schema;
