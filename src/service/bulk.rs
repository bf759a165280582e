//! Bulk: many operations in one request, each as the single request would run it. RFC 7644 §3.7, B-12 to B-25.
//!
//! Each operation is all or nothing and has its own row in the sync log; many share one transaction, which is what makes a
//! bulk request cheap. A stretch first runs as if nothing could go wrong; only when an operation fails does it run again,
//! each operation in a savepoint of its own. The caller runs a plan stretch by stretch. Not here: statuses, which the caller puts
//! into the log's entries.

mod circle;

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::ids::RequestId;
use crate::scim::bulk::{Action, BulkRequest, Found, Planned, Refused, Target, Unit, order, visit};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::message::Note;
use crate::scim::patch::{self, CompiledPatch, PatchRequest};
use crate::scim::quirks;
use crate::scim::version::IfMatch;
use crate::store::{Db, StoreError};

use super::directory::{self, Call, Kind, Written};
use super::sync_log::{self, Body, Operation, SyncEntry};
use super::{Scope, ServiceError};

/// Operations that share a transaction.
const TOGETHER: usize = 100;

/// A request with the order it runs in.
#[derive(Clone, Debug)]
pub struct Plan {
    pub request: BulkRequest,
    units: Vec<Unit>,
    /// Which operation a bulkId stands for.
    makers: HashMap<String, usize>,
}

/// What has come of the operations so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The id that each creation made; `None` when it failed.
    made: HashMap<usize, Option<String>>,
    errors: usize,
}

/// One operation that was tried.
#[derive(Debug)]
pub struct Done {
    /// Its position in the request.
    pub index: usize,
    /// The resource it was about, as far as that is known.
    pub place: Option<(Kind, String)>,
    pub result: Result<Written, ServiceError>,
}

impl Plan {
    /// Puts a request in order.
    #[must_use]
    pub fn of(request: BulkRequest) -> Self {
        let units = order(&request);
        let posts = request
            .operations
            .iter()
            .enumerate()
            .filter(|(_, operation)| operation.method == "POST");
        let makers = posts
            .filter_map(|(at, operation)| Some((operation.bulk_id.clone()?, at)))
            .collect();
        Self {
            request,
            units,
            makers,
        }
    }

    /// The next stretch from a unit on; `None` at the end, or when as many operations have failed as may (B-13).
    #[must_use]
    pub fn stretch(&self, from: usize, progress: &Progress) -> Option<Range<usize>> {
        if self.stops(progress) || from >= self.units.len() {
            return None;
        }
        let mut operations = 0;
        let units = self.units.get(from..).unwrap_or_default();
        let fits = units.iter().take_while(|unit| {
            let first = operations == 0;
            operations += unit.operations.len();
            first || operations <= TOGETHER
        });
        Some(from..from + fits.count())
    }

    /// The operations of a stretch.
    pub fn operations(&self, stretch: Range<usize>) -> impl Iterator<Item = usize> {
        self.units
            .get(stretch)
            .unwrap_or_default()
            .iter()
            .flat_map(|unit| unit.operations.iter().copied())
    }

    fn stops(&self, progress: &Progress) -> bool {
        self.request
            .fail_on_errors
            .is_some_and(|limit| progress.errors >= limit)
    }

    fn planned(&self, index: usize) -> Result<&Planned, ServiceError> {
        match self
            .request
            .operations
            .get(index)
            .map(|operation| &operation.planned)
        {
            Some(Ok(planned)) => Ok(planned),
            Some(Err(Refused::Scim(error))) => Err(error.clone().into()),
            Some(Err(Refused::NoEndpoint(path))) => Err(ServiceError::not_found("endpoint", path)),
            None => Err(ServiceError::Bug(anyhow::anyhow!(
                "a bulk plan names an operation that is not there"
            ))),
        }
    }

    /// B-20: the id behind a bulkId; `None` for one of the same circle that is yet to come.
    fn made(&self, name: &str, progress: &Progress) -> Result<Option<String>, ServiceError> {
        let Some(maker) = self.makers.get(name) else {
            return Err(ScimError::invalid_value(format!(
                "no POST of this request has the bulkId {name}"
            ))
            .into());
        };
        match progress.made.get(maker) {
            Some(Some(id)) => Ok(Some(id.clone())),
            Some(None) => Err(ServiceError::Depends(format!(
                "the operation with the bulkId {name} failed"
            ))),
            None => Ok(None),
        }
    }
}

impl Progress {
    /// Notes what came of an operation.
    pub fn note(&mut self, index: usize, made: Result<&str, ()>) {
        self.errors += usize::from(made.is_err());
        self.made.insert(index, made.ok().map(str::to_owned));
    }

