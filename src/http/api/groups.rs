//! `/groups` (`rest-and-console.md` A2, A3). Their members stand in [`members`](super::members), their courses in
//! [`assignments`](super::assignments).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::figures::{Counts, GroupCounts};
use super::input::present;
use super::need;
use super::page::{Page, PageQuery, sorts};
use super::problem::Failure;
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{ConnectionId, GroupId};
use crate::learning::group::{Color, Origin};
use crate::service::group_list::{self, GroupOrder, GroupQuery, GroupSort};
use crate::service::groups::{self, GroupFields, GroupView};

/// A learner group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub description: Option<String>,
    /// `#RRGGBB`
    pub color: Option<String>,
    pub origin: Origin,
    /// The connection whose directory manages the group.
    pub managed_by: Option<Manager>,
    /// What only that directory may change.
    pub locked_fields: Vec<String>,
    pub external_id: Option<String>,
    pub counts: GroupCounts,
    /// How the mandatory courses of active members stand. Null in answers to writes, and of groups of more than 10,000
    /// obligations, whose report (`/groups/{id}/compliance`) has it; a list by `compliance` or `has_overdue` has it of all.
    pub compliance: Option<Counts>,
    /// The plan includes groups no more: everything stays and nothing changes.
    pub frozen: bool,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// The connection that manages a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Manager {
    pub id: ConnectionId,
    pub name: String,
}

impl From<&GroupView> for Group {
    fn from(view: &GroupView) -> Self {
        let row = &view.row;
        let manager = row.manager();
        let locked = manager.as_ref().is_some_and(|manager| manager.locks);
        Self {
            id: row.id,
            name: row.name.clone(),
            description: row.description.clone(),
            color: row.color.clone(),
            origin: Origin::parse(&row.origin).unwrap_or(Origin::Rest),
            managed_by: manager.map(|manager| Manager {
                id: manager.id,
                name: manager.name,
            }),
            locked_fields: if locked {
                vec!["name".to_owned(), "members".to_owned()]
            } else {
                Vec::new()
            },
            external_id: row.external_id.clone(),
            counts: GroupCounts {
                active: view.counts.active,
                pending: view.counts.pending,
                dormant: view.counts.dormant,
                courses: view.courses,
            },
            compliance: view.compliance.as_ref().map(Counts::from),
            frozen: view.frozen,
            version: row.version,
            created_at: Instant(row.created_at),
            updated_at: Instant(row.modified_at),
        }
    }
}

/// What narrows a list of groups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListGroups {
    /// Part of the name, in any letter case.
    pub q: Option<String>,
    #[param(inline)]
    pub origin: Option<Origin>,
    /// Groups that this connection manages.
    #[param(inline)]
    pub connection_id: Option<ConnectionId>,
    /// `#RRGGBB`
    pub color: Option<String>,
    /// Whether a mandatory course of an active member is overdue.
    pub has_overdue: Option<bool>,
    /// Changed at this instant or later, members included.
    #[param(inline)]
    pub updated_since: Option<Instant>,
    /// By `name` unless told; by `updated_at` with `updated_since`. In the order of `compliance`, groups without
    /// obligations come first.
    #[param(inline)]
    pub sort: Option<GroupsSort>,
}

sorts!(
    /// What a list of groups is ordered by.
    GroupsSort: GroupSort {
        Name NameDown = "name" "-name" GroupSort::By(GroupOrder::Name),
        CreatedAt CreatedAtDown = "created_at" "-created_at" GroupSort::By(GroupOrder::Created),
        UpdatedAt UpdatedAtDown = "updated_at" "-updated_at" GroupSort::By(GroupOrder::Updated),
        MemberCount MemberCountDown = "member_count" "-member_count" GroupSort::By(GroupOrder::Members),
        Compliance ComplianceDown = "compliance" "-compliance" GroupSort::Compliance,
    }
);

/// List groups by name.
#[utoipa::path(get, path = "/groups", tag = "Groups", params(ListGroups, PageQuery), security(("token" = ["groups:read"])),
    responses((status = 200, description = "A page of groups.", body = Page<Group>)))]
