//! Filters.
pub mod checked;
