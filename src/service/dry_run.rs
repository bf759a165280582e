//! Dry run: the real use case in its transaction, then what it wrote as a plan, then nothing of it (`rest-and-console.md` A5).
//!
//! The plan is read back from the rows that carry the request's id, so it says what happened and not what somebody
//! meant. Not here: who asks for one (`http/api/call.rs`), plans that are kept for a later commit (imports).

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::ids::{CourseId, LearnerId, ReasonId};
use crate::learning::calendar::local_date;
use crate::learning::obligation::Status;
use crate::store::queries::written::{self, Written};
use crate::store::{Db, StoreError, TransactionError};

use super::obligations::{AsOf, Narrow};
use super::{Scope, ServiceError, enroll, groups, obligations};

/// How many changes of each sort a plan names; the summary counts all.
const NAMED: i64 = 200;

/// What the write itself would answer.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PlannedAnswer)]
pub struct Told {
    pub status: u16,
    pub body: Value,
}

/// How many memberships would begin, end, or begin waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MembershipCounts {
    pub add: i64,
    pub end: i64,
    pub pend: i64,
}

/// How many enrollments would be made, are there already, or be taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EnrollmentCounts {
    pub create: i64,
    pub keep: i64,
    pub remove: i64,
}

/// A plan's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PlanSummary)]
pub struct Summary {
    pub learners_affected: i64,
    pub memberships: MembershipCounts,
    pub enrollments: EnrollmentCounts,
    pub cycles_opened: i64,
    pub becomes_overdue: i64,
    pub becomes_expired: i64,
    pub emails: i64,
}

/// What would happen.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Plan {
    /// Null: a dry run is not kept; send the request again without `dry_run`.
    pub plan_id: Option<uuid::Uuid>,
    pub expires_at: Option<crate::clock::Instant>,
    pub summary: Summary,
    #[schema(value_type = Vec<Object>)]
    pub changes: Vec<Value>,
    /// Whether there are more changes than are named.
    pub changes_truncated: bool,
    #[schema(value_type = Vec<Object>)]
    pub warnings: Vec<Value>,
    /// What the request names and would be left out, with the reason.
    #[schema(value_type = Vec<Object>)]
    pub skipped: Vec<Value>,
    /// What the request would be answered.
    pub response: Told,
    pub state_hash: String,
}

/// The end of a dry run, which is always an error to the store: nothing of it may stay.
#[derive(Debug)]
pub enum Rehearsal {
    Plan(Box<Plan>),
    Failed(ServiceError),
}

impl From<StoreError> for Rehearsal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl TransactionError for Rehearsal {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Plan(_) => None,
            Self::Failed(error) => error.store_error(),
        }
    }
}

/// Runs a use case and reads what it wrote; the caller hands the result to the store as the transaction's error.
pub fn rehearse(
    db: &mut Db,
    scope: &Scope,
    job: impl FnOnce(&mut Db, &Scope) -> Result<Told, ServiceError>,
) -> Rehearsal {
    match plan(db, scope, job) {
        Ok(plan) => Rehearsal::Plan(Box::new(plan)),
        Err(error) => Rehearsal::Failed(error),
    }
}

/// How many learners and courses are judged before and after; of a larger change the dates alone are compared.
const JUDGED: i64 = 2000;

/// How obligations stand, by their reasons.
type Standing = HashMap<ReasonId, Status>;

fn standing(
    db: &mut Db,
    scope: &Scope,
    pairs: &[(LearnerId, CourseId)],
) -> Result<Standing, ServiceError> {
    let mut found = Standing::new();
    for some in pairs.chunks(enroll::NAMED_AT_MOST) {
        let narrow = Narrow::Pairs(some.to_vec());
        let now = AsOf::present(scope.now);
        let gathered = obligations::gather(db, scope.tenant, &narrow, now)?;
        found.extend(
            gathered
                .judged()
                .map(|one| (one.row.reason_id, one.judgment.status)),
        );
    }
    Ok(found)
}

/// What was done and is to be taken back, for a look at what was before.
enum Done {
    Planned(Box<Plan>, Vec<(LearnerId, CourseId)>, Standing),
    Failed(ServiceError),
}

impl From<StoreError> for Done {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ServiceError> for Done {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error)
    }
}

