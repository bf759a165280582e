//! `/groups/{id}/members` (`rest-and-console.md` A2).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::need;
use super::page::{Page, PageQuery};
use super::problem::Failure;
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, RequestId, UserId};
use crate::learning::membership::{Source, State};
use crate::service::group_members::{
    self, AddOutcome, AddResult, IfIneligible, MemberFilter, MemberRow, MembersOutcome,
    RemoveOutcome, SetHow,
};
use crate::service::listing::Place;

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    pub learner_id: LearnerId,
    pub user_id: UserId,
    pub name: String,
    pub email: Option<String>,
    pub state: State,
    /// What a pending member waits for.
    pub waiting_for: Option<String>,
    pub source: Source,
    pub added_by: String,
    pub added_at: Instant,
    /// The request that added them.
    pub request_id: RequestId,
}

impl From<&MemberRow> for Member {
    fn from(row: &MemberRow) -> Self {
        Self {
            learner_id: row.learner_id,
            user_id: row.user_id,
            name: row.display_name.clone(),
            email: row.email.clone(),
            state: row.state(),
            waiting_for: row
                .facts()
                .not_addable()
                .map(|blocker| blocker.code().to_owned()),
            source: Source::parse(&row.source).unwrap_or(Source::Rest),
            added_by: row.added_by.clone(),
            added_at: row.since(),
            request_id: row.request_id,
        }
    }
}

/// What narrows a list of members.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListMembers {
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub state: Option<Vec<State>>,
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub source: Option<Vec<Source>>,
    /// Part of the name.
    pub q: Option<String>,
    /// Who was a member at this instant, each in the state of that time; now unless told.
    #[param(inline)]
    pub as_of: Option<Instant>,
}

/// List a group's members.
#[utoipa::path(get, path = "/groups/{id}/members", tag = "Members", params(("id" = GroupId, Path), ListMembers, PageQuery),
    security(("token" = ["groups:read"])),
    responses((status = 200, description = "A page of members.", body = Page<Member>)))]
pub async fn list(call: Call<need::GroupsRead>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let (asked, page): (ListMembers, _) = call.listed()?;
    let list = call.list(page, "")?;
    let filter = MemberFilter {
        states: asked.state.unwrap_or_default(),
        sources: asked.source.unwrap_or_default(),
        name_part: asked.q,
    };
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| match asked.as_of {
            None => group_members::members(db, scope, id, &filter, &paging),
            Some(at) => group_members::members_as_of(db, scope, id, &filter, at, &paging),
        })
        .await?;
    let place = |row: &MemberRow| Place::id(row.learner_id.0);
    Ok(call.page(found, &list, place, |row| Member::from(row)))
}

/// One learner, named by one of these.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "0199a2b9-0000-7000-8000-000000000001"}))]
pub struct LearnerRef {
    #[serde(default)]
    #[schema(nullable = false)]
    pub id: Option<LearnerId>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub external_id: Option<String>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub user_name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub email: Option<String>,
}

impl LearnerRef {
    /// As the use case takes it. Errors: not exactly one name.
    pub fn read(self, pointer: &str) -> Result<group_members::LearnerRef, Failure> {
        match (self.id, self.external_id, self.user_name, self.email) {
            (Some(id), None, None, None) => Ok(group_members::LearnerRef::Id(id)),
            (None, Some(id), None, None) => Ok(group_members::LearnerRef::ExternalId(id)),
            (None, None, Some(name), None) => Ok(group_members::LearnerRef::UserName(name)),
            (None, None, None, Some(text)) => Ok(group_members::LearnerRef::Email(text)),
            _ => Err(Failure::field(
                pointer,
                "a learner is named by one of `id`, `external_id`, `user_name`, `email`",
            )),
        }
    }
}

/// A learner whom a body names by `learner_id` or in one of the other ways. Errors: not exactly one name.
pub fn one_learner(
    id: Option<LearnerId>,
    learner: Option<LearnerRef>,
    pointer: &str,
) -> Result<group_members::LearnerRef, Failure> {
    match (id, learner) {
        (Some(id), None) => Ok(group_members::LearnerRef::Id(id)),
        (None, Some(learner)) => learner.read(&format!("{pointer}/learner")),
        _ => Err(Failure::field(
            format!("{pointer}/learner_id"),
            "name the learner by `learner_id` or by `learner`, one of the two",
        )),
    }
}

