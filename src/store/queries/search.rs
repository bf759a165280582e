//! Lists of users and groups: filter, order, page and total.
//!
//! Where the database can tell all of it, it does: the page by keys first, the documents of that page after. Where only
//! the document tells, candidates stream in batches past a judge, which the caller brings (`scim::filter::eval`).

use crate::clock::Instant;
use crate::ids::TenantId;
use crate::scim::filter::CheckedFilter;
use crate::store::condition::{Exactness, Lowered, lower};
use crate::store::db::{OneText, Row};
use crate::store::placement::{Kind, LONG, SortColumn, TextColumn};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, StoreError};

use super::counters;
use super::groups_directory::{self, GroupRow};
use super::users::{self, UserRow};

/// How many candidates a judge sees at a time.
const BATCH: usize = 1000;
/// How many resources a sort may touch that no column gives (E18).
const SORTABLE: usize = 100_000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    pub filter: Option<&'a CheckedFilter>,
    pub order: Order,
    /// How many matches to skip; `startIndex` less one.
    pub offset: usize,
    /// How many to return; 0 asks for the total alone.
    pub limit: usize,
}

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By creation.
    Natural,
    /// By a column. Rows without a value come last ascending, first descending.
    Column {
        column: SortColumn,
        descending: bool,
    },
    /// By the keys the judge gives.
    Judge { descending: bool },
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
    /// What its filters and orders are placed for.
    const KIND: Kind;
    /// Its table.
    const TABLE: &'static str;
    /// The columns of one row, as a select list.
    const COLUMNS: &'static str;
    /// The counter of all of them.
    const COUNTER: &'static str;
    /// The id that clients know.
    fn id(&self) -> uuid::Uuid;
    /// `meta.created`.
    fn created_at(&self) -> Instant;
    /// `meta.lastModified`.
    fn modified_at(&self) -> Instant;
}

macro_rules! listed {
    ($row:ident, $kind:ident, $table:literal, $counter:literal, $columns:expr) => {
        impl Listed for $row {
            const KIND: Kind = Kind::$kind;
            const TABLE: &'static str = $table;
            const COLUMNS: &'static str = $columns;
            const COUNTER: &'static str = $counter;
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
listed!(UserRow, User, "users", "users", users::COLUMNS);
listed!(
    GroupRow,
    Group,
    "learner_groups",
    "groups",
    groups_directory::COLUMNS
);

/// Searches one kind of resource in one tenant. `judge` is asked only where the database cannot tell.
pub fn search<R: Listed, K: Ord, E: From<StoreError>>(
    db: &mut Db,
    tenant: TenantId,
    search: &Search<'_>,
    judge: &mut Judge<'_, R, K, E>,
) -> Result<Found<R>, E> {
    let condition = search
        .filter
        .map(|filter| lower(filter, R::KIND, tenant, db.dialect()));
    let exact = match condition.as_ref().map(|condition| condition.exactness) {
        None | Some(Exactness::Exact) => true,
        Some(Exactness::UnlessCut) => !has_cut_keys(db, tenant)?,
        Some(Exactness::Superset) => false,
    };
    let candidates = Candidates { tenant, condition };
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
        order if exact => {
            let rows: Vec<R> = candidates.page(db, order, search.offset, search.limit)?;
            let total = candidates.total::<R>(db, search, rows.len())?;
            Ok(Found::Page(Page { total, rows }))
        }
        order => candidates.judged(db, search, order, judge),
    }
}

fn has_cut_keys(db: &mut Db, tenant: TenantId) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "SELECT CAST(1 AS BIGINT) AS n FROM user_values WHERE tenant_id = ? AND attr = ? LIMIT 1",
    );
    Ok(db.number(stmt.bind(tenant).bind(LONG))? == 1)
}

/// The rows a condition selects.
struct Candidates {
    tenant: TenantId,
    condition: Option<Lowered>,
}

