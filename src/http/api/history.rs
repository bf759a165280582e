//! What was: the timeline of a group, the full record of a learner, a deleted group made again (domain §7.14, §10).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::call::{Answer, Body, Call};
use super::need;
use super::page::{Page, PageQuery};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{CourseId, GroupId, LearnerId, RequestId};
use crate::service::restore::{self, How, Restored};
use crate::service::timeline::{self, Entry};

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    pub at: Instant,
    /// An audit event's type, or `membership.began`, `membership.ended`, `reason.began`, `reason.ended`, `completion.recorded`,
    /// `completion.voided`.
    pub what: String,
    /// Of the event, the membership, the reason or the completion.
    pub id: Uuid,
    pub actor: Option<String>,
    pub request_id: Option<RequestId>,
    pub learner_id: Option<LearnerId>,
    pub learner_name: Option<String>,
    pub group_id: Option<GroupId>,
    pub group_name: Option<String>,
    pub course_id: Option<CourseId>,
    pub course_title: Option<String>,
    /// A word more: the source of a membership or a completion, the cause of an end, the kind of a reason.
    pub detail: Option<String>,
    /// An event's own data.
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Value>,
}

impl From<&Entry> for HistoryEntry {
    fn from(row: &Entry) -> Self {
        Self {
            at: Instant(row.at),
            what: row.what.clone(),
            id: row.id.0,
            actor: row.actor.clone(),
            request_id: row.request_id,
            learner_id: row.learner_id,
            learner_name: row.learner_name.clone(),
            group_id: row.group_id,
            group_name: row.group_name.clone(),
            course_id: row.course_id,
            course_title: row.course_title.clone(),
            detail: row.detail.clone(),
            data: row
                .data
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
        }
    }
}

/// What happened to a group, newest first: joins, leaves, renames, courses, with who and by which request. Of deleted groups, too.
#[utoipa::path(get, path = "/groups/{id}/timeline", tag = "Groups", params(("id" = GroupId, Path), PageQuery),
    security(("token" = ["groups:read"])),
    responses((status = 200, description = "A page of entries.", body = Page<HistoryEntry>)))]
pub async fn timeline(call: Call<need::GroupsRead>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let list = call.list(call.query()?, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| timeline::of_group(db, scope, id, &paging))
        .await?;
    Ok(call.page(found, &list, Entry::place, |row| HistoryEntry::from(row)))
}

/// Everything on record of a learner, newest first: memberships, reasons and how they ended, completions, decisions. Of former
/// learners, too.
#[utoipa::path(get, path = "/learners/{id}/history", tag = "Learners", params(("id" = LearnerId, Path), PageQuery),
    security(("token" = ["reports:read"])),
    responses((status = 200, description = "A page of entries.", body = Page<HistoryEntry>)))]
pub async fn history(call: Call<need::ReportsRead>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let list = call.list(call.query()?, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| timeline::of_learner(db, scope, id, &paging))
        .await?;
    Ok(call.page(found, &list, Entry::place, |row| HistoryEntry::from(row)))
}

/// How a group is made again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Sales, again", "members": true}))]
pub struct RestoreGroup {
    /// What it is called now; as it was unless told.
    #[serde(default)]
    #[schema(nullable = false, max_length = 120)]
    pub name: Option<String>,
    /// Its members join again; nobody does after `false`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub members: bool,
    /// The courses go to this group, which is there, and nothing else is restored: for a group that its directory deleted and
    /// made again.
    #[serde(default)]
    #[schema(nullable = false)]
    pub into: Option<GroupId>,
}

const fn yes() -> bool {
    true
}

/// A course that was not assigned again.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotAssigned {
    /// `course_not_published`, `already_assigned`
    pub code: String,
    pub course_id: CourseId,
    pub course_title: String,
}

/// A group that was made again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestoredGroup {
    /// The new group's; ids are never used twice.
    pub id: GroupId,
    pub restored_from: GroupId,
    pub members: i64,
    pub assignments: i64,
    pub enrollments_created: i64,
    pub warnings: Vec<NotAssigned>,
}

impl RestoredGroup {
    fn of(from: GroupId, restored: Restored) -> Self {
        let left = restored.left.into_iter().map(|one| NotAssigned {
            code: one.code.to_owned(),
            course_id: one.course,
            course_title: one.title,
        });
        Self {
            id: restored.group,
            restored_from: from,
            members: restored.members,
            assignments: restored.assignments,
            enrollments_created: restored.effects.enrollments,
            warnings: left.collect(),
        }
    }
}

/// Make a deleted group again: a new id, nobody manages it, the same settings and courses, the members who are still here.
/// Try it with `dry_run` first.
#[utoipa::path(post, path = "/groups/{id}/restore", tag = "Groups", params(("id" = GroupId, Path)), request_body = RestoreGroup,
    security(("token" = ["groups:write"])),
    responses((status = 201, description = "The group was made.", body = RestoredGroup),
        (status = 409, description = "`group_name_taken`"), (status = 422, description = "`validation_failed`: it is not deleted.")))]
pub async fn restore(call: Call<need::GroupsWrite>, body: Body) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let asked: RestoreGroup = body.read()?;
    let how = How {
        name: asked.name,
        members: asked.members,
        into: asked.into,
    };
    call.change("restore group", move |db, scope| {
        let restored = restore::restore(db, scope, id, &how)?;
        let shown = RestoredGroup::of(id, restored);
        Reply::created(&format!("/groups/{}", shown.id), None, &shown)
    })
    .await
}
