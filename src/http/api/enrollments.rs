//! `/enrollments`: one per learner and course, with the reasons why; and the only un-enrollment.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::assignments::DueDate;
use super::call::{Answer, Body, Call};
use super::members::{LearnerRef, one_learner};
use super::need;
use super::page::{Page, PageQuery, sorts};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{
    AssignmentId, CourseId, EnrollmentId, ExceptionId, GroupId, LearnerId, MembershipId, ReasonId,
    RequestId,
};
use crate::learning::obligation::{Adjustment, Judgment, Status};
use crate::service::completions;
use crate::service::enrollments::{self, EnrollmentView, PairFilter, ReasonView};
use crate::service::exceptions::{self, Grant};
use crate::service::group_members;
use crate::service::listing::Place;

/// The one enrollment of a learner in a course.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrollment {
    pub id: EnrollmentId,
    pub learner_id: LearnerId,
    pub learner_name: String,
    pub course_id: CourseId,
    pub course_title: String,
    pub status: Status,
    pub status_set_by: Option<SetBy>,
    /// The certificate has lapsed, extra time was granted.
    pub in_grace: bool,
    /// Whether anything still obliges the learner.
    pub obligation: bool,
    pub mandatory: bool,
    /// The earliest due date of all obligations.
    pub due: Option<chrono::NaiveDate>,
    pub due_set_by: Option<SetBy>,
    /// The earliest end of a certificate.
    pub valid_until: Option<chrono::NaiveDate>,
    pub valid_until_set_by: Option<SetBy>,
    pub cycle: Option<Cycle>,
    pub reasons: Vec<Reason>,
    pub exceptions: Vec<Exception>,
    pub created_at: Instant,
    pub withdrawn_at: Option<Instant>,
    pub withdrawn_cause: Option<String>,
}

/// The obligation that sets a value.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetBy {
    pub group: Option<String>,
    pub assignment_id: Option<AssignmentId>,
}

/// The present cycle: from enrollment or renewal to completion.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cycle {
    pub n: i64,
    pub opened_at: Option<Instant>,
    pub opened_by: Option<String>,
    pub started_at: Option<Instant>,
    pub completed_at: Option<Instant>,
    pub progress_pct: Option<i64>,
}

/// Why somebody is enrolled.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    pub id: ReasonId,
    pub kind: String,
    pub group: Option<ReasonGroup>,
    pub assignment_id: Option<AssignmentId>,
    pub membership_id: Option<MembershipId>,
    pub mandatory: bool,
    pub due: Option<DueDate>,
    pub recert_months: Option<i64>,
    pub since: Instant,
    pub ended_at: Option<Instant>,
    pub end_cause: Option<String>,
    pub request_id: RequestId,
    pub by: String,
    /// How the obligation stands; null when it has ended or the reason obliges to nothing.
    pub standing: Option<Standing>,
    /// What its completed cycles meant, frozen.
    pub outcomes: Vec<CycleOutcome>,
}

/// How one obligation stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    pub status: Status,
    pub in_grace: bool,
    pub due: Option<chrono::NaiveDate>,
    pub valid_until: Option<chrono::NaiveDate>,
    /// What moved the due date, in order.
    pub adjustments: Vec<DueAdjustment>,
}

/// Why a due date is not what the terms alone would give.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueAdjustment {
    /// `plan_upgrade`, `late_joiner_grace`, `return_grace` or `extension`.
    pub kind: String,
    pub from: Option<chrono::NaiveDate>,
    pub to: chrono::NaiveDate,
}

impl From<&Adjustment> for DueAdjustment {
    fn from(one: &Adjustment) -> Self {
        Self {
            kind: one.kind.to_owned(),
            from: one.from,
            to: one.to,
        }
    }
}

impl From<&Judgment> for Standing {
    fn from(judgment: &Judgment) -> Self {
        Self {
            status: judgment.status,
            in_grace: judgment.in_grace,
            due: judgment.due,
            valid_until: judgment.valid_until,
            adjustments: judgment
                .adjustments
                .iter()
                .map(DueAdjustment::from)
                .collect(),
        }
    }
}

