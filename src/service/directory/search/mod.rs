//! Lists: filter, sort and page over the kinds of resources, and what a page shows beside the rows. RFC 7644 §3.4.2, RFC 9865.
//!
//! Two ways to page: by index, which counts from the start each time, and by cursor, which goes on from a place in the
//! order ([`walk`]). An order over several kinds is merged by walking each of them.

mod cursor;
mod judge;
mod listed;
mod walk;

use std::sync::Arc;

use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::checked::{CheckedFilter, Operator};
use crate::scim::filter::sort::{Sort, SortOrder};
use crate::scim::filter::syntax::Op;
use crate::scim::filter::{Filter, FilterError};
use crate::scim::message::{Page, SearchRequest};
use crate::scim::schema::ResourceType;
use crate::scim::switches::Switches;
use crate::store::Db;
use crate::store::placement;
use crate::store::queries::group_memberships::MembershipRow;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::resources::ResourceRow;
use crate::store::queries::search as rows;
use crate::store::queries::users::UserRow;

use super::super::{Scope, ServiceError, groups};
use super::types::{Call, Kind, Resource};
use super::{memberships, references};
use cursor::{Cursor, Seal};
use judge::Judge;
use listed::Shown;

/// How many matches an index may skip (P-11); a cursor goes as deep as there are rows.
pub const MAX_SKIP: i64 = 1_000_000;
/// How many resources of several kinds a sort by index may touch (E18).
const MERGED: i64 = 100_000;

/// One page.
#[derive(Debug)]
pub struct Found {
    /// All matches, not only this page's.
    pub total: i64,
    pub resources: Vec<Resource>,
    /// Where the page lies in the list.
    pub page: Page,
}

/// Whether a search of users surely ends soon: one user by what is theirs alone, or a page near the start of the list.
#[must_use]
pub fn is_short(kind: Kind, request: &SearchRequest) -> bool {
    if kind != Kind::User || request.sort_by.is_some() || request.count > SHORT {
        return false;
    }
    let Some(text) = &request.filter else {
        return request.start_index <= SHORT;
    };
    if text.len() > 500 {
        return false;
    }
    match Filter::parse(text) {
        Ok(Filter::Test(test)) => {
            matches!(test.op, Op::Compare(Operator::Eq, _))
                && test.path.sub.is_none()
                && ["userName", "id"]
                    .iter()
                    .any(|name| test.path.name.eq_ignore_ascii_case(name))
        }
        Ok(_) => false,
        // nothing is searched
        Err(_) => true,
    }
}

/// As many users of a page are soon read.
const SHORT: i64 = 200;

/// Searches one resource type. Errors: `invalidFilter`, `invalidValue` for `sortBy`, `tooMany`, and those of cursors.
pub fn search(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let mut query = Query::of(scope, call, kind, request, Filter::check)?;
    query.sort = query.sort_of(scope, request)?;
    let found = match &request.cursor {
        Some(cursor) => {
            let endpoint = query.resource_type.endpoint.clone();
            by_cursor(db, scope, call, (&endpoint, &[query]), request, cursor)
        }
        None => by_index(db, scope, call, &query, request),
    }?;
    // Asked only when there is nothing: a tenant that has groups pays nothing for the question.
    if matches!(kind, Kind::Group | Kind::Membership) && found.total == 0 {
        groups::require_plan_or_past(db, scope)?;
    }
    Ok(found)
}

/// Searches every resource type: an attribute a type does not have counts as unassigned, for filters as for
/// `sortBy`. Without `sortBy` one type comes after the other.
pub fn search_all(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let kinds: Vec<Kind> = Kind::all(call.registry).collect();
    let mut queries = Vec::with_capacity(kinds.len());
    for kind in kinds {
        queries.push(Query::of(scope, call, kind, request, Filter::check_any)?);
    }
    sort_together(scope, &mut queries, request)?;
    match &request.cursor {
        Some(cursor) => by_cursor(db, scope, call, ("/", &queries), request, cursor),
        None if request.sort_by.is_some() => merged(db, scope, call, &queries, request),
        None => one_after_the_other(db, scope, call, &queries, request),
    }
}

