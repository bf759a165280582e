//! The rows a condition selects, in an order: a page of them, or all of them past a judge.

use crate::ids::TenantId;
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::sort::SortKey;
use crate::store::condition::{Access, Lowered, count_by_values, lower};
use crate::store::placement::{Kind, SortColumn};
use crate::store::queries::counters;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, StoreError};

use super::order::{
    Gap, Order, Position, Step, Stretch, bind, shortened, stretches, stretches_from,
};
use super::{BATCH, Found, Judge, Listed, Page, SORTABLE, Search, Seek, Sought};

/// The rows a condition selects.
pub(super) struct Candidates<'f> {
    pub tenant: TenantId,
    pub kind: Kind,
    pub filter: Option<&'f CheckedFilter>,
    /// The filter's; `None` when it always holds.
    pub condition: Option<Lowered>,
    /// Whether so few rows match that they are looked up and sorted.
    pub few: bool,
    /// Whether its plan depends on what is bound.
    pub varies: bool,
}

/// Of so many matches a page is always sorted out.
const FEW: i64 = 1000;

impl Candidates<'_> {
    /// `FROM … WHERE …` with its binds.
    fn selection<R: Listed>(&self, stretch: Option<&Stretch>) -> (String, Vec<Bind>) {
        let mut sql = format!("FROM {} r WHERE r.tenant_id = ? AND ", R::TABLE);
        let mut binds = vec![Bind::from(self.tenant)];
        match self.kind {
            Kind::User | Kind::Group => sql.push_str("r.deleted_at IS NULL"),
            Kind::Other(name) => {
                sql.push_str("r.resource_type = ?");
                binds.push(Bind::from(name));
            }
        }
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
        self.few
            || self
                .condition
                .as_ref()
                .is_some_and(|condition| condition.selective)
    }

    /// Whether the statement is not to be kept: its text is one of endlessly many, or its plan is for these values alone.
    fn is_rare(&self) -> bool {
        self.varies
            || self
                .condition
                .as_ref()
                .is_some_and(|condition| condition.tests > 1)
    }

    /// Counts the matches where that costs less than finding some, and chooses by their number how to find a page: a few are
    /// looked up and sorted, of many the first ones in order are soon met. No statistics tell a range without a match from one
    /// that has everybody.
    pub(super) fn weigh<R: Listed>(
        &mut self,
        db: &mut Db,
        order: Order,
        known: Option<i64>,
        upto: usize,
    ) -> Result<Option<i64>, StoreError> {
        let Some((filter, condition)) = self.filter.zip(self.condition.as_ref()) else {
            return Ok(None);
        };
        if condition.selective || !(condition.narrowed || condition.scans) {
            return Ok(None);
        }
        let (narrowed, dialect) = (condition.narrowed, db.dialect());
        self.varies = dialect.plans_once;
        let total = match known {
            Some(total) => total,
            None => self.count::<R>(db, None)?,
        };
        let all = counters::sum(db, self.tenant, &self.kind.counter())?;
        // So many rows are met until a page is full, if the matches are spread evenly.
        let met = i64::try_from(upto)
            .unwrap_or(i64::MAX)
            .saturating_mul(all.max(1))
            / total.max(1);
        self.few = total <= FEW || total <= met.saturating_mul(4);
        let access = match (self.few, narrowed) {
            (true, true) => Access::Seek,
            (true, false) => Access::Scan,
            (false, _) => Access::Walk(column_of(order)),
        };
        self.condition = Some(lower(filter, self.kind, self.tenant, dialect, access));
        Ok(Some(total))
    }

    fn count<R: Listed>(&self, db: &mut Db, stretch: Option<&Stretch>) -> Result<i64, StoreError> {
        let by_values = match (self.filter, stretch) {
            (Some(filter), None) => count_by_values(filter, self.kind, self.tenant, db.dialect()),
            _ => None,
        };
        if let Some(stmt) = by_values {
            return db.number(stmt.once(self.is_rare()));
        }
        let (from, binds) = self.selection::<R>(stretch);
        db.number(
            Stmt::new(format!("SELECT CAST(count(*) AS BIGINT) AS n {from}"))
                .once(self.is_rare())
                .binds(binds),
        )
    }

    /// A page of matches of which all are counted, or not yet.
    pub(super) fn found<R: Listed>(
        &mut self,
        db: &mut Db,
        search: &Search<'_>,
        order: Order,
    ) -> Result<Page<R>, StoreError> {
        let (offset, limit) = (search.offset, search.limit);
        let weighed = self.weigh::<R>(db, order, None, offset.saturating_add(limit))?;
        let is_beyond =
            weighed.is_some_and(|total| total <= i64::try_from(offset).unwrap_or(i64::MAX));
        let rows: Vec<R> = if is_beyond {
            Vec::new()
        } else {
            self.page(db, order, offset, limit)?
        };
        let total = match weighed {
            Some(total) => total,
            None => self.total::<R>(db, (offset, limit), rows.len())?,
        };
        Ok(Page { total, rows })
    }

    /// All matches: read off the page where it shows them all, off the counter where there is no filter.
    pub(super) fn total<R: Listed>(
        &self,
        db: &mut Db,
        (offset, limit): (usize, usize),
        found: usize,
    ) -> Result<i64, StoreError> {
        let ends_here = found < limit && (found > 0 || offset == 0);
        if ends_here {
            return Ok(i64::try_from(offset + found).unwrap_or(i64::MAX));
        }
        match &self.condition {
            None => counters::sum(db, self.tenant, &self.kind.counter()),
            Some(_) => self.count::<R>(db, None),
        }
    }

    /// The rows from `offset` on.
    pub(super) fn page<R: Listed>(
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
    pub(super) fn page_statement<R: Listed>(
        &self,
        stretch: &Stretch,
        skip: usize,
        limit: usize,
    ) -> Stmt {
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
    pub(super) fn batch_statement<R: Listed>(
        &self,
        stretch: &Stretch,
        step: Option<&Step>,
        limit: usize,
    ) -> Stmt {
        let (mut from, mut binds) = self.selection::<R>(Some(stretch));
        if let Some(step) = step {
            let keys = stretch.keys();
            let sign = match (stretch.descending, step.inclusive) {
                (false, false) => ">",
                (false, true) => ">=",
                (true, false) => "<",
                (true, true) => "<=",
            };
            from.push_str(&format!(
                " AND ({}) {sign} ({})",
                keys.join(", "),
                marks(keys.len())
            ));
            binds.extend(step.key.clone());
            if keys.last() == Some(&"r.id") {
                binds.push(Bind::from(step.id));
            }
        }
        let sql = format!(
            "SELECT {} {from} ORDER BY {} LIMIT {limit}",
            R::COLUMNS,
            stretch.order(self.is_selective())
        );
        Stmt::new(sql).once(self.is_rare()).binds(binds)
    }

    /// Where the next batch begins after this row.
    fn after<R: Listed>(
        &self,
        db: &mut Db,
        stretch: &Stretch,
        last: &R,
    ) -> Result<Step, StoreError> {
        let key = match stretch.column {
            None => SortKey::Missing,
            Some(column) => key_of(db, self.tenant, column, last)?,
        };
        Ok(Step {
            key: stretch.column.and_then(|column| bind(column, &key)),
            id: last.id(),
            inclusive: false,
        })
    }

    /// Shows every candidate from a place on to `see`, in order, until it has seen enough (`false`).
    fn walk<R: Listed, E: From<StoreError>>(
        &self,
        db: &mut Db,
        (order, from, back): (Order, &Gap, bool),
        mut see: impl FnMut(&mut Db, Vec<R>) -> Result<bool, E>,
    ) -> Result<(), E> {
        for (stretch, mut step) in stretches_from(order, from, back) {
            loop {
                let statement = self.batch_statement::<R>(&stretch, step.as_ref(), BATCH);
                let rows: Vec<R> = db.load(statement)?;
                let is_last = rows.len() < BATCH;
                step = match rows.last() {
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

    /// The rows from a place on, where the database can tell.
    pub(super) fn sought<R: Listed>(
        &mut self,
        db: &mut Db,
        seek: &Seek<'_>,
    ) -> Result<Sought<R>, StoreError> {
        let weighed = match (seek.total, seek.counts) {
            (None, false) => None,
            (known, _) => self.weigh::<R>(db, seek.order, known, seek.limit)?,
        };
        let mut rows: Vec<R> = Vec::new();
        for (stretch, step) in stretches_from(seek.order, seek.from, seek.back) {
            let wanted = seek.limit - rows.len();
            if wanted == 0 {
                break;
            }
            rows.extend(db.load(self.batch_statement::<R>(&stretch, step.as_ref(), wanted))?);
        }
        if seek.back {
            rows.reverse();
        }
        let total = match (seek.counts, seek.from, seek.back) {
            (false, _, _) => None,
            (true, _, _) if weighed.is_some() => weighed,
            (true, Gap::Start, false) => Some(self.total::<R>(db, (0, seek.limit), rows.len())?),
            (true, _, _) => Some(self.total::<R>(db, (0, 0), 0)?),
        };
        let rows = rows.into_iter().map(|row| (row, None)).collect();
        Ok(Sought::Rows { rows, total })
    }

    /// The same for a filter only the judge can decide, in an order the database has.
    pub(super) fn sought_and_judged<R: Listed, E: From<StoreError>>(
        &self,
        db: &mut Db,
        seek: &Seek<'_>,
        judge: &mut Judge<'_, R, SortKey, E>,
    ) -> Result<Sought<R>, E> {
        let mut total: i64 = 0;
        let mut found = Vec::new();
        let place = (seek.order, seek.from, seek.back);
        self.walk(db, place, |db: &mut Db, rows: Vec<R>| {
            let verdicts = judge(db, &rows)?;
            for (row, verdict) in rows.into_iter().zip(verdicts) {
                if verdict.is_some() {
                    total += 1;
                    if found.len() < seek.limit {
                        found.push((row, verdict));
                    }
                }
            }
            Ok::<_, E>(seek.counts || found.len() < seek.limit)
        })?;
        if seek.back {
            found.reverse();
        }
        Ok(Sought::Rows {
            rows: found,
            total: seek.counts.then_some(total),
        })
    }

    /// A filter only the judge can decide, in an order the database has.
    pub(super) fn judged<R: Listed, K, E: From<StoreError>>(
        &self,
        db: &mut Db,
        search: &Search<'_>,
        order: Order,
        judge: &mut Judge<'_, R, K, E>,
    ) -> Result<Found<R>, E> {
        let mut total: usize = 0;
        let mut page = Vec::new();
        self.walk(
            db,
            (order, &Gap::Start, false),
            |db: &mut Db, rows: Vec<R>| {
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
            },
        )?;
        Ok(Found::Page(Page {
            total: i64::try_from(total).unwrap_or(i64::MAX),
            rows: page,
        }))
    }

    /// An order only the judge knows: the keys of all matches, ascending; `None` when there are too many to sort.
    fn keyed<R: Listed, K: Ord, E: From<StoreError>>(
        &self,
        db: &mut Db,
        judge: &mut Judge<'_, R, K, E>,
    ) -> Result<Option<Vec<(K, uuid::Uuid)>>, E> {
        let mut keys: Vec<(K, uuid::Uuid)> = Vec::new();
        let place = (Order::Natural, &Gap::Start, false);
        self.walk(db, place, |db: &mut Db, rows: Vec<R>| {
            let verdicts = judge(db, &rows)?;
            keys.extend(
                rows.iter()
                    .zip(verdicts)
                    .filter_map(|(row, key)| key.map(|key| (key, row.id()))),
            );
            Ok::<_, E>(keys.len() <= SORTABLE)
        })?;
        Ok((keys.len() <= SORTABLE).then_some(keys))
    }

    /// A page of an order only the judge knows.
    pub(super) fn sorted_by_judge<R: Listed, K: Ord, E: From<StoreError>>(
        &self,
        db: &mut Db,
        search: &Search<'_>,
        descending: bool,
        judge: &mut Judge<'_, R, K, E>,
    ) -> Result<Found<R>, E> {
        let Some(mut keys) = self.keyed(db, judge)? else {
            return Ok(Found::TooMany);
        };
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

    /// The rows from a place on in an order only the judge knows.
    pub(super) fn sought_by_judge<R: Listed, E: From<StoreError>>(
        &self,
        db: &mut Db,
        seek: &Seek<'_>,
        descending: bool,
        judge: &mut Judge<'_, R, SortKey, E>,
    ) -> Result<Sought<R>, E> {
        let Some(keys) = self.keyed(db, judge)? else {
            return Ok(Sought::TooMany);
        };
        let total = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let mut keys: Vec<(SortKey, uuid::Uuid)> = keys
            .into_iter()
            .map(|(key, id)| (shortened(key), id))
            .collect();
        keys.sort_unstable();
        if descending {
            keys.reverse();
        }
        let is_before = |key: &(SortKey, uuid::Uuid), place: &Position, or_there: bool| {
            let order = key.0.cmp(&place.key).then(key.1.cmp(&place.id));
            let order = if descending { order.reverse() } else { order };
            order.is_lt() || (or_there && order.is_eq())
        };
        let split = match seek.from {
            Gap::Start => 0,
            Gap::End => keys.len(),
            Gap::Before(place) => keys.partition_point(|key| is_before(key, place, false)),
            Gap::After(place) => keys.partition_point(|key| is_before(key, place, true)),
        };
        let chosen: Vec<(SortKey, uuid::Uuid)> = if seek.back {
            let first = split.saturating_sub(seek.limit);
            keys.drain(first..split).collect()
        } else {
            keys.into_iter().skip(split).take(seek.limit).collect()
        };
        let ids: Vec<uuid::Uuid> = chosen.iter().map(|(_, id)| *id).collect();
        let rows = self.by_ids::<R>(db, &ids)?;
        let mut chosen = chosen.into_iter();
        let rows = rows.into_iter().map(|row| {
            let key = chosen.by_ref().find(|(_, id)| *id == row.id());
            (row, key.map(|(key, _)| key))
        });
        Ok(Sought::Rows {
            rows: rows.collect(),
            total: seek.counts.then_some(total),
        })
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

/// The column whose index an order follows, if it is one that a filter may name.
fn column_of(order: Order) -> Option<&'static str> {
    match order {
        Order::Judge { .. } => None,
        Order::Natural => Some("created_at"),
        Order::Column { column, .. } => match column {
            SortColumn::Id => None,
            SortColumn::Created => Some("created_at"),
            SortColumn::Modified => Some("modified_at"),
            SortColumn::Text(column) => Some(column.name),
        },
    }
}

/// One text that may be absent, selected `AS t`.
#[derive(diesel::QueryableByName)]
struct MaybeText {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    t: Option<String>,
}

/// The key of a row in the order of a column. Text keys are not part of a row: they are asked for.
pub(super) fn key_of<R: Listed>(
    db: &mut Db,
    tenant: TenantId,
    column: SortColumn,
    row: &R,
) -> Result<SortKey, StoreError> {
    Ok(match column {
        SortColumn::Id => SortKey::Missing,
        SortColumn::Created => SortKey::Instant(row.created_at()),
        SortColumn::Modified => SortKey::Instant(row.modified_at()),
        SortColumn::Text(column) => {
            let sql = format!(
                "SELECT r.{} AS t FROM {} r WHERE r.tenant_id = ? AND r.id = ?",
                column.name,
                R::TABLE
            );
            let found: Option<MaybeText> =
                db.optional(Stmt::new(sql).bind(tenant).bind(row.id()))?;
            found
                .and_then(|row| row.t)
                .map_or(SortKey::Missing, SortKey::Text)
        }
    })
}