/// What a completed cycle meant to an obligation.
#[derive(Debug, Serialize, ToSchema)]
pub struct CycleOutcome {
    pub cycle: i64,
    pub due: Option<String>,
    pub on_time: bool,
}

/// More time, or none required.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exception {
    pub id: ExceptionId,
    /// `extension` or `waiver`.
    pub kind: String,
    /// The one reason it is about; null: whatever the reason.
    pub reason_id: Option<ReasonId>,
    pub until: Option<String>,
    pub why: String,
    pub granted_at: Instant,
    pub granted_by: String,
}

/// The group of a reason, by the name it had.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonGroup {
    pub id: GroupId,
    pub name: Option<String>,
    /// What it is called today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_now: Option<String>,
    pub live: bool,
}

impl From<&ReasonView> for Reason {
    fn from(reason: &ReasonView) -> Self {
        let row = &reason.row;
        let outcomes = reason.outcomes.iter().map(|one| CycleOutcome {
            cycle: one.cycle_n,
            due: one.due_frozen.clone(),
            on_time: one.on_time,
        });
        Self {
            id: row.id,
            kind: row.kind.clone(),
            group: row.group_id.map(|id| ReasonGroup {
                id,
                name: row.group_name.clone(),
                name_now: row.group_name_now.clone(),
                live: row.group_live,
            }),
            assignment_id: row.assignment_id,
            membership_id: row.membership_id,
            mandatory: reason.options.mandatory,
            due: DueDate::of(reason.options.due),
            recert_months: reason.options.recert_months(),
            since: Instant(row.required_since),
            ended_at: row.ended_at.map(Instant),
            end_cause: row.end_cause.clone(),
            request_id: row.request_id,
            by: row.actor.clone(),
            standing: reason.judgment.as_ref().map(Standing::from),
            outcomes: outcomes.collect(),
        }
    }
}

impl From<&EnrollmentView> for Enrollment {
    fn from(view: &EnrollmentView) -> Self {
        let row = &view.row;
        let set_by = |position: Option<usize>| {
            let reason = position.and_then(|n| view.reasons.get(n))?;
            Some(SetBy {
                group: reason.row.group_name.clone(),
                assignment_id: reason.row.assignment_id,
            })
        };
        let exceptions = view.exceptions.iter().map(|one| Exception {
            id: one.id,
            kind: one.kind.clone(),
            reason_id: one.reason_id,
            until: one.until.clone(),
            why: one.why.clone(),
            granted_at: Instant(one.granted_at),
            granted_by: one.granted_by.clone(),
        });
        Self {
            id: row.id,
            learner_id: row.learner_id,
            learner_name: row.learner_name.clone(),
            course_id: row.course_id,
            course_title: row.course_title.clone(),
            status: view.now.status,
            status_set_by: set_by(view.status_set_by),
            in_grace: view.now.in_grace,
            obligation: view.reasons.iter().any(|reason| reason.judgment.is_some()),
            mandatory: view.now.mandatory,
            due: view.now.due,
            due_set_by: set_by(view.due_set_by),
            valid_until: view.now.valid_until,
            valid_until_set_by: set_by(view.valid_set_by),
            exceptions: exceptions.collect(),
            cycle: row.cycle_n.map(|n| Cycle {
                n,
                opened_at: row.opened_at.map(Instant),
                opened_by: row.opened_by.clone(),
                started_at: row.started_at.map(Instant),
                completed_at: row.completed_at.map(Instant),
                progress_pct: row.progress_pct,
            }),
            reasons: view.reasons.iter().map(Reason::from).collect(),
            created_at: Instant(row.created_at),
            withdrawn_at: row.withdrawn_at.map(Instant),
            withdrawn_cause: row.withdrawn_cause.clone(),
        }
    }
}

/// What narrows a list of enrollments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListEnrollments {
    #[param(inline)]
    pub learner_id: Option<LearnerId>,
    #[param(inline)]
    pub course_id: Option<CourseId>,
    /// By `created_at` unless told.
    #[param(inline)]
    pub sort: Option<AgeSort>,
}