/// Gives each kind its order. A kind without the attribute has no value anywhere, so it is in the order of its ids; an
/// attribute that no kind has is refused (S-09).
fn sort_together(
    scope: &Scope,
    queries: &mut [Query],
    request: &SearchRequest,
) -> Result<(), ScimError> {
    let mut refused = None;
    for query in queries.iter_mut() {
        match query.sort_of(scope, request) {
            Ok(sort) => query.sort = sort,
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let order = queries
        .iter()
        .find_map(|query| Some(query.sort.as_ref()?.order));
    match (refused, order) {
        (Some(error), None) => return Err(error),
        (_, Some(order)) => {
            for query in queries {
                query.by_id = query.sort.is_none().then_some(order);
            }
        }
        (None, None) => {}
    }
    Ok(())
}

/// How a filter is held against a type.
type Check = fn(&Filter, &ResourceType, &Switches) -> Result<CheckedFilter, FilterError>;

/// What is asked of one kind.
struct Query {
    kind: Kind,
    resource_type: Arc<ResourceType>,
    filter: Option<CheckedFilter>,
    sort: Option<Sort>,
    /// The direction, among kinds that are sorted by an attribute this one does not have.
    by_id: Option<SortOrder>,
}

impl Query {
    fn of(
        scope: &Scope,
        call: Call<'_>,
        kind: Kind,
        request: &SearchRequest,
        check: Check,
    ) -> Result<Self, ServiceError> {
        let resource_type = kind.resource_type(call.registry).cloned().ok_or_else(|| {
            ServiceError::Bug(anyhow::anyhow!("the registry has no {}", kind.name()))
        })?;
        let filter = match &request.filter {
            Some(text) => {
                let checked = Filter::parse(text)
                    .and_then(|filter| check(&filter, &resource_type, &scope.switches()));
                let mut checked = checked.map_err(ScimError::from)?;
                if let Some(rights) = scope.rights() {
                    checked = rights.blind(&resource_type, checked);
                }
                Some(references::by_id(checked, kind, call.base))
            }
            None => None,
        };
        Ok(Self {
            kind,
            resource_type,
            filter,
            sort: None,
            by_id: None,
        })
    }

    fn sort_of(&self, scope: &Scope, request: &SearchRequest) -> Result<Option<Sort>, ScimError> {
        let Some(by) = &request.sort_by else {
            return Ok(None);
        };
        let sort = Sort::parse(&self.resource_type, by, request.sort_order.as_deref())?;
        if let Some(rights) = scope.rights() {
            rights.check_sort(&self.resource_type, &sort.attr)?;
        }
        Ok(Some(sort))
    }

    fn judge<'a>(&'a self, base: &'a str) -> Judge<'a> {
        Judge::new(
            &self.resource_type,
            base,
            self.filter.as_ref(),
            self.sort.as_ref(),
        )
    }

    /// The order in the store's words: by a column where one gives it, else by the judge's keys.
    fn order(&self) -> rows::Order {
        let is_descending = |order| order == SortOrder::Descending;
        match (&self.sort, self.by_id) {
            (None, None) => memberships::order(self.kind, self.filter.as_ref(), None)
                .unwrap_or(rows::Order::Natural),
            (None, Some(order)) => rows::Order::Column {
                column: placement::SortColumn::Id,
                descending: is_descending(order),
            },
            (Some(sort), _) => {
                let descending = is_descending(sort.order);
                if let Some(order) = memberships::order(
                    self.kind,
                    self.filter.as_ref(),
                    Some((&sort.attr, descending)),
                ) {
                    return order;
                }
                match placement::sort_column(self.kind, &sort.attr) {
                    Some(column) => rows::Order::Column { column, descending },
                    None => rows::Order::Judge { descending },
                }
            }
        }
    }
}

fn too_many() -> ServiceError {
    ScimError::new(
        ScimErrorKind::TooMany,
        format!(
            "more than {} resources match, too many for a sort by this attribute; narrow the filter",
            rows::SORTABLE
        ),
    )
    .into()
}

/// A page of one kind by `startIndex`.
fn by_index(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    query: &Query,
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let window = (request.start_index - 1, request.count);
    let (total, resources, _) = window_of(db, scope, call, query, window)?;
    Ok(Found {
        total,
        resources,
        page: Page::Index(request.start_index),
    })
}

/// A page of several kinds, one after the other.
fn one_after_the_other(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    queries: &[Query],
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let mut all = 0;
    let mut shown = Vec::new();
    let mut is_open = true;
    for query in queries {
        let skip = (request.start_index - 1 - all).max(0);
        let left = request.count - i64::try_from(shown.len()).unwrap_or(i64::MAX);
        let left = if is_open { left.max(0) } else { 0 };
        let (total, resources, whole) = window_of(db, scope, call, query, (skip, left))?;
        is_open &= whole;
        all += total;
        shown.extend(resources);
    }
    Ok(Found {
        total: all,
        resources: shown,
        page: Page::Index(request.start_index),
    })
}

/// A page of several kinds in one order: they are walked together up to the page.
fn merged(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    queries: &[Query],
    request: &SearchRequest,
) -> Result<Found, ServiceError> {
    let mut cursor = Cursor::start(queries.len());
    let mut skip = request.start_index - 1;
    let mut step = walk::step(db, scope, call, queries, &cursor, 0)?;
    let total = step.total.unwrap_or_default();
    let mut resources = Vec::new();
    if request.count > 0 && skip < total {
        if skip + request.count > MERGED {
            return Err(too_many());
        }
        cursor.total = Some(total);
        while skip > 0 {
            let stride = skip.min(1000);
            step = walk::step(db, scope, call, queries, &cursor, stride)?;
            cursor.places = step.places_after(db, scope, queries, &cursor)?;
            skip -= stride;
        }
        step = walk::step(db, scope, call, queries, &cursor, request.count)?;
        resources = step.show(db, scope, call, false)?;
    }
    Ok(Found {
        total,
        resources,
        page: Page::Index(request.start_index),
    })
}

/// A page from the place a cursor stands for.
fn by_cursor(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    (endpoint, queries): (&str, &[Query]),
    request: &SearchRequest,
    text: &str,
) -> Result<Found, ServiceError> {
    let seal = Seal::of(db, scope, endpoint, request)?;
    let (cursor, count) = if text.is_empty() {
        (Cursor::start(queries.len()), request.count)
    } else {
        seal.open(text, request, queries.len())?
    };
    let mut step = walk::step(db, scope, call, queries, &cursor, count)?;
    let resources = step.show(db, scope, call, cursor.back)?;
    let total = step.total.or(cursor.total).unwrap_or_default();
    let (mut next, mut previous) = (None, None);
    if count > 0 {
        let to = |back, places| {
            let cursor = Cursor {
                back,
                total: request.filter.is_some().then_some(total),
                places,
            };
            seal.close(cursor, count).map(Some)
        };
        let here = cursor.places.clone();
        if cursor.back {
            next = to(false, here)?;
            if step.goes_on {
                previous = to(true, step.places_before(db, scope, queries, &cursor)?)?;
            }
        } else {
            if step.goes_on {
                next = to(false, step.places_after(db, scope, queries, &cursor)?)?;
            }
            if here.iter().any(|place| *place != rows::Gap::Start) {
                previous = to(true, here)?;
            }
        }
    }
    Ok(Found {
        total,
        resources,
        page: Page::Cursor { next, previous },
    })
}

/// Total and resources of a window into the matches of one kind, and whether the window is shown whole.
fn window_of(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    query: &Query,
    window: (i64, i64),
) -> Result<(i64, Vec<Resource>, bool), ServiceError> {
    match query.kind {
        Kind::User => window_of_rows::<UserRow>(db, scope, call, query, window),
        Kind::Group => window_of_rows::<GroupRow>(db, scope, call, query, window),
        Kind::Membership => window_of_rows::<MembershipRow>(db, scope, call, query, window),
        Kind::Other(_) => window_of_rows::<ResourceRow>(db, scope, call, query, window),
    }
}

fn window_of_rows<R: Shown>(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    query: &Query,
    (offset, limit): (i64, i64),
) -> Result<(i64, Vec<Resource>, bool), ServiceError> {
    let judge = query.judge(call.base);
    let window = |db: &mut Db, offset: i64, limit: i64| {
        let wanted = rows::Search {
            kind: query.kind,
            filter: query.filter.as_ref(),
            order: query.order(),
            offset: usize::try_from(offset).unwrap_or(0),
            limit: usize::try_from(limit).unwrap_or(0),
            resource_type: Some(&query.resource_type),
        };
        let found = rows::search(
            db,
            scope.tenant,
            &wanted,
            &mut |db: &mut Db, batch: &[R]| R::judged(&judge, db, scope.tenant, batch),
        )?;
        match found {
            rows::Found::Page(page) => Ok(page),
            rows::Found::TooMany => Err(too_many()),
        }
    };
    let page = if offset > MAX_SKIP && limit > 0 {
        // beyond the end is an empty page (P-07), however far beyond
        let counted = window(db, 0, 0)?;
        if offset < counted.total {
            return Err(ScimError::new(
                ScimErrorKind::TooMany,
                format!(
                    "startIndex reaches to {}; page by cursor to go deeper",
                    MAX_SKIP + 1
                ),
            )
            .into());
        }
        counted
    } else {
        window(db, offset, limit)?
    };
    let resources = R::shown(db, scope, call, &page.rows, false)?;
    let whole = resources.len() == page.rows.len();
    Ok((page.total, resources, whole))
}
