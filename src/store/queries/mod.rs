//! Every statement, one file per table family.

pub mod assignments;
pub mod courses;
pub mod enroll;
pub mod enrollments;
pub mod events;
pub mod groups_learning;
pub mod invariants;
pub mod learners;
pub mod memberships;
