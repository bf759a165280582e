//! Memberships as resources of their own: made, read, listed and ended one by one, whatever else is in the group.
//!
//! *draft-zollner-scim-group-membership*. The same rows and the same rules as a group's `members`: what one says, the
//! other shows. A membership never changes: other ids are another membership.

use serde_json::{Map, Value, json};

use crate::ids::{GroupId, MembershipId};
use crate::learning::membership::EndCause;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::checked::{CheckedFilter, Literal, Operator, Predicate};
use crate::scim::patch::MembersChange;
use crate::scim::resource::Resource as Document;
use crate::scim::schema::Attr;
use crate::scim::validate::{self, Context, MemberInput};
use crate::scim::version::{IfMatch, Version};
use crate::store::Db;
use crate::store::placement::{Part, Place, SortColumn, place};
use crate::store::queries::group_memberships::{self, MembershipRow};
use crate::store::queries::groups_directory::{self, GroupRow};
use crate::store::queries::memberships::{self, Which};
use crate::store::queries::search::Order;

use super::super::enroll::{Effects, by};
use super::super::groups as learner_groups;
use super::super::{Scope, ServiceError};
use super::document::{self, Envelope};
use super::rights;
use super::types::{Call, Kind, Resource, Written, check_version, definition, next_modified};

/// The version of every membership, for as long as it lasts.
pub(super) const VERSION: Version = Version(1);

/// Makes a membership. Errors: `invalidValue` for ids that name no group or user, 409 for one that is there.
pub(super) fn create(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    body: &Value,
) -> Result<Written, ServiceError> {
    let rt = definition(call, Kind::Membership)?;
    let accepted = validate::accept(rt, body.clone(), Context::Create, &scope.switches())?;
    rights::check_created(scope, rt, &accepted)?;
    rights::check_members(scope, definition(call, Kind::Group)?, true)?;
    let named = |name| {
        accepted
            .resource
            .text(name, Some("value"))
            .unwrap_or_default()
    };
    let (group, member) = (named("group"), named("member"));
    let row = match group.parse::<GroupId>() {
        Ok(id) => groups_directory::find_for_update(db, scope.tenant, id)?,
        Err(_) => None,
    };
    let row = row.ok_or_else(|| {
        ScimError::invalid_value(format!("group.value: no group has the id `{group}`"))
    })?;
    let change = MembersChange::Add(vec![MemberInput {
        id: member.to_owned(),
        is_group: false,
    }]);
    let outcome = learner_groups::apply_members(db, scope, row.id, &[change]).map_err(of_member)?;
    if !outcome.nested.is_empty() {
        return Err(ScimError::invalid_value(format!(
            "member.value: `{member}` is a group, and groups cannot be members of groups"
        ))
        .into());
    }
    let Some(joined) = outcome.joined.first() else {
        return Err(ServiceError::Taken {
            attribute: "member",
            detail: format!("the user {member} is a member of the group {group} already"),
        });
    };
    touch(db, scope, &row)?;
    let made = MembershipRow {
        id: joined.id,
        group_id: row.id,
        user_id: joined.user_id,
        created_at: scope.now,
    };
    let resource = render(call, &made)?;
    let mut notes = accepted.notes;
    notes.extend(outcome.notes);
    Ok(Written {
        id: resource.id.clone(),
        version: VERSION,
        label: row.name,
        external_id: None,
        changed: true,
        members_added: outcome.added,
        members_ended: 0,
        effects: outcome.effects,
        notes,
        changes: json!({}),
        named: accepted.named,
        resource: Some(resource),
    })
}

/// A refusal of the group's `members` in the words of this resource.
fn of_member(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Scim(error) => {
            let detail = error.detail.replacen("members:", "member.value:", 1);
            ScimError::new(error.kind, detail).into()
        }
        other => other,
    }
}

/// Moves the group's version: its `members` have changed.
fn touch(db: &mut Db, scope: &Scope, row: &GroupRow) -> Result<(), ServiceError> {
    let at = next_modified(scope.now, row.modified_at);
    groups_directory::touch(db, scope.tenant, row.id, row.version + 1, at)?;
    Ok(())
}

pub(super) fn get(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: MembershipId,
) -> Result<Resource, ServiceError> {
    render(call, &find(db, scope, id)?)
}

