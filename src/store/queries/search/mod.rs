//! Lists of users and groups: filter, order, page and total.
//!
//! Where the database can tell all of it, it does: the page by keys first, the documents of that page after. Where only
//! the document tells, candidates stream in batches past a judge, which the caller brings (`scim::filter::eval`).
//! [`search`] pages by index, [`seek`] goes on from a place in the order.

mod candidates;
mod excerpts;
mod judged;
mod order;
mod told;

use std::collections::HashSet;

use crate::clock::Instant;
use crate::ids::TenantId;
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::sort::SortKey;
use crate::scim::schema::ResourceType;
use crate::store::condition::{Access, Exactness, Lowered, lower};
use crate::store::db::Row;
use crate::store::placement::{Kind, LONG, SortColumn};
use crate::store::statement::Stmt;
use crate::store::{Db, StoreError};

use super::group_memberships::{self, MembershipRow};
use super::groups_directory::{self, GroupRow};
use super::resources::{self, ResourceRow};
use super::users::{self, UserRow};

use candidates::{Candidates, Way};
pub use order::{Gap, Order, Position};

/// How many candidates a judge sees at a time.
const BATCH: usize = 1000;
/// How many resources a sort may touch that no column gives (E18).
pub const SORTABLE: usize = 100_000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    pub kind: Kind,
    pub filter: Option<&'a CheckedFilter>,
    pub order: Order,
    /// How many matches to skip; `startIndex` less one.
    pub offset: usize,
    /// How many to return; 0 asks for the total alone.
    pub limit: usize,
    /// What may stand in the documents.
    pub resource_type: Option<&'a ResourceType>,
}

/// What is found.
#[derive(Debug)]
pub enum Found<R> {
    Page(Page<R>),
    /// The sort would touch too many resources: 400 `tooMany`.
    TooMany,
}

/// A page and the number of all matches.
#[derive(Debug)]
pub struct Page<R> {
    pub total: i64,
    pub rows: Vec<R>,
}

/// Tells of each row whether it matches the filter, and its key. An order by a column
/// becomes the judge's where that column's keys were cut.
pub type Judge<'a, R, K, E> = dyn FnMut(&mut Db, &[R]) -> Result<Vec<Option<K>>, E> + 'a;

/// A row that can be listed.
pub trait Listed: Row + Sized {
    /// Its table.
    const TABLE: &'static str;
    /// The columns of one row, as a select list.
    const COLUMNS: &'static str;
    /// The id that clients know.
    fn id(&self) -> uuid::Uuid;
    /// `meta.created`.
    fn created_at(&self) -> Instant;
    /// `meta.lastModified`.
    fn modified_at(&self) -> Instant;
    /// The group and the user of a membership.
    fn link(&self) -> Option<(uuid::Uuid, uuid::Uuid)> {
        None
    }
}

macro_rules! listed {
    ($row:ident, $table:literal, $columns:expr) => {
        impl Listed for $row {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static str = $columns;
            fn id(&self) -> uuid::Uuid {
                self.id.0
            }
            fn created_at(&self) -> Instant {
                self.created_at
            }
            fn modified_at(&self) -> Instant {
                self.modified_at
            }
        }
    };
}
listed!(UserRow, "users", users::COLUMNS);
listed!(GroupRow, "learner_groups", groups_directory::COLUMNS);
listed!(ResourceRow, "resources", resources::COLUMNS);

impl Listed for MembershipRow {
    const TABLE: &'static str = group_memberships::TABLE;
    const COLUMNS: &'static str = group_memberships::COLUMNS;
    fn id(&self) -> uuid::Uuid {
        self.id.0
    }
    fn created_at(&self) -> Instant {
        self.created_at
    }
    fn modified_at(&self) -> Instant {
        self.created_at
    }
    fn link(&self) -> Option<(uuid::Uuid, uuid::Uuid)> {
        Some((self.group_id.0, self.user_id.0))
    }
}

/// Searches one kind of resource in one tenant. `judge` is asked only where the database cannot tell.
pub fn search<R: Listed, K: Ord, E: From<StoreError>>(
    db: &mut Db,
    tenant: TenantId,
    search: &Search<'_>,
    judge: &mut Judge<'_, R, K, E>,
) -> Result<Found<R>, E> {
    let (mut candidates, exact) = candidates(db, tenant, search.kind, search.filter)?;
    let order = match search.order {
        // Keys that begin alike may have been cut before they differ: then only the judge tells their order.
        Order::Column {
            column: SortColumn::Text(column),
            descending,
        } if column.shortened && has_cut_keys(db, tenant)? => Order::Judge { descending },
        order => order,
    };
    match order {
        Order::Judge { descending } => candidates.sorted_by_judge(db, search, descending, judge),
        order if exact => Ok(Found::Page(candidates.found(db, search, order, None)?)),
        order => {
            let upto = search.offset.saturating_add(search.limit);
            match candidates.excerpted::<R>(db, search.resource_type, upto)? {
                Some(total) => Ok(Found::Page(candidates.found(
                    db,
                    search,
                    order,
                    Some(total),
                )?)),
                None => candidates.judged(db, search, order, judge),
            }
        }
    }
}

fn has_cut_keys(db: &mut Db, tenant: TenantId) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "SELECT CAST(1 AS BIGINT) AS n FROM user_values WHERE tenant_id = ? AND attr = ? \
         UNION ALL SELECT CAST(1 AS BIGINT) AS n FROM resource_values WHERE tenant_id = ? AND attr = ? LIMIT 1",
    );
    let stmt = stmt.bind(tenant).bind(LONG).bind(tenant).bind(LONG);
    Ok(db.number(stmt)? == 1)
}

