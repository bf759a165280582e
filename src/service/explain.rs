//! Why somebody is enrolled, or why not: read from the rows that made it so (§10, `rest-and-console.md` A6).

use crate::clock::Instant;
use crate::ids::{CourseId, LearnerId};
use crate::learning::assignment::Due;
use crate::learning::obligation::Adjustment;
use crate::learning::owed::Blocker;
use crate::store::Db;
use crate::store::queries::enrollments as rows;
use crate::store::queries::obligations::versions;
use crate::store::queries::{courses, learners, links, memberships, sync_log};

use super::enroll::{self, Checked};
use super::enrollments::{self, EnrollmentView, ReasonView};
use super::{Scope, ServiceError};

/// One link of the chain from a request to an enrollment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub at: Instant,
    pub what: String,
    /// `membership/…`, `assignment/…, version 2` and so on.
    pub reference: String,
}

/// Where a due date comes from.
#[derive(Clone, Debug)]
pub struct DueFrom {
    pub date: chrono::NaiveDate,
    pub from: String,
    pub adjustments: Vec<Adjustment>,
    /// The dates of the other obligations, with their groups.
    pub others: Vec<(String, Option<chrono::NaiveDate>)>,
}

/// What stands in the way first, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstBlocker {
    pub code: String,
    pub detail: String,
    pub since: Option<Instant>,
    /// What to do, and where.
    pub fix: Option<(String, String)>,
}

/// The answer to "why" and "why not".
#[derive(Clone, Debug)]
pub struct Explanation {
    pub learner: String,
    pub course: String,
    pub enrolled: bool,
    pub chain: Vec<Link>,
    pub due: Option<DueFrom>,
    pub ended: Vec<ReasonView>,
    pub first_blocker: Option<FirstBlocker>,
    pub checked: Vec<Checked>,
}

/// Explains one learner's enrollment in one course. Errors: no such learner or course.
pub fn explain(
    db: &mut Db,
    scope: &Scope,
    learner: LearnerId,
    course: CourseId,
) -> Result<Explanation, ServiceError> {
    let person = learners::find(db, scope.tenant, learner)?
        .ok_or_else(|| ServiceError::not_found("Learner", learner))?;
    let titled = courses::find(db, scope.tenant, course)?
        .ok_or_else(|| ServiceError::not_found("Course", course))?;
    let checked = enroll::explain(db, scope, learner, course)?;
    let view = match rows::find_pair(db, scope.tenant, learner, course)? {
        Some(row) => enrollments::views(db, scope, vec![row])?.pop(),
        None => None,
    };
    let enrolled = view
        .as_ref()
        .is_some_and(|view| view.row.withdrawn_at.is_none());
    let mut explanation = Explanation {
        learner: person.display_name.clone(),
        course: titled.title.clone(),
        enrolled,
        chain: Vec::new(),
        due: None,
        ended: Vec::new(),
        first_blocker: None,
        checked,
    };
    if let Some(view) = &view {
        explanation.ended = view
            .reasons
            .iter()
            .filter(|reason| reason.row.ended_at.is_some())
            .cloned()
            .collect();
    }
    match &view {
        Some(view) if enrolled => {
            explanation.chain = chain(db, scope, view)?;
            explanation.due = due(view);
        }
        _ => {
            let since = Since {
                learner: Instant(person.modified_at),
                withdrawn: view
                    .as_ref()
                    .and_then(|view| view.row.withdrawn_at)
                    .map(Instant),
                withdrawn_by: view.and_then(|view| view.row.withdrawn_by),
            };
            let (name, title) = (person.display_name.as_str(), titled.title.as_str());
            if let Some(to) = person.linked_to {
                explanation.first_blocker = Some(linked_away(to));
                return Ok(explanation);
            }
            explanation.first_blocker = Some(first_blocker(
                &explanation.checked,
                (learner, name),
                (course, title),
                &since,
            ));
        }
    }
    Ok(explanation)
}

/// Somebody who has no accounts of their own any more: another learner is the same person.
fn linked_away(to: LearnerId) -> FirstBlocker {
    FirstBlocker {
        code: "linked".to_owned(),
        detail: "another learner is the same person and has the accounts".to_owned(),
        since: None,
        fix: Some((
            "See the other learner".to_owned(),
            format!("/learners/{to}"),
        )),
    }
}

struct Since {
    learner: Instant,
    withdrawn: Option<Instant>,
    withdrawn_by: Option<String>,
}