sorts!(
    /// The oldest first, or the newest.
    AgeSort: () { CreatedAt CreatedAtDown = "created_at" "-created_at" () }
);

impl AgeSort {
    /// The order of a list that has no other: its name, and whether the newest come first.
    pub(super) const fn of(asked: Option<Self>) -> (&'static str, bool) {
        let sort = match asked {
            Some(sort) => sort,
            None => Self::CreatedAt,
        };
        (sort.name(), sort.order().1)
    }
}

/// List enrollments with their reasons.
#[utoipa::path(get, path = "/enrollments", tag = "Enrollments", params(ListEnrollments, PageQuery), security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "A page of enrollments.", body = Page<Enrollment>)))]
pub async fn list(call: Call<need::EnrollmentsRead>) -> Answer {
    let (asked, page): (ListEnrollments, _) = call.listed()?;
    let (order, down) = AgeSort::of(asked.sort);
    let list = call.list(page, order)?;
    let filter = PairFilter {
        learner: asked.learner_id,
        course: asked.course_id,
    };
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| enrollments::list(db, scope, filter, down, &paging))
        .await?;
    let place = |view: &EnrollmentView| Place::id(view.row.id.0);
    Ok(call.page(found, &list, place, |view| Enrollment::from(view)))
}

/// Read an enrollment.
#[utoipa::path(get, path = "/enrollments/{id}", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn get(call: Call<need::EnrollmentsRead>) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let view = call
        .read(move |db, scope| enrollments::view(db, scope, id))
        .await?;
    Ok(call.shown(None, &Enrollment::from(&view)))
}

/// Why a person does this.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Moved to a job that does not need it"}))]
pub struct BecauseOf {
    pub reason: String,
}

/// Withdraw: the only way anybody is un-enrolled.
#[utoipa::path(post, path = "/enrollments/{id}/withdraw", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    request_body = BecauseOf, security(("token" = ["enrollments:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn withdraw(call: Call<need::EnrollmentsWrite>, body: Body) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let because: BecauseOf = body.read()?;
    call.change("withdraw enrollment", move |db, scope| {
        Reply::ok(&Enrollment::from(&enrollments::withdraw(
            db,
            scope,
            id,
            &because.reason,
        )?))
    })
    .await
}

/// Whom to enroll by hand, and in what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"learner_id": "0199a2b9-0000-7000-8000-000000000001", "course_id": "0199a2aa-0000-7000-8000-000000000001"}))]
pub struct NewEnrollment {
    #[serde(default)]
    #[schema(nullable = false)]
    pub learner_id: Option<LearnerId>,
    /// Instead of `learner_id`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub learner: Option<LearnerRef>,
    pub course_id: CourseId,
}

/// Enroll one learner by hand. It obliges to nothing; an enrollment that was withdrawn is live again.
#[utoipa::path(post, path = "/enrollments", tag = "Enrollments", request_body = NewEnrollment, security(("token" = ["enrollments:write"])),
    responses((status = 201, description = "The enrollment.", body = Enrollment),
        (status = 200, description = "It was there already.", body = Enrollment),
        (status = 409, description = "`ambiguous_reference`"),
        (status = 422, description = "`learner_not_eligible`, `course_not_published`, `validation_failed`")))]
pub async fn create(call: Call<need::EnrollmentsWrite>, body: Body) -> Answer {
    let new: NewEnrollment = body.read()?;
    let who = [one_learner(new.learner_id, new.learner, "")?];
    call.change("enroll by hand", move |db, scope| {
        let learner = group_members::named(db, scope, &who)?;
        let learner = learner
            .first()
            .copied()
            .unwrap_or(LearnerId(uuid::Uuid::nil()));
        let (view, changed) = enrollments::enroll_by_hand(db, scope, learner, new.course_id)?;
        let shown = Enrollment::from(&view);
        if changed {
            Reply::created(&format!("/enrollments/{}", view.row.id), None, &shown)
        } else {
            Reply::ok(&shown)
        }
    })
    .await
}

