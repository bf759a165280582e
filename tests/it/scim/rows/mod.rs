//! Row by row through our checklist: each file a section, each test the rows it proves.

mod acme;
mod characteristics;
mod creating;
mod data_types;
mod enterprise;
mod envelope;
mod filter_vectors;
mod groups;
mod lists;
mod matrix;
mod media;
mod names;
mod patch_vectors;
mod provider;
mod reading;
mod refusals;
mod unassigned;
mod users;
mod writes;
