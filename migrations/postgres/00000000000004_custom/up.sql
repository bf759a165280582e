-- Resources of types that an operator's schema files declare. `doc` is the response without id and meta, `schemas` first.
CREATE TABLE resources (
    tenant_id INT4 NOT NULL,
    resource_type TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    external_id TEXT COLLATE "C",
    version INT8 NOT NULL,
    created_at INT8 NOT NULL,
    modified_at INT8 NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX resources_created ON resources (tenant_id, resource_type, created_at, id);
CREATE INDEX resources_modified ON resources (tenant_id, resource_type, modified_at, id);
CREATE INDEX resources_external_id ON resources (tenant_id, resource_type, external_id, id) WHERE external_id IS NOT NULL;

-- One row per value of an attribute that an operator's schema defines, of users, groups and `resources` alike;
-- `attr` is a number of `store::custom_values`.
CREATE TABLE resource_values (
    tenant_id INT4 NOT NULL,
    attr INT8 NOT NULL,
    value_key TEXT COLLATE "C" NOT NULL,
    resource_id UUID NOT NULL,
    ord INT4 NOT NULL,
    is_unique BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, attr, value_key, resource_id, ord)
);
CREATE INDEX resource_values_resource ON resource_values (tenant_id, resource_id, attr);
CREATE UNIQUE INDEX resource_values_unique ON resource_values (tenant_id, attr, value_key) WHERE is_unique;

-- The attributes whose values all stand in `resource_values`. One that is missing here is gathered from the documents at the next start.
CREATE TABLE indexed_attributes (
    path TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    attr INT8 NOT NULL
);

