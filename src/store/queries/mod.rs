//! Every statement, one file per table family.

<<<<<<< HEAD
pub mod counters;
pub mod groups_directory;
pub mod search;
pub mod users;
pub mod values;
=======
pub mod assignments;
pub mod courses;
pub mod enroll;
pub mod enrollments;
pub mod events;
pub mod groups_learning;
pub mod invariants;
pub mod learners;
pub mod memberships;
>>>>>>> main
