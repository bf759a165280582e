//! One step of a walk through a list: the next resources from a place on, of one kind or of several.
//!
//! Each kind has a place of its own, so that a walk over several kinds shows each resource once, whatever comes and goes
//! between its steps (K-20).

use std::ops::Range;

use crate::scim::filter::sort::{Sort, SortKey};
use crate::store::Db;
use crate::store::queries::group_memberships::MembershipRow;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::resources::ResourceRow;
use crate::store::queries::search::{self as rows, Gap, Order, Position, Seek, Sought};
use crate::store::queries::users::UserRow;

use super::super::super::{Scope, ServiceError};
use super::super::types::{Call, Kind, Resource};
use super::cursor::Cursor;
use super::listed::Shown;
use super::{Query, too_many};

/// What a step finds.
pub(super) struct Step {
    /// All matches, where they were counted.
    pub total: Option<i64>,
    /// Whether there is more in the direction of the walk.
    pub goes_on: bool,
    /// The resources in the order of the list: which kind, which of its rows.
    chosen: Vec<(usize, usize)>,
    streams: Vec<Option<Box<dyn Stream>>>,
}

/// The rows of one kind.
trait Stream {
    fn len(&self) -> usize;
    fn ids(&self) -> Vec<uuid::Uuid>;
    fn keys(
        &self,
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        query: &Query,
    ) -> Result<Vec<SortKey>, ServiceError>;
    fn position(&self, db: &mut Db, scope: &Scope, at: usize) -> Result<Position, ServiceError>;
    fn show(
        &self,
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        range: (Range<usize>, bool),
    ) -> Result<Vec<Resource>, ServiceError>;
}

struct Rows<R> {
    order: Order,
    rows: Vec<R>,
    keys: Vec<Option<SortKey>>,
}

impl<R: Shown> Stream for Rows<R> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn ids(&self) -> Vec<uuid::Uuid> {
        self.rows.iter().map(rows::Listed::id).collect()
    }

    fn keys(
        &self,
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        query: &Query,
    ) -> Result<Vec<SortKey>, ServiceError> {
        let verdicts = R::judged(&query.judge(call.base), db, scope.tenant, &self.rows)?;
        Ok(verdicts
            .into_iter()
            .map(|key| key.unwrap_or(SortKey::Missing))
            .collect())
    }

    fn position(&self, db: &mut Db, scope: &Scope, at: usize) -> Result<Position, ServiceError> {
        let (Some(row), Some(key)) = (self.rows.get(at), self.keys.get(at)) else {
            return Err(ServiceError::Bug(anyhow::anyhow!("a step has no row {at}")));
        };
        Ok(rows::position(
            db,
            scope.tenant,
            self.order,
            row,
            key.clone(),
        )?)
    }

    fn show(
        &self,
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        (range, back): (Range<usize>, bool),
    ) -> Result<Vec<Resource>, ServiceError> {
        let rows = self.rows.get(range).unwrap_or_default();
        R::shown(db, scope, call, rows, back)
    }
}

