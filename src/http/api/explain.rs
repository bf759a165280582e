//! `/explain`: why somebody is enrolled, or why not and what to do (`rest-and-console.md` A6).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Call};
use super::enrollments::{DueAdjustment, Reason, ReasonGroup};
use super::members::LearnerRef;
use super::need;
use super::problem::Failure;
use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, EnrollmentId, LearnerId, MembershipId};
use crate::service::explain::{self, Explanation as Explained};
use crate::service::{ServiceError, courses, enrollments, group_members};

/// Whose enrollment in what: a learner by one name, a course by one.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExplainPair {
    #[param(inline)]
    pub learner: Option<LearnerId>,
    /// Instead of `learner`.
    pub user_name: Option<String>,
    /// Instead of `learner`.
    pub email: Option<String>,
    /// Instead of `learner`.
    pub external_id: Option<String>,
    #[param(inline)]
    pub course: Option<CourseId>,
    /// Instead of `course`.
    pub course_code: Option<String>,
}

/// Why somebody is enrolled, or why not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    pub learner: String,
    pub course: String,
    pub enrolled: bool,
    /// From the request to the enrollment, oldest first.
    pub chain: Vec<ChainLink>,
    pub due: Option<DueExplained>,
    /// Reasons that have ended; nothing of them un-enrolled anybody, unless they say `withdrawn`.
    pub ended_reasons: Vec<Reason>,
    /// What stands in the way first, of somebody who is not enrolled.
    pub first_blocker: Option<FirstBlocker>,
    /// Every membership through which the course could be owed.
    pub checked: Vec<CheckedPath>,
}

/// One link of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainLink {
    pub at: Instant,
    pub what: String,
    pub r#ref: String,
}

/// Where the due date comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueExplained {
    pub date: chrono::NaiveDate,
    pub from: String,
    pub adjustments: Vec<DueAdjustment>,
    pub others: Vec<OtherDue>,
}

/// The date of another obligation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OtherDue {
    pub group: String,
    pub date: Option<chrono::NaiveDate>,
}

/// What stands in the way.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstBlocker {
    pub code: String,
    pub detail: String,
    pub since: Option<Instant>,
    /// What to do about it.
    pub fix: Option<Fix>,
}

/// What to do, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fix {
    pub label: String,
    pub href: String,
}

/// One membership and assignment that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedPath {
    pub group: ReasonGroup,
    pub assignment_id: AssignmentId,
    pub membership_id: MembershipId,
    pub code: String,
    pub detail: String,
}

impl From<&Explained> for Explanation {
    fn from(explained: &Explained) -> Self {
        let link = |one: &explain::Link| ChainLink {
            at: one.at,
            what: one.what.clone(),
            r#ref: one.reference.clone(),
        };
        let due = |due: &explain::DueFrom| DueExplained {
            date: due.date,
            from: due.from.clone(),
            adjustments: due.adjustments.iter().map(DueAdjustment::from).collect(),
            others: due
                .others
                .iter()
                .map(|(group, date)| OtherDue {
                    group: group.clone(),
                    date: *date,
                })
                .collect(),
        };
        let blocker = |one: &explain::FirstBlocker| FirstBlocker {
            code: one.code.clone(),
            detail: one.detail.clone(),
            since: one.since,
            fix: one.fix.clone().map(|(label, href)| Fix { label, href }),
        };
        let checked = explained.checked.iter().map(|one| CheckedPath {
            group: ReasonGroup {
                id: one.through.group_id,
                name: Some(one.through.group_name.clone()),
                name_now: None,
                live: true,
            },
            assignment_id: one.through.assignment_id,
            membership_id: one.through.membership_id,
            code: one.blocker.code().to_owned(),
            detail: one.blocker.sentence().to_owned(),
        });
        Self {
            learner: explained.learner.clone(),
            course: explained.course.clone(),
            enrolled: explained.enrolled,
            chain: explained.chain.iter().map(link).collect(),
            due: explained.due.as_ref().map(due),
            ended_reasons: explained.ended.iter().map(Reason::from).collect(),
            first_blocker: explained.first_blocker.as_ref().map(blocker),
            checked: checked.collect(),
        }
    }
}

/// Explain why a learner is or is not enrolled in a course.
#[utoipa::path(get, path = "/explain", tag = "Enrollments", params(ExplainPair), security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "The chain, or the first blocker.", body = Explanation)))]
pub async fn pair(call: Call<need::EnrollmentsRead>) -> Answer {
    let asked: ExplainPair = call.query()?;
    let wrong = |name: &str, detail: &str| Failure::query(name, "invalid", detail.to_owned());
    let who = LearnerRef {
        id: asked.learner,
        external_id: asked.external_id,
        user_name: asked.user_name,
        email: asked.email,
    };
    let who = who.read("learner").map_err(|_| {
        let ways = "name the learner by one of `learner`, `user_name`, `email`, `external_id`";
        wrong("learner", ways)
    })?;
    let course = match (asked.course, asked.course_code) {
        (Some(id), None) => Ok(id),
        (None, Some(code)) => Err(code),
        _ => {
            let ways = "name the course by `course` or by `course_code`";
            return Err(wrong("course", ways));
        }
    };
    let explained = call
        .read(move |db, scope| {
            let learner = group_members::named(db, scope, std::slice::from_ref(&who))?;
            let unknown = || ServiceError::not_found("Learner", "");
            let learner = learner.first().copied().ok_or_else(unknown)?;
            let course = match &course {
                Ok(id) => *id,
                Err(code) => courses::by_code(db, scope, code)?,
            };
            explain::explain(db, scope, learner, course)
        })
        .await?;
    Ok(actix_web::HttpResponse::Ok().json(Explanation::from(&explained)))
}

/// Explain an enrollment.
#[utoipa::path(get, path = "/enrollments/{id}/explain", tag = "Enrollments", params(("id" = EnrollmentId, Path)),
    security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "The chain.", body = Explanation)))]
pub async fn enrollment(call: Call<need::EnrollmentsRead>) -> Answer {
    let id: EnrollmentId = call.id("Enrollment", "id")?;
    let explained = call
        .read(move |db, scope| {
            let row = enrollments::view(db, scope, id)?.row;
            explain::explain(db, scope, row.learner_id, row.course_id)
        })
        .await?;
    Ok(actix_web::HttpResponse::Ok().json(Explanation::from(&explained)))
}
