//! Which part of a list is asked for, and what is found: the words of every list, for callers above the store.

pub use crate::store::listing::{Found, Paging, Place};