/// One stretch of an order, in which the column is never NULL or always.
#[derive(Clone, Copy)]
struct Stretch {
    column: Option<SortColumn>,
    guard: Option<(&'static str, bool)>,
    descending: bool,
}

/// Where the stretch goes on: the key of the last row and its id.
#[derive(Clone)]
struct After {
    key: Option<Bind>,
    id: uuid::Uuid,
}

impl Stretch {
    /// The expressions that order it; the index has the tenant before them.
    fn keys(&self) -> &'static [&'static str] {
        match self.column {
            None | Some(SortColumn::Id) => &["r.id"],
            Some(SortColumn::Created) => &["r.created_at", "r.id"],
            Some(SortColumn::Modified) => &["r.modified_at", "r.id"],
            Some(SortColumn::Text(column)) => match column.name {
                // Unique: there are no ties, and the index has no id.
                "user_name_key" => &["r.user_name_key"],
                "display_name_key" => &["r.display_name_key", "r.id"],
                "name_key" => &["r.name_key"],
                _ => &["r.external_id", "r.id"],
            },
        }
    }

    /// `ORDER BY` of it. Where few rows are left the first key becomes an expression, which no index gives: without
    /// statistics SQLite else walks the whole tenant in order rather than sort the two rows it can look up.
    fn order(&self, selective: bool) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        let first = match self.column {
            Some(SortColumn::Created | SortColumn::Modified) if selective => " + 0",
            Some(SortColumn::Text(_)) if selective => " || ''",
            _ => "",
        };
        let keys = self.keys().iter().enumerate();
        keys.map(|(position, key)| {
            format!("{key}{}{direction}", if position == 0 { first } else { "" })
        })
        .collect::<Vec<_>>()
        .join(", ")
    }
}

/// The stretches of an order, in order. A column that may be NULL has two, so that both follow an index.
fn stretches(order: Order) -> Vec<Stretch> {
    let (column, descending) = match order {
        Order::Natural | Order::Judge { .. } => (SortColumn::Created, false),
        Order::Column { column, descending } => (column, descending),
    };
    let whole = Stretch {
        column: Some(column),
        guard: None,
        descending,
    };
    let SortColumn::Text(TextColumn {
        name,
        nullable: true,
        ..
    }) = column
    else {
        return vec![whole];
    };
    let assigned = Stretch {
        guard: Some((name, true)),
        ..whole
    };
    let unassigned = Stretch {
        guard: Some((name, false)),
        column: None,
        ..whole
    };
    if descending {
        vec![unassigned, assigned]
    } else {
        vec![assigned, unassigned]
    }
}

impl Candidates {
    /// `FROM … WHERE …` with its binds.
    fn selection<R: Listed>(&self, stretch: Option<&Stretch>) -> (String, Vec<Bind>) {
        let mut sql = format!(
            "FROM {} r WHERE r.tenant_id = ? AND r.deleted_at IS NULL",
            R::TABLE
        );
        let mut binds = vec![Bind::from(self.tenant)];
        if let Some(condition) = &self.condition {
            sql.push_str(" AND ");
            sql.push_str(&condition.sql);
            binds.extend(condition.binds.iter().cloned());
        }
        if let Some((column, assigned)) = stretch.and_then(|stretch| stretch.guard) {
            sql.push_str(&format!(
                " AND r.{column} IS {}NULL",
                if assigned { "NOT " } else { "" }
            ));
        }
        (sql, binds)
    }

    fn is_selective(&self) -> bool {
        self.condition
            .as_ref()
            .is_some_and(|condition| condition.selective)
    }

    /// Whether the text is one of endlessly many.
    fn is_rare(&self) -> bool {
        self.condition
            .as_ref()
            .is_some_and(|condition| condition.tests > 1)
    }

    fn count<R: Listed>(&self, db: &mut Db, stretch: Option<&Stretch>) -> Result<i64, StoreError> {
        let (from, binds) = self.selection::<R>(stretch);
        db.number(
            Stmt::new(format!("SELECT CAST(count(*) AS BIGINT) AS n {from}"))
                .once(self.is_rare())
                .binds(binds),
        )
    }

