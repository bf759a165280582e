DROP TABLE indexed_attributes;
DROP TABLE resource_values;
DROP TABLE resources;
