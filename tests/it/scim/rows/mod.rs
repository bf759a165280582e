//! Row by row through our checklist: each file a section, each test the rows it proves.

mod access;
mod acme;
mod characteristics;
mod data_types;
mod deleting;
mod enterprise;
mod envelope;
mod filter_vectors;
mod filtering;
mod groups;
mod lists;
mod names;
mod patch_vectors;
mod patching;
mod projecting;
mod query;
mod replacing;
mod safety;
mod tenants;
mod unassigned;
mod users;
mod versions;