/// The first failing predicate of the membership that comes furthest.
fn first_blocker(
    checked: &[Checked],
    (learner, name): (LearnerId, &str),
    (course, title): (CourseId, &str),
    since: &Since,
) -> FirstBlocker {
    let nearest = checked.iter().max_by_key(|one| one.blocker.clone());
    let through = nearest.map(|one| &one.through);
    let blocker = nearest.map_or(Blocker::NoMembership, |one| one.blocker.clone());
    let person = format!("/learners/{learner}");
    let group = through.map(|one| format!("/groups/{}", one.group_id));
    let named = through.map_or("the group", |one| one.group_name.as_str());
    if let (None | Some(Blocker::Ended(_)), Some(at)) =
        (nearest.map(|one| &one.blocker), since.withdrawn)
    {
        let by = since.withdrawn_by.as_deref().unwrap_or("somebody");
        return FirstBlocker {
            code: "withdrawn".to_owned(),
            detail: format!("withdrawn by {by}"),
            since: Some(at),
            fix: Some((format!("Enroll {name} again"), "/enrollments".to_owned())),
        };
    }
    let (code, since, fix) = match &blocker {
        Blocker::NoMembership => (
            "no_membership",
            None,
            Some((
                format!(
                    "Add {name} to a group with {title}, or assign {title} to one of their groups"
                ),
                format!("/courses/{course}"),
            )),
        ),
        Blocker::Deleted => (
            "deleted",
            Some(since.learner),
            Some((
                format!("Create a new account for {name} in the directory"),
                person,
            )),
        ),
        Blocker::NotRegistered => (
            "pending_registration",
            Some(since.learner),
            Some((format!("Ask {name} to accept the invitation"), person)),
        ),
        Blocker::NotApproved => (
            "pending_approval",
            Some(since.learner),
            Some((format!("Approve {name}"), person)),
        ),
        Blocker::Rejected => (
            "rejected",
            Some(since.learner),
            Some((format!("Approve {name} after all"), person)),
        ),
        Blocker::Dormant => (
            "dormant",
            Some(since.learner),
            Some((format!("Activate {name} in the directory"), person)),
        ),
        Blocker::CourseNotPublished => (
            "course_not_published",
            None,
            Some((format!("Publish {title}"), format!("/courses/{course}"))),
        ),
        Blocker::ParkedPlan => (
            "parked_plan",
            None,
            Some(("Upgrade the plan".to_owned(), "/plan".to_owned())),
        ),
        Blocker::ConnectionObserving => (
            "connection_observing",
            None,
            Some((
                "Let the connection go live".to_owned(),
                "/connections".to_owned(),
            )),
        ),
        Blocker::JobRunning => (
            "job_running",
            None,
            Some((
                "Wait for the job that enrolls the members".to_owned(),
                "/jobs".to_owned(),
            )),
        ),
        Blocker::Ended(cause) => (
            cause.as_str(),
            None,
            group.map(|group| (format!("Add {name} to {named} again"), group)),
        ),
        Blocker::Enrolled => ("enrolled", None, None),
    };
    FirstBlocker {
        code: code.to_owned(),
        detail: blocker.sentence().to_owned(),
        since,
        fix,
    }
}

/// From the request that added the member to the enrollment, for every live reason.
fn chain(db: &mut Db, scope: &Scope, view: &EnrollmentView) -> Result<Vec<Link>, ServiceError> {
    let (learner, course) = (&view.row.learner_name, &view.row.course_title);
    let linked = links::of_learner(db, scope.tenant, view.row.learner_id)?;
    let mut links = Vec::new();
    for reason in view.reasons.iter().filter(|one| one.row.ended_at.is_none()) {
        let row = &reason.row;
        let group = row.group_name.as_deref().unwrap_or("a group");
        if let Some(id) = row.membership_id
            && let Some(period) = memberships::period(db, scope.tenant, id)?
        {
            // A membership that came with the accounts of another learner.
            let linked = linked
                .iter()
                .find(|one| one.request_id == period.request_id);
            if let Some(one) = linked {
                links.push(Link {
                    at: Instant(one.linked_at),
                    what: format!(
                        "{} linked another learner to {learner}: {}",
                        one.linked_by, one.why
                    ),
                    reference: format!("learner/{}", one.linked_id),
                });
            }
            if let Some(request) = sync_log::find(db, scope.tenant, period.request_id)? {
                links.push(Link {
                    at: Instant(request.at),
                    what: format!(
                        "{} sent {} {}",
                        period.added_by, request.method, request.path
                    ),
                    reference: format!("sync_request/{}", period.request_id),
                });
            }
            links.push(Link {
                at: Instant(period.added_at),
                what: format!("{learner} became a member of {group} ({})", period.added_by),
                reference: format!("membership/{id}"),
            });
        }
        if let Some(id) = row.assignment_id {
            for version in versions(db, scope.tenant, &[id])? {
                let verb = if version.version == 1 {
                    "assigned to"
                } else {
                    "changed for"
                };
                let by = if version.changed_by.is_empty() {
                    String::new()
                } else {
                    format!(" by {}", version.changed_by)
                };
                links.push(Link {
                    at: Instant(version.valid_from),
                    what: format!("{course} {verb} {group}{by}"),
                    reference: format!("assignment/{id}, version {}", version.version),
                });
            }
        }
        let what = match row.kind.as_str() {
            "group" => format!("Enrolled through {group}"),
            "manual" => format!("Enrolled by hand by {}", row.actor),
            _ => format!("Enrolled by a recorded completion ({})", row.actor),
        };
        links.push(Link {
            at: Instant(row.recorded_at),
            what,
            reference: format!("enrollment/{}", view.row.id),
        });
    }
    links.sort_by_key(|link| link.at);
    Ok(links)
}

fn due(view: &EnrollmentView) -> Option<DueFrom> {
    let setter = view.reasons.get(view.due_set_by?)?;
    let judgment = setter.judgment.as_ref()?;
    let name = |reason: &ReasonView| reason.row.group_name.clone().unwrap_or_default();
    let terms = if judgment.valid_until.is_some() {
        let months = setter.options.recert_months().unwrap_or_default();
        format!("{months} months after the last completion")
    } else {
        match setter.options.due {
            Due::Date(date) => format!("on {date}"),
            Due::Relative(days) => format!("{days} days after joining"),
            Due::None => "an earlier completion has lapsed".to_owned(),
        }
    };
    let others = view
        .reasons
        .iter()
        .filter(|one| one.row.id != setter.row.id && one.judgment.is_some())
        .map(|one| {
            (
                name(one),
                one.judgment.as_ref().and_then(|judgment| judgment.due),
            )
        });
    Some(DueFrom {
        date: judgment.due?,
        from: format!("{}: {terms}", name(setter)),
        adjustments: judgment.adjustments.clone(),
        others: others.collect(),
    })
}
