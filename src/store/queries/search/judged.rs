//! Filters and orders that only the judge decides: all candidates pass before it, in batches.

use crate::scim::filter::sort::SortKey;
use crate::store::placement::Kind;
use crate::store::{Db, StoreError};

use super::candidates::Candidates;
use super::order::{Gap, Order, Position, shortened, stretches_from};
use super::{BATCH, Found, Judge, Listed, Page, SORTABLE, Search, Seek, Sought};

impl Candidates<'_> {
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

    /// The rows from a place on, for a filter only the judge can decide, in an order the database has.
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
        let natural = match self.kind {
            Kind::Membership => Order::MEMBERSHIPS,
            Kind::User | Kind::Group | Kind::Other(_) => Order::Natural,
        };
        let place = (natural, &Gap::Start, false);
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
}
