//! CSV files of people and groups: read into rows, planned, committed, step by step (`rest-and-console.md` A4, A5).
//!
//! A plan and its commit are the same classification of the same rows; only the commit writes. What committing would
//! enroll is the owed relation over the memberships and assignments that the rows would make. Not here: bytes and
//! headers (`csv`), and who works on it (`jobs`).

pub mod book;
mod classify;
pub mod error;
pub mod load;
mod lookup;
pub mod people;
pub mod spec;
pub mod steps;
pub mod survey;
mod write;
