//! Sessions: the calls of one connection with gaps under a minute, for an identity provider sends one call per member and
//! nobody reads a raw list (`rest-and-console.md` A7).
//!
//! They are no rows: the log is walked from its end, a thousand calls at a time, and put together.

use std::collections::HashMap;

use serde::Serialize;

use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId};
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::sync_log::{self, Step};

use super::super::{Scope, ServiceError};
use super::reading::Effects;
use super::{Operation, Outcome};

/// A longer silence, in milliseconds, begins another session.
const GAP: i64 = 60_000;
/// How many calls are read at a time.
const CALLS: i64 = 1000;
/// How many calls one answer looks at; a session that goes on behind them is told as far as it was seen.
const MOST_CALLS: i64 = 100_000;
/// How many resources a session names.
const NAMED: usize = 5;

/// How many calls came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SyncOutcomes)]
pub struct Outcomes {
    pub success: i64,
    pub no_op: i64,
    pub partial: i64,
    pub held: i64,
    pub parked: i64,
    pub rejected: i64,
    pub failed: i64,
}

/// Calls of one connection without a long silence between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SyncSession)]
pub struct Session {
    pub first_request_id: RequestId,
    pub last_request_id: RequestId,
    /// Null: tokens that belong to no connection.
    pub connection_id: Option<ConnectionId>,
    pub began_at: Instant,
    pub ended_at: Instant,
    pub calls: i64,
    /// Of the calls, those that only looked.
    pub reads: i64,
    pub outcomes: Outcomes,
    pub effects: Effects,
    /// What the latest writes were about, a few.
    pub resources: Vec<String>,
    /// False: it goes on before the calls that were looked at.
    pub complete: bool,
}

impl Session {
    fn of(step: &Step) -> Self {
        Self {
            first_request_id: step.id,
            last_request_id: step.id,
            connection_id: step.connection_id,
            began_at: Instant(step.at),
            ended_at: Instant(step.at),
            calls: 0,
            reads: 0,
            outcomes: Outcomes::default(),
            effects: Effects::default(),
            resources: Vec::new(),
            complete: true,
        }
    }

    /// Counts a call before the others.
    fn take(&mut self, step: &Step) {
        self.first_request_id = step.id;
        self.began_at = Instant(step.at.min(self.began_at.0));
        self.calls += 1;
        let operation = Operation::parse(&step.operation);
        let writes = !matches!(
            operation,
            Some(Operation::Read | Operation::Probe | Operation::List)
        );
        self.reads += i64::from(!writes);
        let count = match Outcome::parse(&step.outcome) {
            Some(Outcome::Success) => &mut self.outcomes.success,
            Some(Outcome::NoOp) => &mut self.outcomes.no_op,
            Some(Outcome::Partial) => &mut self.outcomes.partial,
            Some(Outcome::Held) => &mut self.outcomes.held,
            Some(Outcome::Parked) => &mut self.outcomes.parked,
            Some(Outcome::Rejected) => &mut self.outcomes.rejected,
            Some(Outcome::Failed) | None => &mut self.outcomes.failed,
        };
        *count += 1;
        self.effects.members_added += step.members_added;
        self.effects.members_ended += step.members_ended;
        self.effects.enrollments += step.enrollments;
        if let Some(label) = step.resource_label.as_ref().filter(|_| writes)
            && self.resources.len() < NAMED
            && !self.resources.contains(label)
        {
            self.resources.push(label.clone());
        }
    }
}

/// What the next call of a connection, going back in time, belongs to.
enum Now {
    /// A session of this page, if it is near enough.
    Session(usize),
    /// One of a page before, whose calls go back to here.
    Before(i64),
    /// One of a page to come.
    Behind,
}

/// The walk back through the log.
struct Walk {
    limit: usize,
    found: Vec<Session>,
    now: HashMap<Option<ConnectionId>, Now>,
}

impl Walk {
    /// Puts a call where it belongs. `shown`: whether a session of a page before reaches to it.
    fn take(
        &mut self,
        step: &Step,
        shown: impl FnOnce() -> Result<bool, ServiceError>,
    ) -> Result<(), ServiceError> {
        let near = |began: i64| began - step.at < GAP;
        match self.now.get(&step.connection_id) {
            Some(Now::Behind) => return Ok(()),
            Some(Now::Session(at)) => {
                if let Some(session) = self.found.get_mut(*at).filter(|one| near(one.began_at.0)) {
                    session.take(step);
                    return Ok(());
                }
            }
            Some(Now::Before(began)) if near(*began) => {
                self.now.insert(step.connection_id, Now::Before(step.at));
                return Ok(());
            }
            Some(Now::Before(_)) => {}
            None => {
                if shown()? {
                    self.now.insert(step.connection_id, Now::Before(step.at));
                    return Ok(());
                }
            }
        }
        let next = if self.found.len() < self.limit {
            let mut session = Session::of(step);
            session.take(step);
            self.found.push(session);
            Now::Session(self.found.len() - 1)
        } else {
            Now::Behind
        };
        self.now.insert(step.connection_id, next);
        Ok(())
    }

    /// Whether no call at or before this instant can belong to a session of this page.
    fn is_over(&self, at: i64) -> bool {
        let mut open = self.now.values().filter_map(|now| match now {
            Now::Session(at) => self.found.get(*at),
            Now::Before(_) | Now::Behind => None,
        });
        self.found.len() >= self.limit && open.all(|session| session.began_at.0 - at >= GAP)
    }
}

/// A page of sessions, the one with the latest call first; of one connection if it is named.
pub fn sessions(
    db: &mut Db,
    scope: &Scope,
    connection: Option<ConnectionId>,
    paging: &Paging,
) -> Result<Found<Session>, ServiceError> {
    let shown = paging.after.as_ref().map(|place| RequestId(place.id));
    let rows = walk(db, scope, connection, shown, paging.limit, MOST_CALLS)?;
    let total = if paging.total {
        let all = walk(db, scope, connection, None, i64::MAX, i64::MAX)?;
        i64::try_from(all.len()).ok()
    } else {
        None
    };
    Ok(Found { rows, total })
}

fn walk(
    db: &mut Db,
    scope: &Scope,
    connection: Option<ConnectionId>,
    shown: Option<RequestId>,
    limit: i64,
    most_calls: i64,
) -> Result<Vec<Session>, ServiceError> {
    let mut walk = Walk {
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        found: Vec::new(),
        now: HashMap::new(),
    };
    let (mut before, mut calls) = (shown, 0);
    loop {
        let steps = sync_log::steps(db, scope.tenant, connection, before, CALLS)?;
        for step in &steps {
            if walk.is_over(step.at) {
                return Ok(walk.found);
            }
            walk.take(step, || match shown {
                // The nearest call after it that the pages before have shown.
                Some(from) => {
                    let next = sync_log::next_call(db, scope.tenant, step.connection_id, from)?;
                    Ok(next.is_some_and(|at| at - step.at < GAP))
                }
                None => Ok(false),
            })?;
        }
        let Some(last) = steps.last() else {
            return Ok(walk.found);
        };
        before = Some(last.id);
        calls += CALLS;
        if calls >= most_calls {
            break;
        }
    }
    let last = walk.found.iter().map(|one| one.began_at.0).min();
    for now in walk.now.values() {
        if let Now::Session(at) = now
            && let Some(session) = walk.found.get_mut(*at)
        {
            session.complete = Some(session.began_at.0) > last.map(|at| at + GAP);
        }
    }
    Ok(walk.found)
}
