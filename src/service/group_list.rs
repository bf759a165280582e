//! Groups as their list shows them: narrowed, ordered, with how their members' mandatory courses stand (A2).

use crate::clock::Instant;
use crate::ids::{ConnectionId, GroupId};
use crate::learning::figures::Tally;
use crate::learning::group::{Color, Origin};
use crate::learning::plan::SubscriptionPlan;
use crate::scim::fold::fold;
use crate::store::Db;
use crate::store::listing::{Found, Paging, Place};
pub use crate::store::queries::groups_learning::GroupOrder;
use crate::store::queries::groups_learning::{self as rows, GroupFilter};

use super::groups::{GroupView, view, with_numbers};
use super::{Scope, ServiceError, compliance, reports};

/// Up to so many obligations of a group are judged for a line about it; its report judges any number.
const JUDGED_AT_ONCE: i64 = 10_000;

/// Reads a group with its numbers and how its courses stand.
pub fn view_with_compliance(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
) -> Result<GroupView, ServiceError> {
    let mut views = vec![view(db, scope, id)?];
    judge(db, scope, &mut views)?;
    views
        .pop()
        .ok_or_else(|| ServiceError::not_found("Group", id))
}

/// Adds how the courses of small and middling groups stand, in a few statements for all of them.
fn judge(db: &mut Db, scope: &Scope, views: &mut [GroupView]) -> Result<(), ServiceError> {
    let small: Vec<GroupId> = views
        .iter()
        .filter(|view| view.counts.active.saturating_mul(view.courses) <= JUDGED_AT_ONCE)
        .map(|view| view.row.id)
        .collect();
    if small.is_empty() {
        return Ok(());
    }
    let mut tallies = compliance::of_groups(db, scope, &small)?;
    for view in views {
        if small.contains(&view.row.id) {
            view.compliance = Some(tallies.remove(&view.row.id).unwrap_or_default());
        }
    }
    Ok(())
}

/// What a list of groups is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct GroupQuery {
    pub q: Option<String>,
    pub origin: Option<Origin>,
    pub connection: Option<ConnectionId>,
    pub color: Option<Color>,
    /// Whether a mandatory course of a member is overdue.
    pub has_overdue: Option<bool>,
    pub updated_since: Option<Instant>,
}

/// What a list of groups is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupSort {
    By(GroupOrder),
    /// The share of mandatory obligations that is met; groups without any come first.
    Compliance,
}

/// Where a group stands in a list of that order.
#[must_use]
pub fn place(view: &GroupView, sort: GroupSort) -> Place {
    let id = view.row.id.0;
    match sort {
        GroupSort::By(GroupOrder::Name) => Place::of(&view.row.name_key, id),
        GroupSort::By(GroupOrder::Created) => Place::of(view.row.created_at, id),
        GroupSort::By(GroupOrder::Updated) => Place::of(view.row.modified_at, id),
        GroupSort::By(GroupOrder::Members) => {
            let counts = view.counts;
            Place::of(counts.active + counts.pending + counts.dormant, id)
        }
        GroupSort::Compliance => Place::of(rank(view.compliance.as_ref()), id),
    }
}

/// A share as a whole number that orders like it.
fn rank(tally: Option<&Tally>) -> i64 {
    let ratio = tally.map(|tally| tally.compliance());
    let ratio = ratio.filter(|ratio| ratio.whole > 0);
    ratio.map_or(-1, |ratio| {
        ratio.part.saturating_mul(1_000_000_000) / ratio.whole
    })
}

/// A page of groups.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    query: &GroupQuery,
    (sort, down): (GroupSort, bool),
    paging: &Paging,
) -> Result<Found<GroupView>, ServiceError> {
    let filter = GroupFilter {
        name_part: query.q.as_deref().map(fold),
        origin: query.origin.map(Origin::as_str),
        managed_by: query.connection,
        color: query.color.as_ref().map(ToString::to_string),
        updated_since: query.updated_since,
    };
    let frozen = !rows::plan(db, scope.tenant)?.is_some_and(SubscriptionPlan::includes_groups);
    match (sort, query.has_overdue) {
        (GroupSort::By(order), None) => {
            let page = rows::page(db, scope.tenant, &filter, (order, down), paging)?;
            let mut page = page.then(|rows| with_numbers(db, scope, rows, frozen))?;
            judge(db, scope, &mut page.rows)?;
            Ok(page)
        }
        (sort, has_overdue) => {
            // Only the report of the whole tenant knows.
            let mut tallies = reports::by_group(db, scope)?;
            let order = match sort {
                GroupSort::By(order) => (order, down),
                GroupSort::Compliance => (GroupOrder::Name, false),
            };
            let all = Paging::first(i64::MAX);
            let all = rows::page(db, scope.tenant, &filter, order, &all)?;
            let mut views = with_numbers(db, scope, all.rows, frozen)?;
            for view in &mut views {
                view.compliance = Some(tallies.remove(&view.row.id).unwrap_or_default());
            }
            if let Some(wanted) = has_overdue {
                views.retain(|view| {
                    view.compliance
                        .as_ref()
                        .is_some_and(|one| (one.overdue > 0) == wanted)
                });
            }
            Ok(cut(views, (sort, down), paging))
        }
    }
}

/// The page of a list that is there as a whole.
fn cut(
    mut views: Vec<GroupView>,
    (sort, down): (GroupSort, bool),
    paging: &Paging,
) -> Found<GroupView> {
    let key = |place: Place| {
        let number = if sort == GroupSort::By(GroupOrder::Name) {
            0
        } else {
            place.number()
        };
        (number, place.key, place.id)
    };
    let forth = |one: &GroupView| key(place(one, sort));
    views.sort_by_cached_key(forth);
    if down {
        views.reverse();
    }
    let total = i64::try_from(views.len()).unwrap_or(i64::MAX);
    if let Some(after) = paging.after.clone().map(key) {
        views.retain(|view| {
            let here = forth(view);
            if down { here < after } else { here > after }
        });
    }
    views.truncate(usize::try_from(paging.limit).unwrap_or(usize::MAX));
    Found {
        rows: views,
        total: paging.total.then_some(total),
    }
}
