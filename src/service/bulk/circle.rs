//! Operations of a bulk request that refer to each other in a circle (B-18, B-19).

use super::*;

/// Why a circle did not come about, and which of its operations is to blame.
struct Broken {
    at: Option<usize>,
    error: ServiceError,
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self {
            at: None,
            error: error.into(),
        }
    }
}

/// B-19: creates all without the references that do not exist yet, then completes them; all or none.
pub(super) fn run(
    db: &mut Db,
    scopes: &[Scope],
    call: Call<'_>,
    plan: &Plan,
    indices: &[usize],
    progress: &Progress,
) -> Result<Vec<Result<Written, ServiceError>>, ServiceError> {
    let made = db.savepoint(|db| {
        let mut progress = progress.clone();
        let mut all = Vec::with_capacity(indices.len());
        for (index, scope) in indices.iter().copied().zip(scopes) {
            let blame = |error| Broken {
                at: Some(index),
                error,
            };
            let planned = plan.planned(index).map_err(blame)?;
            let kind = Kind::of(&planned.resource_type);
            let (data, left_out) = resolved(plan, index, &progress).map_err(blame)?;
            let written = directory::create(db, scope, call, kind, &data).map_err(blame)?;
            progress.note(index, Ok(&written.id));
            all.push((index, scope, kind, left_out, written));
        }
        let mut results = Vec::with_capacity(all.len());
        for (index, scope, kind, left_out, written) in all {
            let blame = |error| Broken {
                at: Some(index),
                error,
            };
            if !left_out {
                results.push(written);
                continue;
            }
            let (data, _) = resolved(plan, index, &progress).map_err(blame)?;
            let whole = directory::replace(
                db,
                scope,
                call,
                (kind, &written.id),
                &data,
                // the resource was made a moment ago, by this very request
                &IfMatch::of(Some("*")),
            )
            .map_err(blame)?;
            results.push(completed(written, whole));
        }
        Ok(results)
    });
    match made {
        Ok(written) => Ok(written.into_iter().map(Ok).collect()),
        Err(Broken {
            error: error @ (ServiceError::Retry | ServiceError::Unavailable(_)),
            ..
        })
        | Err(Broken { at: None, error }) => Err(error),
        Err(Broken { at, error }) => {
            let mut own = Some(error);
            let others = || {
                ServiceError::Depends(
                    "another operation failed that refers to this one, as this one to it"
                        .to_owned(),
                )
            };
            Ok(indices
                .iter()
                .map(|index| {
                    Err(if Some(*index) == at {
                        own.take().unwrap_or_else(others)
                    } else {
                        others()
                    })
                })
                .collect())
        }
    }
}

/// One write out of two: what was created, as it is now.
fn completed(created: Written, whole: Written) -> Written {
    let mut effects = created.effects;
    effects.enrollments += whole.effects.enrollments;
    effects.reasons += whole.effects.reasons;
    effects.cycles += whole.effects.cycles;
    Written {
        changed: true,
        members_added: created.members_added + whole.members_added,
        members_ended: created.members_ended + whole.members_ended,
        effects,
        changes: created.changes,
        ..whole
    }
}