fn find(db: &mut Db, scope: &Scope, id: MembershipId) -> Result<MembershipRow, ServiceError> {
    group_memberships::find(db, scope.tenant, id)?.ok_or_else(|| missing(id))
}

fn missing(id: MembershipId) -> ServiceError {
    ServiceError::not_found(Kind::Membership.name(), id)
}

/// What a change of a membership is answered.
pub(super) fn unchangeable() -> ServiceError {
    ScimError::new(
        ScimErrorKind::Mutability,
        "a membership has nothing that changes; delete it and create another",
    )
    .into()
}

/// Ends a membership; enrollments stay (S-13).
pub(super) fn delete(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    id: MembershipId,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    let row = find(db, scope, id)?;
    rights::check_members(scope, definition(call, Kind::Group)?, true)?;
    // the group's lock first, as in every change of members
    let group = groups_directory::find_for_update(db, scope.tenant, row.group_id)?
        .ok_or_else(|| missing(id))?;
    check_version(scope, expected, VERSION.0)?;
    let (which, cause) = (&[id], EndCause::MemberRemoved);
    let ended = memberships::end(db, scope.tenant, Which::Periods(which), cause, &by(scope))?;
    if ended.count == 0 {
        return Err(missing(id));
    }
    learner_groups::tell(db, scope, group.id, &[], &ended)?;
    touch(db, scope, &group)?;
    Ok(Written {
        resource: None,
        id: id.to_string(),
        version: Version(0),
        label: group.name,
        external_id: None,
        changed: true,
        members_added: 0,
        members_ended: ended.count,
        effects: Effects::default(),
        notes: Vec::new(),
        named: Vec::new(),
        changes: json!({}),
    })
}

/// What a membership says: whose it is.
pub(super) fn document(base: &str, row: &MembershipRow) -> Map<String, Value> {
    let (group, user) = (row.group_id, row.user_id);
    let group = json!({ "value": group, "$ref": format!("{base}/Groups/{group}") });
    let member = json!({ "value": user, "$ref": format!("{base}/Users/{user}"), "type": "User" });
    Map::from_iter([("group".to_owned(), group), ("member".to_owned(), member)])
}

/// The response of a row.
pub(super) fn render(call: Call<'_>, row: &MembershipRow) -> Result<Resource, ServiceError> {
    let rt = definition(call, Kind::Membership)?;
    let id = row.id.to_string();
    let envelope = Envelope {
        resource_type: rt,
        base: call.base,
        id: &id,
        version: VERSION,
        created: row.created_at,
        modified: row.created_at,
    };
    let document = Document::from_valid(document(call.base, row));
    let body = envelope.wrap(&document::stored(rt, &document), &[]);
    Ok(Resource {
        kind: Kind::Membership,
        version: VERSION,
        modified: row.created_at,
        label: id.clone(),
        external_id: None,
        body,
        id,
    })
}

/// The order of a list of memberships that an index gives: by group and user, or by user where the filter names the group.
/// `None` for other kinds and other orders.
pub(super) fn order(
    kind: Kind,
    filter: Option<&CheckedFilter>,
    sort: Option<(&Attr, bool)>,
) -> Option<Order> {
    if kind != Kind::Membership {
        return None;
    }
    let of_one_group = filter.is_some_and(names_a_group);
    let by_user = |descending| Order::Column {
        column: SortColumn::Member,
        descending,
    };
    match sort {
        None if of_one_group => Some(by_user(false)),
        None => Some(Order::MEMBERSHIPS),
        Some((attr, descending)) if of_one_group => {
            (place(kind, attr) == Place::Link("user_id", Part::Value)).then(|| by_user(descending))
        }
        Some(_) => None,
    }
}

/// Whether a filter holds for memberships of one group only.
fn names_a_group(filter: &CheckedFilter) -> bool {
    match filter {
        CheckedFilter::And(terms) => terms.iter().any(names_a_group),
        CheckedFilter::Test(test) => {
            matches!(
                test.predicate,
                Predicate::Compare(Operator::Eq, Literal::Exact(_))
            ) && place(Kind::Membership, &test.attr) == Place::Link("group_id", Part::Value)
        }
        CheckedFilter::ValuePath { .. }
        | CheckedFilter::Or(_)
        | CheckedFilter::Not(_)
        | CheckedFilter::Nothing => false,
    }
}
