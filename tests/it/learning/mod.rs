//! What a push causes: members become enrollments, each exactly once, and nothing ever un-enrolls.
//!
//! The domain document, part by part: §1 `rules`; §2 to §4 `tables`, §4's triggers `triggers`; §5, §8 `afterwards`;
//! §6 `edits`; §7 `edges`, `edges_of_plans_and_cycles`, `brake`, `linking`, `suggestions`, `erasure`; §9.1 to §9.4 beside `learning::calendar` and `learning::completion`; §10 `examples::explain`, `afterwards`; §11
//! `laws::story`, `service::learning_tests`; §12 `examples`.

mod afterwards;
mod brake;
mod edges;
mod edges_of_plans_and_cycles;
mod edits;
mod enroll;
mod erasure;
mod examples;
mod linking;
mod races;
mod rules;
pub mod scenario;
mod seed;
mod suggestions;
mod sync_log;
mod tables;
mod triggers;