pub async fn list(call: Call<need::GroupsRead>) -> Answer {
    let (asked, page): (ListGroups, _) = call.listed()?;
    let sort = asked.sort.unwrap_or(match asked.updated_since {
        Some(_) => GroupsSort::UpdatedAt,
        None => GroupsSort::Name,
    });
    let list = call.list(page, sort.name())?;
    let color = asked.color.as_deref().map(Color::parse).transpose();
    let query = GroupQuery {
        q: asked.q,
        origin: asked.origin,
        connection: asked.connection_id,
        color: color.map_err(|why| Failure::query("color", "invalid", why.to_string()))?,
        has_overdue: asked.has_overdue,
        updated_since: asked.updated_since,
    };
    let (paging, order) = (list.paging.clone(), sort.order());
    let found = call
        .read(move |db, scope| group_list::list(db, scope, &query, order, &paging))
        .await?;
    let place = |view: &GroupView| group_list::place(view, order.0);
    Ok(call.page(found, &list, place, |view| Group::from(view)))
}

/// A new group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "New Hires Q1 2026", "description": "Everybody who starts in January to March", "color": "#2563EB"}))]
pub struct NewGroup {
    /// Unique among the tenant's groups, in any letter case.
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// `#RRGGBB`
    #[serde(default)]
    pub color: Option<String>,
}

/// Create a group.
#[utoipa::path(post, path = "/groups", tag = "Groups", request_body = NewGroup, security(("token" = ["groups:write"])),
    responses((status = 201, description = "The group.", body = Group),
        (status = 409, description = "`group_name_taken`")))]
pub async fn create(call: Call<need::GroupsWrite>, body: Body) -> Answer {
    let new: NewGroup = body.read()?;
    let fields = GroupFields {
        name: Some(new.name),
        description: new.description,
        color: new.color,
    };
    call.change("create group", move |db, scope| {
        let id = groups::create(db, scope, &fields, Origin::Rest)?.id;
        let view = groups::view(db, scope, id)?;
        Reply::created(
            &format!("/groups/{id}"),
            view.row.version,
            &Group::from(&view),
        )
    })
    .await
}

/// Read a group.
#[utoipa::path(get, path = "/groups/{id}", tag = "Groups", params(("id" = GroupId, Path)), security(("token" = ["groups:read"])),
    responses((status = 200, description = "The group.", body = Group)))]
pub async fn get(call: Call<need::GroupsRead>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let view = call
        .read(move |db, scope| group_list::view_with_compliance(db, scope, id))
        .await?;
    Ok(call.shown(Some(view.row.version), &Group::from(&view)))
}

/// What changes in a group; absent fields stay, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Starters of the first quarter", "color": null}))]
pub struct GroupEdit {
    #[serde(default)]
    #[schema(nullable = false)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// `#RRGGBB`
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub color: Option<Option<String>>,
}

/// Edit a group's name, description and color.
#[utoipa::path(patch, path = "/groups/{id}", tag = "Groups", params(("id" = GroupId, Path)), request_body = GroupEdit,
    security(("token" = ["groups:write"])),
    responses((status = 200, description = "The group.", body = Group),
        (status = 409, description = "`group_name_taken`, `managed_by_directory`")))]
pub async fn edit(call: Call<need::GroupsWrite>, body: Body) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let edit: GroupEdit = body.read()?;
    let fields = GroupFields {
        name: edit.name,
        description: edit.description.map(Option::unwrap_or_default),
        color: edit.color.map(Option::unwrap_or_default),
    };
    let expected = call.expected();
    call.change("edit group", move |db, scope| {
        groups::edit(db, scope, id, expected, &fields)?;
        let view = groups::view(db, scope, id)?;
        Reply::resource(view.row.version, &Group::from(&view))
    })
    .await
}

/// Delete a group. Nobody is un-enrolled; `?dry_run=true` shows what ends and what stays.
#[utoipa::path(delete, path = "/groups/{id}", tag = "Groups", params(("id" = GroupId, Path)), security(("token" = ["groups:write"])),
    responses((status = 204, description = "It is gone.")))]
pub async fn delete(call: Call<need::GroupsWrite>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let expected = call.expected();
    call.change("delete group", move |db, scope| {
        groups::delete(db, scope, id, expected)?;
        Ok(Reply::none())
    })
    .await
}

/// Take a group from its connection: from then on the last writer wins.
#[utoipa::path(post, path = "/groups/{id}/release", tag = "Groups", params(("id" = GroupId, Path)), security(("token" = ["groups:write"])),
    responses((status = 200, description = "The group.", body = Group)))]
pub async fn release(call: Call<need::GroupsWrite>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    call.change("release group", move |db, scope| {
        groups::release(db, scope, id)?;
        let view = groups::view(db, scope, id)?;
        Reply::resource(view.row.version, &Group::from(&view))
    })
    .await
}
