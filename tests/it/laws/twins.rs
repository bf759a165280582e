//! Law 7: any sequence of operations gives the same answers, order and rows on both databases. Beside it, on the same sequences:
//! every request sent twice does what it does once (I-6), PUT of what was read is a no-op (law 5), nothing is owed and no invariant
//! is broken in the end (law 6). Without a PostgreSQL server the databases are one, the rest holds all the same.

use proptest::prelude::*;
use rollcall::clock::Instant;
use rollcall::service::check;

use super::ground::{self, Ground};
use super::steps::{self, Step};
use super::world::World;

/// The answers and the final state of a sequence on one database.
fn once(ground: &Ground, steps: &[Step]) -> Result<(Vec<String>, String), TestCaseError> {
    let mut world = World::new(ground);
    let answers = steps
        .iter()
        .enumerate()
        .map(|(position, step)| world.play(position, step).shown)
        .collect();
    let state = world.state();
    prop_assert_eq!(world.breach(), None);
    prop_assert_eq!(
        &world.state(),
        &state,
        "what changes nothing changed something"
    );
    Ok((answers, state))
}

/// The final state of the sequence with every request sent again at once.
fn twice(ground: &Ground, steps: &[Step]) -> Result<String, TestCaseError> {
    let mut world = World::new(ground);
    for (position, step) in steps.iter().enumerate() {
        let first = world.play(position, step).shown;
        let again = world.play(position, step);
        prop_assert!(
            !again.changed,
            "{step:?}\nis answered {first}\nand again {}",
            again.shown
        );
    }
    Ok(world.state())
}

#[test]
fn any_sequence_has_the_same_answers_and_rows_on_every_database_and_twice_is_once() {
    let grounds = Ground::each();
    ground::runner(8)
        .run(&steps::steps(), |steps| {
            let mut first = None;
            for ground in &grounds {
                let played = once(ground, &steps)?;
                prop_assert_eq!(
                    &twice(ground, &steps)?,
                    &played.1,
                    "a request sent twice is not as one"
                );
                let (answers, state) = first.get_or_insert_with(|| played.clone());
                for ((ours, theirs), step) in played.0.iter().zip(answers.iter()).zip(&steps) {
                    prop_assert_eq!(ours, theirs, "the databases answer differently: {:?}", step);
                }
                prop_assert_eq!(&played.1, &*state, "the databases end differently");
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    for ground in &grounds {
        let findings = ground
            .store
            .read_blocking(|db| check::all(db, Instant(ground::NOW.0 + 86_400_000)))
            .expect("the check runs");
        assert!(findings.is_empty(), "{findings:?}");
    }
}
