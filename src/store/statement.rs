//! `Stmt`: one SQL text with `?` for both databases, prepared once per connection and cached by its text.
//!
//! diesel caches neither updates nor raw SQL (`sql_query`); this type is cached because its text is its key.
//! No `?` may stand in a string literal of the text.

use std::borrow::Cow;

use diesel::backend::Backend;
use diesel::query_builder::bind_collector::BindCollector as _;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Nullable, Text, Untyped};

pub use super::bind::Bind;
use super::fields::{Id, SqlId};

/// One statement: text and binds.
#[derive(Clone, Debug)]
pub struct Stmt {
    sql: Cow<'static, str>,
    binds: Vec<Bound>,
    cached: bool,
}

#[derive(Clone, Debug)]
enum Bound {
    Id(Option<Id>),
    Int(Option<i64>),
    Text(Option<String>),
    Bool(Option<bool>),
}

impl Stmt {
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
    pub fn bind(mut self, value: impl Into<Bind>) -> Self {
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
    pub fn binds(mut self, values: impl IntoIterator<Item = impl Into<Bind>>) -> Self {
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

/// `?, ?, ?` for an `IN` list.
#[must_use]
pub fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

impl QueryId for Stmt {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Stmt {
    type SqlType = Untyped;
}

impl<DB> QueryFragment<DB> for Stmt
where
    DB: Backend + HasSqlType<SqlId> + HasSqlType<Bool>,
    Option<Id>: ToSql<Nullable<SqlId>, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
    Option<bool>: ToSql<Nullable<Bool>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.cached {
            out.unsafe_to_cache_prepared();
        }
        let mut binds = self.binds.iter();
        let mut rest: &str = &self.sql;
        loop {
            // marks mostly stand close together: a plain loop finds the next one sooner than `str::split` does
            let mark = rest.bytes().position(|byte| byte == b'?');
            let (part, tail) = match mark.and_then(|mark| rest.split_at_checked(mark)) {
                Some((part, tail)) => (part, tail.get(1..)),
                None => (rest, None),
            };
            out.push_sql(part);
            let Some(tail) = tail else { break };
            rest = tail;
            {
                match binds.next() {
                    Some(Bound::Id(id)) => out.push_bind_param::<Nullable<SqlId>, _>(id)?,
                    Some(Bound::Int(int)) => out.push_bind_param::<Nullable<BigInt>, _>(int)?,
                    Some(Bound::Text(text)) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                    Some(Bound::Bool(bool)) => out.push_bind_param::<Nullable<Bool>, _>(bool)?,
                    None => {
                        return Err(diesel::result::Error::QueryBuilderError(
                            "more `?` than binds".into(),
                        ));
                    }
                }
            }
        }
        if binds.next().is_some() {
            return Err(diesel::result::Error::QueryBuilderError(
                "more binds than `?`".into(),
            ));
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

impl<Conn> diesel::RunQueryDsl<Conn> for Stmt {}