fn references(learners: Vec<LearnerRef>) -> Result<Vec<group_members::LearnerRef>, Failure> {
    let read = |(n, one): (usize, LearnerRef)| one.read(&format!("/learners/{n}"));
    learners.into_iter().enumerate().map(read).collect()
}

/// Whether one learner who cannot be added stops the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddMode {
    #[default]
    AllOrNothing,
    Partial,
}

/// What becomes of a learner who is not registered and approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnIneligible {
    #[default]
    Error,
    Pend,
}

/// Whom to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"learners": [{"id": "0199a2b9-0000-7000-8000-000000000001"}], "mode": "partial"}))]
pub struct AddMembers {
    #[schema(min_items = 1, max_items = 1000)]
    pub learners: Vec<LearnerRef>,
    #[serde(default)]
    #[schema(default = "all_or_nothing")]
    pub mode: AddMode,
    #[serde(default)]
    #[schema(default = "error")]
    pub on_ineligible: OnIneligible,
}

/// What became of each learner.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersAdded {
    /// `success`, or `no_op` when everybody was a member.
    pub outcome: String,
    pub results: Vec<MemberResult>,
    pub enrollments_created: i64,
    pub warnings: Vec<Warning>,
}

/// What became of one learner.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberResult {
    pub learner_id: Option<LearnerId>,
    /// `added`, `no_op`, `pended` or `error`.
    pub outcome: String,
    /// Why not, after `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What an admin should know about a write that succeeded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Warning {
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl MembersAdded {
    fn of(results: &[AddResult], outcome: &MembersOutcome) -> Self {
        let show = |result: &AddResult| {
            let (what, code) = match &result.outcome {
                AddOutcome::Added => ("added", None),
                AddOutcome::NoOp => ("no_op", None),
                AddOutcome::Pended => ("pended", None),
                AddOutcome::Refused(code) => ("error", Some(code.clone())),
            };
            MemberResult {
                learner_id: result.learner,
                outcome: what.to_owned(),
                code,
            }
        };
        let warnings = outcome.notes.iter().map(|note| Warning {
            code: note.code.to_owned(),
            path: Some(note.path.clone()),
        });
        Self {
            outcome: if outcome.added == 0 {
                "no_op"
            } else {
                "success"
            }
            .to_owned(),
            results: results.iter().map(show).collect(),
            enrollments_created: outcome.effects.enrollments,
            warnings: warnings.collect(),
        }
    }
}

/// Add learners; they are enrolled in the group's courses at once.
#[utoipa::path(post, path = "/groups/{id}/members", tag = "Members", params(("id" = GroupId, Path)), request_body = AddMembers,
    security(("token" = ["members:write"])),
    responses((status = 200, description = "What became of each learner.", body = MembersAdded),
        (status = 409, description = "`managed_by_directory`, `ambiguous_reference`"),
        (status = 422, description = "`learner_not_eligible`, `validation_failed`")))]
pub async fn add(call: Call<need::MembersWrite>, body: Body) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let asked: AddMembers = body.read()?;
    let refs = references(asked.learners)?;
    let how = match (asked.on_ineligible, asked.mode) {
        (OnIneligible::Pend, _) => IfIneligible::Pend,
        (OnIneligible::Error, AddMode::Partial) => IfIneligible::Skip,
        (OnIneligible::Error, AddMode::AllOrNothing) => IfIneligible::Refuse,
    };
    call.change("add members", move |db, scope| {
        let (results, outcome) =
            group_members::add_members(db, scope, id, &refs, how, Source::Rest)?;
        Reply::ok(&MembersAdded::of(&results, &outcome))
    })
    .await
}

/// Remove a member. They keep every enrollment and every result.
#[utoipa::path(delete, path = "/groups/{id}/members/{learner}", tag = "Members",
    params(("id" = GroupId, Path), ("learner" = LearnerId, Path)), security(("token" = ["members:write"])),
    responses((status = 204, description = "The membership has ended."), (status = 409, description = "`managed_by_directory`")))]
pub async fn remove(call: Call<need::MembersWrite>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let learner: LearnerId = call.id("Member", "learner")?;
    call.change("remove member", move |db, scope| {
        group_members::remove_member(db, scope, id, learner)?;
        Ok(Reply::none())
    })
    .await
}