    pub(super) fn take(&mut self, done: &Done) {
        self.note(
            done.index,
            done.result
                .as_ref()
                .map(|written| written.id.as_str())
                .map_err(|_| ()),
        );
    }
}

/// An operation's row in the log, opened; the request's own id stays with the answer.
#[must_use]
pub fn entry(plan: &Plan, scope: &Scope, index: usize, user_agent: Option<&str>) -> SyncEntry {
    let Some(operation) = plan.request.operations.get(index) else {
        return SyncEntry::start(
            scope,
            Operation::Bulk,
            "POST",
            "/scim/v2/Bulk",
            None,
            user_agent,
        );
    };
    let planned = operation.planned.as_ref().ok();
    let what = match planned.map(|planned| &planned.action) {
        None => Operation::Bulk,
        Some(Action::Create) => Operation::Create,
        Some(Action::Replace(_)) => Operation::Replace,
        Some(Action::Patch(_)) => Operation::Patch,
        Some(Action::Delete(_)) => Operation::Delete,
    };
    let path = format!("/scim/v2/{}", operation.path.trim_start_matches('/'));
    let body = planned
        .filter(|planned| !planned.data.is_null())
        .map(|planned| planned.data.to_string());
    let mut entry = SyncEntry::start(
        scope,
        what,
        &operation.method,
        &path,
        body.as_deref(),
        user_agent,
    );
    entry.resource_type = planned.map(|planned| planned.resource_type.name.to_owned());
    entry
}

/// Why a stretch did not run through without savepoints.
enum Halted {
    /// An operation failed; the others must not.
    Refused,
    /// The whole transaction is concerned.
    Broken(ServiceError),
}

impl From<StoreError> for Halted {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<ServiceError> for Halted {
    fn from(error: ServiceError) -> Self {
        Self::Broken(error)
    }
}

/// Runs a stretch of the plan in the present transaction. `close` fills an entry with what came of the operation.
///
/// Errors: only those that concern the whole transaction; then nothing of the stretch has happened.
pub fn run(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    plan: &Plan,
    stretch: (Range<usize>, &Progress),
    user_agent: Option<&str>,
    close: &dyn Fn(SyncEntry, &Scope, &Done) -> SyncEntry,
) -> Result<Vec<Done>, ServiceError> {
    let tried = |db: &mut Db, each_alone| {
        let stretch = (stretch.0.clone(), stretch.1);
        attempt(
            db, scope, call, plan, stretch, user_agent, close, each_alone,
        )
    };
    let smooth = db.savepoint(|db| tried(db, false));
    let done = match smooth {
        Err(Halted::Refused) => tried(db, true),
        other => other,
    };
    done.map_err(|halted| match halted {
        Halted::Broken(error) => error,
        Halted::Refused => ServiceError::Bug(anyhow::anyhow!(
            "an operation in a savepoint halted its stretch"
        )),
    })
}

#[allow(
    clippy::too_many_arguments,
    reason = "what `run` was given, and how to go about it"
)]
fn attempt(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    plan: &Plan,
    (stretch, progress): (Range<usize>, &Progress),
    user_agent: Option<&str>,
    close: &dyn Fn(SyncEntry, &Scope, &Done) -> SyncEntry,
    each_alone: bool,
) -> Result<Vec<Done>, Halted> {
    let mut progress = progress.clone();
    let mut all = Vec::new();
    let mut log = Vec::new();
    for unit in plan.units.get(stretch).unwrap_or_default() {
        if plan.stops(&progress) {
            break;
        }
        let scopes: Vec<Scope> = unit
            .operations
            .iter()
            .map(|_| Scope {
                request: RequestId::new(),
                ..scope.clone()
            })
            .collect();
        let entries: Vec<SyncEntry> = unit
            .operations
            .iter()
            .zip(&scopes)
            .map(|(index, scope)| entry(plan, scope, *index, user_agent))
            .collect();
        let results = match (unit.operations.as_slice(), unit.circle) {
            (&[index], false) => {
                let scope = scopes.first().unwrap_or(scope);
                let job = |db: &mut Db| execute(db, scope, call, plan, index, &progress);
                vec![if each_alone {
                    db.savepoint(job)
                } else {
                    job(db)
                }]
            }
            (indices, _) => circle::run(db, &scopes, call, plan, indices, &progress)?,
        };
        for (((index, result), mut entry), scope) in unit
            .operations
            .iter()
            .zip(results)
            .zip(entries)
            .zip(&scopes)
        {
            match result {
                Err(error @ (ServiceError::Retry | ServiceError::Unavailable(_))) => {
                    return Err(Halted::Broken(error));
                }
                Err(_) if !each_alone => return Err(Halted::Refused),
                _ => {}
            }
            let done = Done {
                index: *index,
                place: place(plan, *index, &progress, &result),
                result,
            };
            if let Ok((data, _)) = resolved(plan, *index, &progress)
                && !data.is_null()
            {
                entry.request_body = Some(Body::of(&data.to_string()));
            }
            progress.take(&done);
            log.push(close(entry, scope, &done));
            all.push(done);
        }
    }
    sync_log::record_all(db, scope, log)?;
    Ok(all)
}