    /// All matches: read off the page where it shows them all, off the counter where there is no filter.
    fn total<R: Listed>(
        &self,
        db: &mut Db,
        search: &Search<'_>,
        found: usize,
    ) -> Result<i64, StoreError> {
        let ends_here = found < search.limit && (found > 0 || search.offset == 0);
        if ends_here {
            return Ok(i64::try_from(search.offset + found).unwrap_or(i64::MAX));
        }
        match &self.condition {
            None => counters::sum(db, self.tenant, R::COUNTER),
            Some(_) => self.count::<R>(db, None),
        }
    }

    /// The rows from `offset` on.
    fn page<R: Listed>(
        &self,
        db: &mut Db,
        order: Order,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<R>, StoreError> {
        let mut rows: Vec<R> = Vec::new();
        let mut skip = offset;
        let stretches = stretches(order);
        for (position, stretch) in stretches.iter().enumerate() {
            let wanted = limit - rows.len();
            if wanted == 0 {
                break;
            }
            let found: Vec<R> = db.load(self.page_statement::<R>(stretch, skip, wanted))?;
            let is_last = position + 1 == stretches.len();
            if found.is_empty() && skip > 0 && !is_last {
                let passed = self.count::<R>(db, Some(stretch))?;
                skip = skip.saturating_sub(usize::try_from(passed).unwrap_or(usize::MAX));
            } else {
                skip = 0;
            }
            rows.extend(found);
        }
        Ok(rows)
    }

    /// A deep page first finds its keys in the index, then reads the documents of those alone.
    fn page_statement<R: Listed>(&self, stretch: &Stretch, skip: usize, limit: usize) -> Stmt {
        let (from, binds) = self.selection::<R>(Some(stretch));
        let (columns, order) = (R::COLUMNS, stretch.order(self.is_selective()));
        if skip == 0 {
            let sql = format!("SELECT {columns} {from} ORDER BY {order} LIMIT {limit}");
            return Stmt::new(sql).once(self.is_rare()).binds(binds);
        }
        let sql = format!(
            "SELECT {columns} FROM (SELECT r.id {from} ORDER BY {order} LIMIT {limit} OFFSET ?) k \
             JOIN {} r ON r.tenant_id = ? AND r.id = k.id ORDER BY {order}",
            R::TABLE
        );
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        Stmt::new(sql)
            .once(self.is_rare())
            .binds(binds)
            .bind(skip)
            .bind(self.tenant)
    }

    /// The next candidates of a stretch.
    fn batch<R: Listed>(
        &self,
        db: &mut Db,
        stretch: &Stretch,
        after: Option<&After>,
    ) -> Result<Vec<R>, StoreError> {
        let (mut from, mut binds) = self.selection::<R>(Some(stretch));
        if let Some(after) = after {
            let keys = stretch.keys();
            let sign = if stretch.descending { "<" } else { ">" };
            from.push_str(&format!(
                " AND ({}) {sign} ({})",
                keys.join(", "),
                marks(keys.len())
            ));
            binds.extend(after.key.clone());
            if keys.last() == Some(&"r.id") {
                binds.push(Bind::from(after.id));
            }
        }
        let sql = format!(
            "SELECT {} {from} ORDER BY {} LIMIT {BATCH}",
            R::COLUMNS,
            stretch.order(self.is_selective())
        );
        db.load(Stmt::new(sql).once(self.is_rare()).binds(binds))
    }

    /// Where the next batch begins after this row. Text keys are not part of a row: they are asked for.
    fn after<R: Listed>(
        &self,
        db: &mut Db,
        stretch: &Stretch,
        last: &R,
    ) -> Result<After, StoreError> {
        let key = match stretch.column {
            None | Some(SortColumn::Id) => None,
            Some(SortColumn::Created) => Some(Bind::from(last.created_at())),
            Some(SortColumn::Modified) => Some(Bind::from(last.modified_at())),
            Some(SortColumn::Text(column)) => {
                let sql = format!(
                    "SELECT r.{} AS t FROM {} r WHERE r.tenant_id = ? AND r.id = ?",
                    column.name,
                    R::TABLE
                );
                let found: Option<OneText> =
                    db.optional(Stmt::new(sql).bind(self.tenant).bind(last.id()))?;
                Some(Bind::from(found.map(|row| row.t)))
            }
        };
        Ok(After { key, id: last.id() })
    }

    /// Shows every candidate to `see`, in order, until it has seen enough (`false`).
    fn walk<R: Listed, E: From<StoreError>>(
        &self,
        db: &mut Db,
        order: Order,
        mut see: impl FnMut(&mut Db, Vec<R>) -> Result<bool, E>,
    ) -> Result<(), E> {
        for stretch in stretches(order) {
            let mut after = None;
            loop {
                let rows: Vec<R> = self.batch(db, &stretch, after.as_ref())?;
                let is_last = rows.len() < BATCH;
                after = match rows.last() {
                    Some(last) if !is_last => Some(self.after(db, &stretch, last)?),
                    _ => None,
                };
                if !rows.is_empty() && !see(db, rows)? {
                    return Ok(());
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A filter only the judge can decide, in an order the database has.
    fn judged<R: Listed, K, E: From<StoreError>>(
        &self,
        db: &mut Db,
        search: &Search<'_>,
        order: Order,
        judge: &mut Judge<'_, R, K, E>,
    ) -> Result<Found<R>, E> {
        let mut total: usize = 0;
        let mut page = Vec::new();
        self.walk(db, order, |db: &mut Db, rows: Vec<R>| {
            let verdicts = judge(db, &rows)?;
            for (row, verdict) in rows.into_iter().zip(verdicts) {
                if verdict.is_some() {
                    if total >= search.offset && page.len() < search.limit {
                        page.push(row);
                    }
                    total += 1;
                }
            }
            Ok::<_, E>(true)
        })?;
        Ok(Found::Page(Page {
            total: i64::try_from(total).unwrap_or(i64::MAX),
            rows: page,
        }))
    }

    /// An order only the judge knows: keys of all matches are gathered, up to a bound.
    fn sorted_by_judge<R: Listed, K: Ord, E: From<StoreError>>(
        &self,
        db: &mut Db,
        search: &Search<'_>,
        descending: bool,
        judge: &mut Judge<'_, R, K, E>,
    ) -> Result<Found<R>, E> {
        let mut keys: Vec<(K, uuid::Uuid)> = Vec::new();
        self.walk(db, Order::Natural, |db: &mut Db, rows: Vec<R>| {
            let verdicts = judge(db, &rows)?;
            keys.extend(
                rows.iter()
                    .zip(verdicts)
                    .filter_map(|(row, key)| key.map(|key| (key, row.id()))),
            );
            Ok::<_, E>(keys.len() <= SORTABLE)
        })?;
        if keys.len() > SORTABLE {
            return Ok(Found::TooMany);
        }
        let total = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        keys.sort_unstable();
        if descending {
            keys.reverse();
        }
        let ids: Vec<uuid::Uuid> = keys
            .into_iter()
            .skip(search.offset)
            .take(search.limit)
            .map(|(_, id)| id)
            .collect();
        let rows = self.by_ids(db, &ids)?;
        Ok(Found::Page(Page { total, rows }))
    }

    /// Rows by their ids, in the order of the ids.
    fn by_ids<R: Listed>(&self, db: &mut Db, ids: &[uuid::Uuid]) -> Result<Vec<R>, StoreError> {
        let mut found = std::collections::HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH) {
            let sql = format!(
                "SELECT {} FROM {} r WHERE r.tenant_id = ? AND r.id IN ({})",
                R::COLUMNS,
                R::TABLE,
                marks(chunk.len())
            );
            let stmt = Stmt::new(sql)
                .once(chunk.len() > 16)
                .bind(self.tenant)
                .binds(chunk.iter().map(|id| Bind::from(*id)));
            found.extend(db.load::<R>(stmt)?.into_iter().map(|row| (row.id(), row)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

/// The statement of a first page, for tests that look at its plan.
#[cfg(test)]
pub(crate) fn first_page_statement<R: Listed>(
    db: &Db,
    tenant: TenantId,
    filter: Option<&CheckedFilter>,
    order: Order,
) -> Option<Stmt> {
    let condition = filter.map(|filter| lower(filter, R::KIND, tenant, db.dialect()));
    let candidates = Candidates { tenant, condition };
    stretches(order)
        .first()
        .map(|stretch| candidates.page_statement::<R>(stretch, 0, 100))
}
