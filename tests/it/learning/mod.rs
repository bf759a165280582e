//! What a push causes: members become enrollments, each exactly once, and nothing ever un-enrolls.

mod brake;
mod edges;
mod edits;
mod enroll;
mod examples;
mod races;
mod rules;
pub mod scenario;
mod seed;
mod sync_log;
mod tables;