/// Whom to remove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"learners": [{"id": "0199a2b9-0000-7000-8000-000000000001"}]}))]
pub struct RemoveMembers {
    #[schema(min_items = 1, max_items = 1000)]
    pub learners: Vec<LearnerRef>,
}

/// What became of each learner.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersRemoved {
    /// `success`, or `no_op` when nobody was a member.
    pub outcome: String,
    /// `removed`, `no_op` or `error`, each.
    pub results: Vec<MemberResult>,
}

/// Remove several members. They keep every enrollment and every result.
#[utoipa::path(post, path = "/groups/{id}/members:remove", tag = "Members", params(("id" = GroupId, Path)), request_body = RemoveMembers,
    security(("token" = ["members:write"])),
    responses((status = 200, description = "What became of each learner.", body = MembersRemoved),
        (status = 409, description = "`managed_by_directory`, `ambiguous_reference`")))]
pub async fn remove_many(call: Call<need::MembersWrite>, body: Body) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let asked: RemoveMembers = body.read()?;
    let refs = references(asked.learners)?;
    call.change("remove members", move |db, scope| {
        let results = group_members::remove_members(db, scope, id, &refs)?;
        let any = results
            .iter()
            .any(|(_, one)| *one == RemoveOutcome::Removed);
        let show = |(learner_id, outcome): &(Option<LearnerId>, RemoveOutcome)| {
            let (what, code) = match outcome {
                RemoveOutcome::Removed => ("removed", None),
                RemoveOutcome::NoOp => ("no_op", None),
                RemoveOutcome::Unknown => ("error", Some("not_found".to_owned())),
            };
            MemberResult {
                learner_id: *learner_id,
                outcome: what.to_owned(),
                code,
            }
        };
        Reply::ok(&MembersRemoved {
            outcome: if any { "success" } else { "no_op" }.to_owned(),
            results: results.iter().map(show).collect(),
        })
    })
    .await
}

/// Who the members are to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"learners": [{"id": "0199a2b9-0000-7000-8000-000000000001"}], "on_ineligible": "pend", "confirm": true}))]
pub struct SetMembers {
    /// More are a matter of a CSV file.
    #[schema(max_items = 10000)]
    pub learners: Vec<LearnerRef>,
    #[serde(default)]
    #[schema(default = "error")]
    pub on_ineligible: OnIneligible,
    /// How much of the membership may end without `confirm`, in percent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100, default = 20, nullable = false)]
    pub max_change_pct: Option<i64>,
    /// More may end than that.
    #[serde(default)]
    pub confirm: bool,
}

/// The difference that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersSet {
    /// `success`, or `no_op` when the membership was so already.
    pub outcome: String,
    pub added: i64,
    pub ended: i64,
    /// Of those who are named.
    pub results: Vec<MemberResult>,
    pub enrollments_created: i64,
    pub warnings: Vec<Warning>,
}

/// Make the membership equal a list: who is missing joins, who is not named leaves, whoever added them. Nobody is un-enrolled.
#[utoipa::path(put, path = "/groups/{id}/members", tag = "Members", params(("id" = GroupId, Path)), request_body = SetMembers,
    security(("token" = ["members:write"])),
    responses((status = 200, description = "The difference.", body = MembersSet),
        (status = 409, description = "`managed_by_directory`, `ambiguous_reference`"),
        (status = 422, description = "`learner_not_eligible`, `impact_confirmation_required`, `validation_failed`")))]
pub async fn set(call: Call<need::MembersWrite>, body: Body) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let asked: SetMembers = body.read()?;
    let refs = references(asked.learners)?;
    let how = SetHow {
        if_ineligible: match asked.on_ineligible {
            OnIneligible::Pend => IfIneligible::Pend,
            OnIneligible::Error => IfIneligible::Refuse,
        },
        max_change_pct: asked.max_change_pct.unwrap_or(20),
        confirmed: asked.confirm,
    };
    call.change("set members", move |db, scope| {
        let (results, outcome) = group_members::set_members(db, scope, id, &refs, how)?;
        let shown = MembersAdded::of(&results, &outcome);
        let changed = outcome.added + outcome.ended > 0;
        Reply::ok(&MembersSet {
            outcome: if changed { "success" } else { "no_op" }.to_owned(),
            added: outcome.added,
            ended: outcome.ended,
            results: shown.results,
            enrollments_created: shown.enrollments_created,
            warnings: shown.warnings,
        })
    })
    .await
}
