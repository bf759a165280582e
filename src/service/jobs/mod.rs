//! Jobs: work larger than one transaction may hold. It commits with the change that owes it, and is written step by step.

pub mod book;
pub mod run;

#[cfg(test)]
mod tests;