/// Takes a step of `limit` resources from where the cursor stands. All matches are counted unless it knows them.
pub(super) fn step(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    queries: &[Query],
    cursor: &Cursor,
    limit: i64,
) -> Result<Step, ServiceError> {
    let limit = usize::try_from(limit).unwrap_or(0);
    // one more tells whether the walk goes on
    let mut wanted = if limit == 0 { 0 } else { limit + 1 };
    let counts = cursor.total.is_none();
    let sort = match queries {
        [_, _, ..] => queries.iter().find_map(|query| query.sort.as_ref()),
        _ => None,
    };
    let mut streams: Vec<Option<Box<dyn Stream>>> = Vec::new();
    streams.resize_with(queries.len(), || None);
    let mut total = 0;
    let mut kinds: Vec<usize> = (0..queries.len()).collect();
    if cursor.back {
        kinds.reverse();
    }
    for kind in kinds {
        let (Some(query), Some(place), Some(slot)) = (
            queries.get(kind),
            cursor.places.get(kind),
            streams.get_mut(kind),
        ) else {
            continue;
        };
        if wanted == 0 && !counts {
            continue;
        }
        let seek = Seek {
            kind: query.kind,
            filter: query.filter.as_ref(),
            order: query.order(),
            from: place,
            back: cursor.back,
            limit: wanted,
            counts,
            total: cursor.total,
            resource_type: Some(&query.resource_type),
        };
        let (stream, counted) = match query.kind {
            Kind::User => sought::<UserRow>(db, scope, call, query, &seek)?,
            Kind::Group => sought::<GroupRow>(db, scope, call, query, &seek)?,
            Kind::Membership => sought::<MembershipRow>(db, scope, call, query, &seek)?,
            Kind::Other(_) => sought::<ResourceRow>(db, scope, call, query, &seek)?,
        };
        total += counted.unwrap_or(0);
        if sort.is_none() {
            wanted -= stream.len().min(wanted);
        }
        *slot = Some(stream);
    }
    let mut chosen = in_order(db, scope, call, queries, &streams, sort)?;
    let goes_on = limit > 0 && chosen.len() > limit;
    if cursor.back {
        chosen.drain(..chosen.len().saturating_sub(limit));
    } else {
        chosen.truncate(limit);
    }
    Ok(Step {
        total: counts.then_some(total),
        goes_on,
        chosen,
        streams,
    })
}

fn sought<R: Shown>(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    query: &Query,
    seek: &Seek<'_>,
) -> Result<(Box<dyn Stream>, Option<i64>), ServiceError> {
    let judge = query.judge(call.base);
    let found = rows::seek(db, scope.tenant, seek, &mut |db: &mut Db, batch: &[R]| {
        R::judged(&judge, db, scope.tenant, batch)
    })?;
    match found {
        Sought::TooMany => Err(too_many()),
        Sought::Rows { rows, total } => {
            let (rows, keys) = rows.into_iter().unzip();
            let order = seek.order;
            Ok((Box::new(Rows { order, rows, keys }), total))
        }
    }
}

/// The rows of all kinds in the order of the list: one kind after the other, or merged by a sort, ties by id (S-10).
/// Rows of one kind keep their order.
fn in_order(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    queries: &[Query],
    streams: &[Option<Box<dyn Stream>>],
    sort: Option<&Sort>,
) -> Result<Vec<(usize, usize)>, ServiceError> {
    let lengths: Vec<usize> = streams
        .iter()
        .map(|stream| stream.as_ref().map_or(0, |stream| stream.len()))
        .collect();
    let Some(sort) = sort else {
        let all = lengths.into_iter().enumerate();
        return Ok(all
            .flat_map(|(kind, length)| (0..length).map(move |row| (kind, row)))
            .collect());
    };
    let mut heads = Vec::new();
    for (kind, (stream, query)) in streams.iter().zip(queries).enumerate() {
        let Some(stream) = stream else { continue };
        let keys = match &query.sort {
            Some(_) => stream.keys(db, scope, call, query)?,
            None => vec![SortKey::Missing; stream.len()],
        };
        let rows = keys.into_iter().zip(stream.ids()).enumerate();
        heads.push((kind, rows.peekable()));
    }
    let mut chosen = Vec::with_capacity(lengths.iter().sum());
    loop {
        let first = heads
            .iter_mut()
            .enumerate()
            .filter_map(|(at, (_, rows))| {
                let (_, (key, id)) = rows.peek()?;
                Some((at, key.clone(), *id))
            })
            .min_by(|(_, key, id), (_, other, other_id)| {
                sort.compare(key, other)
                    .then_with(|| sort.compare_ids(id, other_id))
            });
        let Some((at, ..)) = first else { break };
        if let Some((kind, rows)) = heads.get_mut(at)
            && let Some((row, _)) = rows.next()
        {
            chosen.push((*kind, row));
        }
    }
    Ok(chosen)
}