fn plan(
    db: &mut Db,
    scope: &Scope,
    job: impl FnOnce(&mut Db, &Scope) -> Result<Told, ServiceError>,
) -> Result<Plan, ServiceError> {
    let done = db.savepoint(|db| {
        let written = Written {
            tenant: scope.tenant,
            request: scope.request,
            since: written::floor(db)?,
        };
        let plan = Box::new(planned(db, scope, &written, job)?);
        let today = local_date(scope.now, groups::zone(db, scope)?).to_string();
        let pairs = written::worse(db, &written, &today, JUDGED + 1)?;
        let few = i64::try_from(pairs.len()).is_ok_and(|count| count <= JUDGED);
        let pairs = if few { pairs } else { Vec::new() };
        let after = standing(db, scope, &pairs)?;
        Err::<(), _>(Done::Planned(plan, pairs, after))
    });
    match done {
        Err(Done::Planned(mut plan, pairs, after)) => {
            let before = standing(db, scope, &pairs)?;
            let becomes = |status| {
                let new = after.iter().filter(|(reason, after)| {
                    **after == status && before.get(*reason) != Some(&status)
                });
                i64::try_from(new.count()).unwrap_or(i64::MAX)
            };
            if !pairs.is_empty() {
                plan.summary.becomes_overdue = becomes(Status::Overdue) + by_edit(&plan.response);
                plan.summary.becomes_expired = becomes(Status::Expired);
            }
            plan.state_hash = hash(&plan);
            Ok(*plan)
        }
        Err(Done::Failed(error)) => Err(error),
        // Every rehearsal is taken back.
        Ok(()) => Err(ServiceError::Bug(anyhow::anyhow!("a rehearsal was kept"))),
    }
}

/// How many obligations an edit of terms makes overdue.
fn by_edit(response: &Told) -> i64 {
    let told = response.body.pointer("/impact/becomes_overdue");
    told.and_then(Value::as_i64).unwrap_or(0)
}

fn hash(plan: &Plan) -> String {
    let facts = json!([plan.summary, plan.changes, plan.warnings]).to_string();
    Sha256::digest(facts.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn planned(
    db: &mut Db,
    scope: &Scope,
    written: &Written,
    job: impl FnOnce(&mut Db, &Scope) -> Result<Told, ServiceError>,
) -> Result<Plan, ServiceError> {
    let response = job(db, scope)?;
    let today = local_date(scope.now, groups::zone(db, scope)?).to_string();
    let counts = written::counts(db, written, &today)?;
    let summary = Summary {
        learners_affected: counts.learners,
        memberships: MembershipCounts {
            add: counts.added - counts.pending,
            end: counts.ended,
            pend: counts.pending,
        },
        enrollments: EnrollmentCounts {
            create: counts.enrollments,
            keep: (counts.pairs - counts.enrollments).max(0),
            remove: counts.withdrawn,
        },
        cycles_opened: counts.cycles,
        becomes_overdue: counts.overdue + by_edit(&response),
        becomes_expired: 0,
        emails: 0,
    };
    let mut changes = Vec::new();
    let events = written::events(db, written, NAMED)?;
    let members = written::members(db, written, NAMED)?;
    let reasons = written::reasons(db, written, NAMED)?;
    let full = |count: usize| i64::try_from(count).unwrap_or(i64::MAX) >= NAMED;
    let changes_truncated = full(events.len()) || full(members.len()) || full(reasons.len());
    for event in events {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        let op = event
            .event_type
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        changes
            .push(json!({"op": op, "entity": event.entity, "id": event.entity_id, "data": data}));
    }
    for member in members {
        let op = match (member.ended, member.waiting) {
            (true, _) => "end",
            (false, true) => "pend",
            (false, false) => "add",
        };
        changes.push(json!({
            "op": op, "entity": "membership", "learner": member.learner_name, "learner_id": member.learner_id,
            "group": member.group_name, "group_id": member.group_id,
        }));
    }
    for reason in reasons {
        changes.push(json!({
            "op": if reason.created { "create" } else { "keep" }, "entity": "enrollment",
            "learner": reason.learner_name, "learner_id": reason.learner_id, "course": reason.course_title,
            "course_id": reason.course_id, "due": reason.due_date, "due_days": reason.due_days,
            "because": reason.group_name,
        }));
    }
    let listed = |name: &str| {
        response
            .body
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let skipped = listed("results")
        .into_iter()
        .filter(|result| result.get("outcome").and_then(Value::as_str) == Some("error"))
        .collect();
    let warnings = listed("warnings");
    Ok(Plan {
        plan_id: None,
        expires_at: None,
        summary,
        changes,
        changes_truncated,
        warnings,
        skipped,
        response,
        state_hash: String::new(),
    })
}
