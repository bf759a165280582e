//! `Stmt`: one SQL text with `?` for both databases, prepared once per connection and cached by its text.
//!
//! diesel caches neither updates nor raw SQL (`sql_query`); this type is cached because its text is its key.
//! No `?` may stand in a string literal of the text.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::bind_collector::BindCollector as _;
use diesel::query_builder::{AstPass, Query, QueryBuilder as _, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Nullable, Text, Untyped};

pub use super::bind::Bind;
use super::fields::{Id, SqlId};

/// One statement: text and binds.
#[derive(Clone, Debug)]
pub struct Stmt<'a> {
    sql: Cow<'static, str>,
    binds: Vec<Bound<'a>>,
    cached: bool,
}

#[derive(Clone, Debug)]
enum Bound<'a> {
    Id(Option<Id>),
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bool(Option<bool>),
}

impl<'a> Stmt<'a> {
    /// Starts a statement from its text.
    pub fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self {
            sql: sql.into(),
            binds: Vec::new(),
            cached: true,
        }
    }

    /// Binds the next `?`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Bind<'a>>) -> Self {
        self.binds.push(match value.into() {
            Bind::Id(id) => Bound::Id(id.map(Id)),
            Bind::Int(int) => Bound::Int(int),
            Bind::Text(text) => Bound::Text(text),
            Bind::Bool(bool) => Bound::Bool(bool),
        });
        self
    }

    /// Binds several.
    #[must_use]
    pub fn binds(mut self, values: impl IntoIterator<Item = impl Into<Bind<'a>>>) -> Self {
        for value in values {
            self = self.bind(value);
        }
        self
    }

    /// Keeps the statement out of the cache: for texts a client can vary without end, like long filters,
    /// and for walks that no request waits for, like those of `rollcall check`.
    #[must_use]
    pub const fn once(mut self, once: bool) -> Self {
        self.cached = !once;
        self
    }

    /// The text, for `EXPLAIN`.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Tells the log its text, without what is bound (`RUST_LOG=rollcall::sql=trace`). What is kept out of the cache
    /// has a name of its own, because the tests demand an index of everything else.
    pub(super) fn trace(&self) {
        if self.cached {
            log::trace!(target: "rollcall::sql", "{}", self.sql);
        } else {
            log::trace!(target: "rollcall::sql::once", "{}", self.sql);
        }
    }

    /// The same statement with `EXPLAIN` in front of it.
    #[must_use]
    pub fn explained(&self, prefix: &str) -> Self {
        Self {
            sql: format!("{prefix} {}", self.sql).into(),
            binds: self.binds.clone(),
            cached: false,
        }
    }
}

#[cfg(test)]
impl Stmt<'_> {
    /// The same statement with texts of its own, for a test that explains it later.
    pub fn into_owned(self) -> Stmt<'static> {
        let own = |bound| match bound {
            Bound::Text(text) => Bound::Text(text.map(|text| Cow::Owned(text.into_owned()))),
            Bound::Id(id) => Bound::Id(id),
            Bound::Int(int) => Bound::Int(int),
            Bound::Bool(bool) => Bound::Bool(bool),
        };
        Stmt {
            sql: self.sql,
            binds: self.binds.into_iter().map(own).collect(),
            cached: self.cached,
        }
    }
}

/// `?, ?, ?` for an `IN` list.
#[must_use]
pub fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

impl QueryId for Stmt<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Stmt<'_> {
    type SqlType = Untyped;
}

/// A database, and how it writes a bind.
pub(super) trait Marks: Backend {
    /// Whether as `?`, as our texts do.
    const AS_IN_OUR_TEXT: bool;
}

impl Marks for diesel::sqlite::Sqlite {
    const AS_IN_OUR_TEXT: bool = true;
}

impl Marks for diesel::pg::Pg {
    const AS_IN_OUR_TEXT: bool = false;
}

impl Stmt<'_> {
    /// The pieces of the text between its marks. Errors: there are more or fewer marks than binds.
    fn pieces(&self) -> QueryResult<impl Iterator<Item = &str>> {
        let marks = memchr::memchr_iter(b'?', self.sql.as_bytes()).count();
        let wrong = |what: &str| Err(diesel::result::Error::QueryBuilderError(what.into()));
        match marks.cmp(&self.binds.len()) {
            std::cmp::Ordering::Less => wrong("more binds than `?`"),
            std::cmp::Ordering::Greater => wrong("more `?` than binds"),
            std::cmp::Ordering::Equal => Ok(pieces(&self.sql)),
        }
    }
}

