//! Law 8: whatever directories, admins, files and time do, in any order, the server answers and stands as the [`reference`] does,
//! which was written from the domain document alone; and in the end every invariant holds (§11). Through the front door: SCIM, REST
//! and CSV. `ROLLCALL_STORIES` is the number of stories, for long runs.

mod reference;
mod server;
mod steps;

use proptest::collection::vec;
use proptest::prelude::*;

use super::ground;
use server::Server;

fn stories() -> u32 {
    std::env::var("ROLLCALL_STORIES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}

#[test]
fn the_server_stands_as_the_document_says_after_any_story() {
    ground::runner(stories())
        .run(&vec(steps::step(), 40..80), |steps| {
            let mut server = Server::start();
            let mut told = Vec::new();
            for step in &steps {
                told.push(format!("{step:?}"));
                server.play(step).map_err(|error| {
                    TestCaseError::fail(format!("after {}:\n{error}", told.join(", ")))
                })?;
            }
            server.end().map_err(|error| {
                TestCaseError::fail(format!("in the end of {}:\n{error}", told.join(", ")))
            })?;
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
