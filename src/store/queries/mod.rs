//! Every statement, one file per table family.

pub mod counters;
pub mod groups_directory;
pub mod search;
pub mod users;
pub mod values;
