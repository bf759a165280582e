//! Every statement, one file per table family.

pub mod admins;
pub mod assignments;
pub mod connections;
pub mod courses;
pub mod enroll;
pub mod enrollments;
pub mod events;
pub mod groups_learning;
pub mod invariants;
pub mod keys;
pub mod learners;
pub mod memberships;
pub mod sync_log;
pub mod tenants;
pub mod tokens;
