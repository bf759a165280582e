//! Every statement, one file per table family.

pub mod admins;
pub mod assignments;
pub mod connections;
pub mod counters;
pub mod courses;
pub mod enroll;
pub mod enrollments;
pub mod events;
pub mod groups_directory;
pub mod groups_learning;
pub mod idempotency;
pub mod invariants;
pub mod jobs;
pub mod keys;
pub mod learner_views;
pub mod learners;
pub mod membership_views;
pub mod memberships;
pub mod search;
pub mod sync_log;
pub mod tenants;
pub mod tokens;
pub mod users;
pub mod values;
pub mod written;