impl Step {
    /// The rows that were chosen of a kind: always a stretch of them.
    fn range(&self, kind: usize) -> Option<Range<usize>> {
        let rows = || {
            self.chosen
                .iter()
                .filter(move |(of, _)| *of == kind)
                .map(|(_, row)| *row)
        };
        Some(rows().min()?..rows().max()? + 1)
    }

    fn position(
        &self,
        db: &mut Db,
        scope: &Scope,
        (kind, row): (usize, usize),
    ) -> Result<Position, ServiceError> {
        match self.streams.get(kind) {
            Some(Some(stream)) => stream.position(db, scope, row),
            _ => Err(ServiceError::Bug(anyhow::anyhow!(
                "a step has no kind {kind}"
            ))),
        }
    }

    /// The places behind the resources of this step.
    pub fn places_after(
        &self,
        db: &mut Db,
        scope: &Scope,
        queries: &[Query],
        cursor: &Cursor,
    ) -> Result<Vec<Gap>, ServiceError> {
        let mut places = cursor.places.clone();
        let last = self.chosen.last().map(|(kind, _)| *kind);
        for (kind, place) in places.iter_mut().enumerate() {
            if queries.iter().all(|query| query.sort.is_none())
                && last.is_some_and(|last| kind < last)
            {
                *place = Gap::End;
            } else if let Some(range) = self.range(kind) {
                *place = Gap::After(self.position(db, scope, (kind, range.end - 1))?);
            }
        }
        Ok(places)
    }

    /// The places before them.
    pub fn places_before(
        &self,
        db: &mut Db,
        scope: &Scope,
        queries: &[Query],
        cursor: &Cursor,
    ) -> Result<Vec<Gap>, ServiceError> {
        let mut places = cursor.places.clone();
        let first = self.chosen.first().map(|(kind, _)| *kind);
        for (kind, place) in places.iter_mut().enumerate() {
            if queries.iter().all(|query| query.sort.is_none())
                && first.is_some_and(|first| kind > first)
            {
                *place = Gap::Start;
            } else if let Some(range) = self.range(kind) {
                *place = Gap::Before(self.position(db, scope, (kind, range.start))?);
            }
        }
        Ok(places)
    }

    /// The resources. Where they would make the page too long it ends early, and so does the step.
    pub fn show(
        &mut self,
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        back: bool,
    ) -> Result<Vec<Resource>, ServiceError> {
        let mut shown = Vec::new();
        for (kind, stream) in self.streams.iter().enumerate() {
            let (resources, left_out) = match (stream, self.range(kind)) {
                (Some(stream), Some(range)) => {
                    let length = range.len();
                    let resources = stream.show(db, scope, call, (range, back))?;
                    let left_out = length.saturating_sub(resources.len());
                    (resources, left_out)
                }
                _ => (Vec::new(), 0),
            };
            let (before, after) = if back { (left_out, 0) } else { (0, left_out) };
            let mut all: Vec<Option<Resource>> = Vec::new();
            all.resize_with(before, || None);
            all.extend(resources.into_iter().map(Some));
            all.resize_with(all.len() + after, || None);
            shown.push(all.into_iter());
        }
        let page: Vec<Option<Resource>> = self
            .chosen
            .iter()
            .map(|(kind, _)| shown.get_mut(*kind)?.next()?)
            .collect();
        let kept = if back {
            let first = page
                .iter()
                .rposition(Option::is_none)
                .map_or(0, |at| at + 1);
            first..page.len()
        } else {
            0..page.iter().position(Option::is_none).unwrap_or(page.len())
        };
        self.goes_on |= kept.len() < page.len();
        self.chosen = self.chosen.get(kept.clone()).unwrap_or_default().to_vec();
        let page = page.into_iter().skip(kept.start).take(kept.len());
        Ok(page.flatten().collect())
    }
}
