//! Row by row through our checklist: each file a section, each test the rows it proves.

mod acme;
mod filter_vectors;
mod patch_vectors;
