//! Background loops; each tick calls one use case. Not here: any rule.

pub mod growth;
pub mod jobs;
pub mod reconcile;
