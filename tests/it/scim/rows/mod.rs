//! Row by row through our checklist: each file a section, each test the rows it proves.

mod access;
mod acme;
mod deleting;
mod filter_vectors;
mod filtering;
mod patch_vectors;
mod patching;
mod projecting;
mod query;
mod replacing;
mod safety;
mod tenants;
mod versions;
