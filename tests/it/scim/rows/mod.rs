//! Row by row through our checklist: each file a section, each test the rows it proves.

mod acme;
mod characteristics;
mod data_types;
mod enterprise;
mod envelope;
mod filter_vectors;
mod groups;
mod lists;
mod names;
mod patch_vectors;
mod unassigned;
mod users;