/// What is asked of a walk from a place on.
#[derive(Clone, Copy, Debug)]
pub struct Seek<'a> {
    pub kind: Kind,
    pub filter: Option<&'a CheckedFilter>,
    pub order: Order,
    pub from: &'a Gap,
    /// Towards the start; the rows still come in the order of the list.
    pub back: bool,
    pub limit: usize,
    /// Whether all matches are counted, too: only a walk from the start does.
    pub counts: bool,
    /// How many there were then.
    pub total: Option<i64>,
    /// What may stand in the documents.
    pub resource_type: Option<&'a ResourceType>,
}

/// What a walk finds.
#[derive(Debug)]
pub enum Sought<R> {
    /// The rows with the judge's keys, where it was asked, and the number of all matches.
    Rows {
        rows: Vec<(R, Option<SortKey>)>,
        total: Option<i64>,
    },
    TooMany,
}

/// Finds the next rows of an order. A long text counts with its first `placement::KEY_CHARS` characters, whoever decides, so
/// that every step of a walk has the same order.
pub fn seek<R: Listed, E: From<StoreError>>(
    db: &mut Db,
    tenant: TenantId,
    seek: &Seek<'_>,
    judge: &mut Judge<'_, R, SortKey, E>,
) -> Result<Sought<R>, E> {
    let (mut candidates, exact) = candidates(db, tenant, seek.kind, seek.filter)?;
    match seek.order {
        Order::Judge { descending } => candidates.sought_by_judge(db, seek, descending, judge),
        _ if exact => Ok(candidates.sought(db, seek, None)?),
        _ => {
            // a step that counts nothing soon finds its rows, unless they are few
            let looks = seek.counts
                || match seek.total {
                    Some(total) => candidates.is_few(db, total, seek.limit)?,
                    None => false,
                };
            let total = match looks {
                true => candidates.excerpted::<R>(db, seek.resource_type, seek.limit)?,
                false => None,
            };
            match total {
                Some(total) => Ok(candidates.sought(db, seek, Some(total))?),
                None => candidates.sought_and_judged(db, seek, judge),
            }
        }
    }
}

/// Which of these rows, at most a batch, pass a filter; `None` where the database cannot tell.
pub fn passing<R: Listed>(
    db: &mut Db,
    tenant: TenantId,
    kind: Kind,
    filter: &CheckedFilter,
    ids: &[uuid::Uuid],
) -> Result<Option<HashSet<uuid::Uuid>>, StoreError> {
    let (candidates, exact) = candidates(db, tenant, kind, Some(filter))?;
    if !exact {
        return Ok(None);
    }
    let rows: Vec<R> = candidates.among(db, ids)?;
    Ok(Some(rows.iter().map(R::id).collect()))
}

/// The place of a row in an order; `key` is the judge's, for an order that only it gives.
pub fn position<R: Listed>(
    db: &mut Db,
    tenant: TenantId,
    order: Order,
    row: &R,
    key: Option<SortKey>,
) -> Result<Position, StoreError> {
    let column = match order {
        Order::Judge { .. } => None,
        Order::Natural => Some(SortColumn::Created),
        Order::Column { column, .. } => Some(column),
    };
    let key = match column {
        None => key.map_or(SortKey::Missing, order::shortened),
        Some(column) => candidates::key_of(db, tenant, column, row)?,
    };
    Ok(Position { key, id: row.id() })
}

fn candidates<'f>(
    db: &mut Db,
    tenant: TenantId,
    kind: Kind,
    filter: Option<&'f CheckedFilter>,
) -> Result<(Candidates<'f>, bool), StoreError> {
    let condition: Option<Lowered> = filter
        .map(|filter| lower(filter, kind, tenant, db.dialect(), Access::Seek))
        // a filter that always holds is none: then the counter knows the total
        .filter(|condition| condition.sql != "TRUE" || condition.exactness != Exactness::Exact);
    let exact = match condition.as_ref().map(|condition| condition.exactness) {
        None | Some(Exactness::Exact) => true,
        Some(Exactness::UnlessCut) => !has_cut_keys(db, tenant)?,
        Some(Exactness::Superset) => false,
    };
    let candidates = Candidates {
        tenant,
        kind,
        filter,
        condition,
        way: Way::Planned,
        varies: false,
    };
    Ok((candidates, exact))
}

/// The statements of a page, for tests that look at their plans: from an offset, or from a place on.
#[cfg(test)]
pub(crate) fn page_statements<R: Listed>(
    db: &Db,
    (tenant, kind): (TenantId, Kind),
    filter: Option<&CheckedFilter>,
    order: Order,
    from: Result<usize, &Gap>,
) -> Vec<Stmt<'static>> {
    let condition = filter.map(|filter| lower(filter, kind, tenant, db.dialect(), Access::Seek));
    let candidates = Candidates {
        tenant,
        kind,
        filter,
        condition,
        way: Way::Planned,
        varies: false,
    };
    match from {
        Ok(skip) => order::stretches(order)
            .iter()
            .map(|stretch| {
                candidates
                    .page_statement::<R>(stretch, skip, 100)
                    .into_owned()
            })
            .collect(),
        Err(gap) => order::stretches_from(order, gap, false)
            .iter()
            .map(|(stretch, gap)| {
                candidates
                    .batch_statement::<R>(stretch, gap.as_ref(), 100)
                    .into_owned()
            })
            .collect(),
    }
}