/// Begin a completed course again: a new cycle, which takes nothing from the ones before.
#[utoipa::path(post, path = "/enrollments/{id}/restart", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    request_body = BecauseOf, security(("token" = ["enrollments:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment),
        (status = 422, description = "A cycle is open already, or the enrollment is withdrawn.")))]
pub async fn restart(call: Call<need::EnrollmentsWrite>, body: Body) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let because: BecauseOf = body.read()?;
    call.change("restart enrollment", move |db, scope| {
        Reply::ok(&Enrollment::from(&enrollments::restart(
            db,
            scope,
            id,
            &because.reason,
        )?))
    })
    .await
}

/// How far the learner is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"progress_pct": 20}))]
pub struct Progress {
    #[schema(minimum = 0, maximum = 100)]
    pub progress_pct: i64,
}

/// Note how far a learner is; the cycle begins with it. 100 is not a completion.
#[utoipa::path(post, path = "/enrollments/{id}/progress", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    request_body = Progress, security(("token" = ["completions:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment),
        (status = 422, description = "No cycle is open.")))]
pub async fn progress(call: Call<need::CompletionsWrite>, body: Body) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let progress: Progress = body.read()?;
    call.change("note progress", move |db, scope| {
        completions::progress(db, scope, id, progress.progress_pct)?;
        Reply::ok(&Enrollment::from(&enrollments::view(db, scope, id)?))
    })
    .await
}

/// More time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"due": "2027-05-31", "reason": "On parental leave until April"}))]
pub struct NewExtension {
    /// The new due date, inclusive.
    pub due: chrono::NaiveDate,
    pub reason: String,
    /// Only for this reason of the enrollment; absent: for all.
    #[serde(default)]
    pub reason_id: Option<ReasonId>,
}

/// Grant more time. It survives every edit of the assignment.
#[utoipa::path(post, path = "/enrollments/{id}/extension", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    request_body = NewExtension, security(("token" = ["enrollments:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn extend(call: Call<need::EnrollmentsWrite>, body: Body) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let new: NewExtension = body.read()?;
    call.change("extend", move |db, scope| {
        let grant = Grant::Extension(new.due);
        let view = exceptions::grant(db, scope, id, grant, new.reason_id, &new.reason)?;
        Reply::ok(&Enrollment::from(&view))
    })
    .await
}

/// Not required.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2027-12-31", "reason": "Holds an equal certificate"}))]
pub struct NewWaiver {
    /// The last day of the waiver; absent: for good.
    #[serde(default)]
    pub until: Option<chrono::NaiveDate>,
    pub reason: String,
    /// Only for this reason of the enrollment; absent: for all.
    #[serde(default)]
    pub reason_id: Option<ReasonId>,
}

/// Waive the obligation, until a day or for good.
#[utoipa::path(post, path = "/enrollments/{id}/waiver", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    request_body = NewWaiver, security(("token" = ["enrollments:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn waive(call: Call<need::EnrollmentsWrite>, body: Body) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let new: NewWaiver = body.read()?;
    call.change("waive", move |db, scope| {
        let grant = Grant::Waiver(new.until);
        let view = exceptions::grant(db, scope, id, grant, new.reason_id, &new.reason)?;
        Reply::ok(&Enrollment::from(&view))
    })
    .await
}

/// Take an extension or a waiver back.
#[utoipa::path(delete, path = "/enrollments/{id}/exceptions/{exception}", tag = "Enrollments",
    params(("id" = EnrollmentId, Path), ("exception" = ExceptionId, Path)), security(("token" = ["enrollments:write"])),
    responses((status = 200, description = "The enrollment.", body = Enrollment)))]
pub async fn revoke(call: Call<need::EnrollmentsWrite>) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let exception: ExceptionId = call.id("Exception", "exception")?;
    call.change("revoke exception", move |db, scope| {
        Reply::ok(&Enrollment::from(&exceptions::revoke(
            db, scope, id, exception,
        )?))
    })
    .await
}