/// What stands before, between and behind the marks of a text. They mostly stand close together, where a plain loop finds
/// the next one sooner than `str::split` does.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mark = text.bytes().position(|byte| byte == b'?');
        match mark.and_then(|mark| text.split_at_checked(mark)) {
            Some((piece, behind)) => {
                rest = behind.get(1..);
                Some(piece)
            }
            None => rest.take(),
        }
    })
}

impl<DB> QueryFragment<DB> for Stmt<'_>
where
    DB: Marks + HasSqlType<SqlId> + HasSqlType<Bool>,
    Option<Id>: ToSql<Nullable<SqlId>, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    for<'t> Option<Cow<'t, str>>: ToSql<Nullable<Text>, DB>,
    Option<bool>: ToSql<Nullable<Bool>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.cached {
            out.unsafe_to_cache_prepared();
        }
        let mut pieces = self.pieces()?;
        if DB::AS_IN_OUR_TEXT {
            out.push_sql(&self.sql);
        } else {
            out.push_sql(pieces.next().unwrap_or_default());
        }
        for bind in &self.binds {
            if DB::AS_IN_OUR_TEXT {
                match bind {
                    Bound::Id(id) => out.push_bind_param_value_only::<Nullable<SqlId>, _>(id)?,
                    Bound::Int(int) => {
                        out.push_bind_param_value_only::<Nullable<BigInt>, _>(int)?
                    }
                    Bound::Text(text) => {
                        out.push_bind_param_value_only::<Nullable<Text>, _>(text)?
                    }
                    Bound::Bool(bool) => {
                        out.push_bind_param_value_only::<Nullable<Bool>, _>(bool)?
                    }
                }
            } else {
                match bind {
                    Bound::Id(id) => out.push_bind_param::<Nullable<SqlId>, _>(id)?,
                    Bound::Int(int) => out.push_bind_param::<Nullable<BigInt>, _>(int)?,
                    Bound::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                    Bound::Bool(bool) => out.push_bind_param::<Nullable<Bool>, _>(bool)?,
                }
                out.push_sql(pieces.next().unwrap_or_default());
            }
        }
        Ok(())
    }

    // The text is the key of the cache, so it is made at each run: for SQLite it is ours as it stands.
    fn to_sql(&self, out: &mut DB::QueryBuilder, _: &DB) -> QueryResult<()> {
        let pieces = self.pieces()?;
        if DB::AS_IN_OUR_TEXT {
            out.push_sql(&self.sql);
            return Ok(());
        }
        for (index, piece) in pieces.enumerate() {
            if index > 0 {
                out.push_bind_param();
            }
            out.push_sql(piece);
        }
        Ok(())
    }

    // What the walk would find out too, without looking through the text once more for it.
    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(self.cached)
    }

    // Likewise. The walk that makes the text has counted the marks.
    fn collect_binds<'b>(
        &'b self,
        out: &mut DB::BindCollector<'b>,
        lookup: &mut DB::MetadataLookup,
        _: &'b DB,
    ) -> QueryResult<()> {
        for bind in &self.binds {
            match bind {
                Bound::Id(id) => out.push_bound_value::<Nullable<SqlId>, _>(id, lookup)?,
                Bound::Int(int) => out.push_bound_value::<Nullable<BigInt>, _>(int, lookup)?,
                Bound::Text(text) => out.push_bound_value::<Nullable<Text>, _>(text, lookup)?,
                Bound::Bool(bool) => out.push_bound_value::<Nullable<Bool>, _>(bool, lookup)?,
            }
        }
        Ok(())
    }
}

impl<Conn> diesel::RunQueryDsl<Conn> for Stmt<'_> {}

/// A statement whose columns are read by their places, not by their names: for the rows that are read most. `Columns` is
/// the tuple of their SQL types, in the order of the text.
#[derive(Clone, Debug)]
pub struct Ordered<'a, Columns>(Stmt<'a>, PhantomData<Columns>);

impl<'a> Stmt<'a> {
    /// The same statement with columns in this order.
    #[must_use]
    pub const fn ordered<Columns>(self) -> Ordered<'a, Columns> {
        Ordered(self, PhantomData)
    }
}

impl<Columns> Ordered<'_, Columns> {
    /// As [`Stmt::trace`].
    pub(super) fn trace(&self) {
        self.0.trace();
    }
}

impl<Columns> QueryId for Ordered<'_, Columns> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Columns> Query for Ordered<'_, Columns> {
    type SqlType = Columns;
}

impl<DB: Marks, Columns> QueryFragment<DB> for Ordered<'_, Columns>
where
    for<'t> Stmt<'t>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn to_sql(&self, out: &mut DB::QueryBuilder, backend: &DB) -> QueryResult<()> {
        self.0.to_sql(out, backend)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}

impl<Conn, Columns> diesel::RunQueryDsl<Conn> for Ordered<'_, Columns> {}
