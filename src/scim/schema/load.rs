//! (being built)
pub struct LoadError;
