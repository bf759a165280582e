//! What a push causes: members become enrollments, each exactly once, and nothing ever un-enrolls.

mod enroll;
mod examples;
mod races;
pub mod scenario;
mod sync_log;