/// Runs one operation by itself, without a row in the log. Errors: only those that concern the whole transaction.
pub(super) fn alone(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    plan: &Plan,
    index: usize,
    progress: &Progress,
) -> Result<Done, ServiceError> {
    let result = db.savepoint(|db| execute(db, scope, call, plan, index, progress));
    match result {
        Err(error @ (ServiceError::Retry | ServiceError::Unavailable(_))) => Err(error),
        result => Ok(Done {
            index,
            place: place(plan, index, progress, &result),
            result,
        }),
    }
}

/// The resource an operation is about: what it made, or what its path names.
fn place(
    plan: &Plan,
    index: usize,
    progress: &Progress,
    result: &Result<Written, ServiceError>,
) -> Option<(Kind, String)> {
    let planned = plan.planned(index).ok()?;
    let id = match (result, planned.action.target()) {
        (Ok(written), _) => written.id.clone(),
        (Err(_), Some(Target::Id(id))) => id.clone(),
        (Err(_), Some(Target::BulkId(name))) => plan.made(name, progress).ok()??,
        (Err(_), None) => return None,
    };
    Some((Kind::of(&planned.resource_type), id))
}

/// The data with ids for references. The flag tells whether a value was left out whose id does not exist yet.
fn resolved(plan: &Plan, index: usize, progress: &Progress) -> Result<(Value, bool), ServiceError> {
    let planned = plan.planned(index)?;
    let mut data = planned.data.clone();
    if planned.references.is_empty() {
        return Ok((data, false));
    }
    let (mut failure, mut left_out) = (None, false);
    visit(
        &planned.resource_type,
        planned.action.shape(),
        &mut data,
        &mut |name| match plan.made(name, progress) {
            Ok(Some(id)) => Found::Put(id),
            Ok(None) => {
                left_out = true;
                Found::Drop
            }
            Err(error) => {
                failure.get_or_insert(error);
                Found::Keep
            }
        },
    );
    failure.map_or(Ok((data, left_out)), Err)
}

fn execute(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    plan: &Plan,
    index: usize,
    progress: &Progress,
) -> Result<Written, ServiceError> {
    let planned = plan.planned(index)?;
    let kind = Kind::of(&planned.resource_type);
    let (data, _) = resolved(plan, index, progress)?;
    let expected = IfMatch::of(planned.version.as_deref());
    let id = match planned.action.target() {
        None => String::new(),
        Some(Target::Id(id)) => id.clone(),
        Some(Target::BulkId(name)) => plan.made(name, progress)?.ok_or_else(|| {
            ServiceError::Depends(format!("the operation with the bulkId {name} has not run"))
        })?,
    };
    let at = (kind, id.as_str());
    match &planned.action {
        Action::Create => directory::create(db, scope, call, kind, &data),
        Action::Replace(_) => directory::replace(db, scope, call, at, &data, &expected),
        Action::Delete(_) => directory::delete(db, scope, call, at, &expected),
        Action::Patch(_) => match compile(scope, planned, data) {
            Ok((compiled, rewrites)) => {
                let mut written = directory::patch(db, scope, call, at, &compiled, &expected)?;
                written.notes.splice(0..0, rewrites);
                Ok(written)
            }
            // a resource that is not there is 404 before what the operations mean, as for the single request
            Err(error) => Err(match directory::get(db, scope, call, kind, &id) {
                Err(missing @ ServiceError::NotFound { .. }) => missing,
                _ => error,
            }),
        },
    }
}

fn compile(
    scope: &Scope,
    planned: &Planned,
    mut data: Value,
) -> Result<(CompiledPatch, Vec<Note>), ServiceError> {
    let client = scope
        .connection
        .as_ref()
        .map_or(quirks::Client::Generic, |connection| connection.client);
    let rewrites = quirks::rewrite_patch(client, &mut data);
    let switches = scope.switches();
    if !switches.patch {
        let detail = "this connection is not offered PATCH; /ServiceProviderConfig says so";
        return Err(ScimError::new(ScimErrorKind::Unsupported, detail).into());
    }
    let parsed = PatchRequest::parse_in_bulk(data, &switches)?;
    Ok((
        patch::compile(&parsed, &planned.resource_type, &switches)?,
        rewrites,
    ))
}
