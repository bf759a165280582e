//! Filters and orders that the database decides: the way to a page, and the number of all matches.

use crate::store::condition::{Access, count_by_values, lower};
use crate::store::placement::SortColumn;
use crate::store::queries::counters;
use crate::store::{Db, StoreError};

use super::candidates::{Candidates, Way};
use super::order::{Gap, Order, Stretch, stretches, stretches_from};
use super::{Listed, Page, Search, Seek, Sought};

/// Of so many matches a page is always sorted out.
const FEW: i64 = 1000;

impl Candidates<'_> {
    /// Counts the matches where that costs less than finding some, and chooses by their number how to find a page: a few are
    /// looked up and sorted, of many the first ones in order are soon met. No statistics tell a range without a match from one
    /// that has everybody.
    fn weigh<R: Listed>(
        &mut self,
        db: &mut Db,
        order: Order,
        known: Option<i64>,
        upto: usize,
    ) -> Result<Option<i64>, StoreError> {
        let Some(condition) = self.condition.as_ref() else {
            return Ok(None);
        };
        if condition.selective || !(condition.narrowed || condition.scans) {
            return Ok(None);
        }
        let narrowed = condition.narrowed;
        self.varies = db.dialect().plans_once;
        let total = match known {
            Some(total) => total,
            None => self.count::<R>(db, None)?,
        };
        let met = self.met(db, total, upto)?;
        let way = if is_few(total, met) {
            Way::Few
        } else if narrowed && is_assigned_first(order) {
            // a power of two: the statement is kept with it
            let rows = usize::try_from(met).unwrap_or(usize::MAX / 4);
            Way::Reach((2 * rows + 1000).next_power_of_two())
        } else {
            Way::Planned
        };
        self.go(db, way, order);
        Ok(Some(total))
    }

    /// So many rows are met until a page is full, if the matches are spread evenly.
    fn met(&self, db: &mut Db, total: i64, upto: usize) -> Result<i64, StoreError> {
        let all = match self.kind.counter() {
            Some(counter) => counters::sum(db, self.tenant, &counter)?,
            None => total,
        };
        let upto = i64::try_from(upto).unwrap_or(i64::MAX);
        Ok(upto.saturating_mul(all.max(1)) / total.max(1))
    }

    /// Whether so few match that they are sorted rather than met in order.
    pub(super) fn is_few(&self, db: &mut Db, total: i64, upto: usize) -> Result<bool, StoreError> {
        Ok(is_few(total, self.met(db, total, upto)?))
    }

    /// Takes a way, and asks for what that needs.
    fn go(&mut self, db: &Db, way: Way, order: Order) {
        let (Some(filter), Some(condition)) = (self.filter, self.condition.as_ref()) else {
            return;
        };
        let access = match (way, condition.narrowed) {
            (Way::Few | Way::Sort, true) => Access::Seek,
            (Way::Few | Way::Sort, false) => Access::Scan,
            (Way::Planned | Way::Reach(_), _) => Access::Walk(column_of(order)),
        };
        self.way = way;
        self.condition = Some(lower(filter, self.kind, self.tenant, db.dialect(), access));
    }

    fn count<R: Listed>(&self, db: &mut Db, stretch: Option<&Stretch>) -> Result<i64, StoreError> {
        let by_values = match (self.filter, stretch) {
            (Some(filter), None) => count_by_values(filter, self.kind, self.tenant, db.dialect()),
            _ => None,
        };
        match by_values {
            Some(stmt) => db.number(stmt.once(self.is_rare())),
            None => db.number(self.count_statement::<R>(stretch)),
        }
    }

    /// A page of matches; all of them are counted, unless they have been: `told`.
    pub(super) fn found<R: Listed>(
        &mut self,
        db: &mut Db,
        search: &Search<'_>,
        order: Order,
        told: Option<i64>,
    ) -> Result<Page<R>, StoreError> {
        let (offset, limit) = (search.offset, search.limit);
        let weighed = match told {
            _ if self.selects_nothing() => Some(0),
            Some(total) => Some(total),
            None => self.weigh::<R>(db, order, None, offset.saturating_add(limit))?,
        };
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
    fn total<R: Listed>(
        &self,
        db: &mut Db,
        (offset, limit): (usize, usize),
        found: usize,
    ) -> Result<i64, StoreError> {
        let ends_here = found < limit && (found > 0 || offset == 0);
        if ends_here {
            return Ok(i64::try_from(offset + found).unwrap_or(i64::MAX));
        }
        match (&self.condition, self.kind.counter()) {
            (None, Some(counter)) => counters::sum(db, self.tenant, &counter),
            _ => self.count::<R>(db, None),
        }
    }

    /// The rows from `offset` on.
    fn page<R: Listed>(
        &mut self,
        db: &mut Db,
        order: Order,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<R>, StoreError> {
        if let (Way::Reach(_), Some(first)) = (self.way, stretches(order).first()) {
            let rows: Vec<R> = db.load(self.page_statement::<R>(first, offset, limit))?;
            if rows.len() == limit {
                return Ok(rows);
            }
            self.go(db, Way::Sort, order);
        }
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

    /// The rows from a place on; likewise.
    pub(super) fn sought<R: Listed>(
        &mut self,
        db: &mut Db,
        seek: &Seek<'_>,
        told: Option<i64>,
    ) -> Result<Sought<R>, StoreError> {
        let weighed = match (told, seek.total, seek.counts) {
            _ if self.selects_nothing() => Some(0),
            (Some(total), ..) => Some(total),
            (None, None, false) => None,
            (None, known, _) => self.weigh::<R>(db, seek.order, known, seek.limit)?,
        };
        let mut rows: Vec<R> = Vec::new();
        let mut stretches = stretches_from(seek.order, seek.from, seek.back);
        if weighed == Some(0) {
            stretches.clear();
        }
        if let (Way::Reach(_), Some((first, step))) = (self.way, stretches.first()) {
            rows = db.load(self.batch_statement::<R>(first, step.as_ref(), seek.limit))?;
            if rows.len() < seek.limit {
                rows.clear();
                self.go(db, Way::Sort, seek.order);
            }
        }
        for (stretch, step) in stretches {
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
}

const fn is_few(total: i64, met: i64) -> bool {
    total <= FEW || total <= met.saturating_mul(4)
}

/// Whether an order begins with those that have a value: where it begins with those without one, there are mostly none.
fn is_assigned_first(order: Order) -> bool {
    stretches(order)
        .first()
        .is_some_and(|first| first.guard.is_none_or(|(_, assigned)| assigned))
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
            SortColumn::Group => Some("group_id"),
            SortColumn::Member => Some("user_id"),
        },
    }
}
