//! Lists of rows: the next page in a total order, and how many rows there are altogether.
//!
//! A list's statement is written once; [`Listing`] adds where the page before ended, the order and the limit, or counts.
//! Every order ends with the row's id, so that it is total and a cursor stays valid while rows come and go.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::db::Row;
use super::dialect::Dialect;
use super::statement::{Bind, Stmt};
use super::{Db, StoreError};

/// Where a page ended: the id of its last row, behind the value that the list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: Uuid,
    pub key: String,
}

impl Place {
    /// In a list in the order of ids.
    #[must_use]
    pub const fn id(id: Uuid) -> Self {
        Self {
            id,
            key: String::new(),
        }
    }

    /// In a list ordered by something else first; by that alone where it is unique.
    pub fn of(key: impl fmt::Display, id: Uuid) -> Self {
        Self {
            id,
            key: key.to_string(),
        }
    }

    /// What the list is ordered by, as a number.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.key.parse().unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.id.simple(), self.key)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, key) = text.split_at_checked(32).ok_or(())?;
        Ok(Self::of(key, Uuid::try_parse(id).map_err(drop)?))
    }
}

/// Which part of a list is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Where the page before ended.
    pub after: Option<Place>,
    /// How many rows at most.
    pub limit: i64,
    /// Whether all rows are counted, too.
    pub total: bool,
}

impl Paging {
    /// So many rows from the beginning.
    #[must_use]
    pub const fn first(limit: i64) -> Self {
        Self {
            after: None,
            limit,
            total: false,
        }
    }
}

/// Rows of a page, and of the whole list if that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<R> {
    pub rows: Vec<R>,
    pub total: Option<i64>,
}

impl<R> Found<R> {
    /// The same page, shown as something else.
    pub fn then<S, E>(self, show: impl FnOnce(Vec<R>) -> Result<Vec<S>, E>) -> Result<Found<S>, E> {
        Ok(Found {
            rows: show(self.rows)?,
            total: self.total,
        })
    }
}

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// Its id alone.
    Id,
    Number(&'static str),
    Text(&'static str),
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    key: Key,
    /// The column of the id; `None` where the key is unique.
    id: Option<&'static str>,
    down: bool,
}

impl Order {
    /// By id: the oldest first.
    #[must_use]
    pub const fn id(column: &'static str) -> Self {
        Self {
            key: Key::Id,
            id: Some(column),
            down: false,
        }
    }

    /// By a number, then by id.
    #[must_use]
    pub const fn number(column: &'static str, id: &'static str) -> Self {
        Self {
            key: Key::Number(column),
            id: Some(id),
            down: false,
        }
    }

    /// By a text, then by id.
    #[must_use]
    pub const fn text(column: &'static str, id: &'static str) -> Self {
        Self {
            key: Key::Text(column),
            id: Some(id),
            down: false,
        }
    }

    /// By a text that no two rows share.
    #[must_use]
    pub const fn unique(column: &'static str) -> Self {
        Self {
            key: Key::Text(column),
            id: None,
            down: false,
        }
    }

    /// By a number that no two rows share.
    #[must_use]
    pub const fn unique_number(column: &'static str) -> Self {
        Self {
            key: Key::Number(column),
            id: None,
            down: false,
        }
    }

    /// The other way round, or not.
    #[must_use]
    pub const fn down(mut self, down: bool) -> Self {
        self.down = down;
        self
    }

    fn columns(self) -> Vec<&'static str> {
        let key = match self.key {
            Key::Id => None,
            Key::Number(column) | Key::Text(column) => Some(column),
        };
        key.into_iter().chain(self.id).collect()
    }

    /// The condition for rows behind a place.
    fn behind(self, place: &Place) -> (String, Vec<Bind<'static>>) {
        let than = if self.down { "<" } else { ">" };
        let mut binds: Vec<Bind<'static>> = match self.key {
            Key::Id => Vec::new(),
            Key::Number(_) => vec![place.number().into()],
            Key::Text(_) => vec![place.key.clone().into()],
        };
        if self.id.is_some() {
            binds.push(place.id.into());
        }
        let columns = self.columns();
        let condition = match columns.as_slice() {
            [one] => format!(" AND {one} {than} ?"),
            several => format!(
                " AND ({}) {than} ({})",
                several.join(", "),
                super::statement::marks(several.len())
            ),
        };
        (condition, binds)
    }

    fn clause(self) -> String {
        let way = if self.down { " DESC" } else { "" };
        let columns: Vec<String> = self
            .columns()
            .iter()
            .map(|column| format!("{column}{way}"))
            .collect();
        format!(" ORDER BY {}", columns.join(", "))
    }
}

/// A statement that selects rows; it ends with a condition, so that another can follow.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Up to its first conditions.
    base: String,
    /// What stands for the base where rows are only counted: it need not join what is shown with each.
    counted: Option<&'static str>,
    conditions: String,
    binds: Vec<Bind<'static>>,
}

impl Listing {
    /// From a statement and its binds.
    pub fn of(sql: impl Into<String>, binds: Vec<Bind<'static>>) -> Self {
        Self {
            base: sql.into(),
            counted: None,
            conditions: String::new(),
            binds,
        }
    }

    /// Counts the rows of another statement, which takes the same binds and conditions.
    #[must_use]
    pub const fn counted_by(mut self, sql: &'static str) -> Self {
        self.counted = Some(sql);
        self
    }

    /// One condition more.
    pub fn and(&mut self, condition: &str, bind: impl Into<Bind<'static>>) {
        self.fixed(condition);
        self.binds.push(bind.into());
    }

    /// One condition more, if there is something to compare with.
    pub fn and_some(&mut self, condition: &str, bind: Option<impl Into<Bind<'static>>>) {
        if let Some(bind) = bind {
            self.and(condition, bind);
        }
    }

    /// A column is one of these; any if there are none.
    pub fn and_one_of(&mut self, column: &str, values: &[&'static str]) {
        if !values.is_empty() {
            self.one_of(column, values);
        }
    }

    /// A column is one of these; none fit if there are none.
    pub fn one_of(&mut self, column: &str, values: &[&'static str]) {
        let marks = super::statement::marks(values.len());
        self.fixed(&format!("{column} IN ({marks})"));
        self.binds
            .extend(values.iter().map(|value| Bind::from(*value)));
    }

    /// A text contains a part.
    pub fn and_contains(&mut self, dialect: &Dialect, column: &str, part: Option<&str>) {
        let condition = format!("{}({column}, ?) > 0", dialect.position);
        self.and_some(&condition, part.map(str::to_owned));
    }

    /// Continues a condition in brackets with another that will do.
    pub fn or(&mut self, condition: &str, bind: impl Into<Bind<'static>>) {
        self.conditions.push_str(" OR ");
        self.conditions.push_str(condition);
        self.binds.push(bind.into());
    }

    /// One condition more, without a value.
    pub fn fixed(&mut self, condition: &str) {
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
    }

    /// A page of the rows, and their number if that is asked.
    pub fn find<R: Row>(
        self,
        db: &mut Db,
        order: Order,
        paging: &Paging,
    ) -> Result<Found<R>, StoreError> {
        let behind = paging.after.as_ref().map(|place| order.behind(place));
        self.find_by(db, behind, &order.clause(), paging)
    }

    /// The same in an order of its own: the condition for what follows the page before, and the clause.
    pub fn find_by<R: Row>(
        self,
        db: &mut Db,
        behind: Option<(String, Vec<Bind<'static>>)>,
        order: &str,
        paging: &Paging,
    ) -> Result<Found<R>, StoreError> {
        let total = if paging.total {
            Some(self.count(db)?)
        } else {
            None
        };
        let mut sql = self.base + &self.conditions;
        let mut binds = self.binds;
        if let Some((condition, more)) = behind {
            sql.push_str(&condition);
            binds.extend(more);
        }
        sql.push_str(order);
        sql.push_str(" LIMIT ?");
        let rows = db.load(Stmt::new(sql).binds(binds).bind(paging.limit))?;
        Ok(Found { rows, total })
    }

    /// How many rows there are.
    pub fn count(&self, db: &mut Db) -> Result<i64, StoreError> {
        db.number(
            Stmt::new(format!(
                "SELECT CAST(count(*) AS BIGINT) AS n FROM ({}{}) listed",
                self.counted.unwrap_or(&self.base),
                self.conditions
            ))
            .binds(self.binds.iter().cloned()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let id = Uuid::now_v7();
        for place in [
            Place::id(id),
            Place::of(-12, id),
            Place::of("a: b", id),
            Place::of("ü", id),
        ] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert_eq!("short".parse::<Place>(), Err(()));
    }

    #[test]
    fn an_order_goes_on_behind_a_place() {
        let place = Place::of(7, Uuid::nil());
        let sql = |order: Order| order.behind(&place).0 + &order.clause();
        assert_eq!(sql(Order::id("id")), " AND id > ? ORDER BY id");
        assert_eq!(
            sql(Order::number("n", "id").down(true)),
            " AND (n, id) < (?, ?) ORDER BY n DESC, id DESC"
        );
        assert_eq!(sql(Order::unique("name")), " AND name > ? ORDER BY name");
        assert_eq!(
            sql(Order::text("t", "id")),
            " AND (t, id) > (?, ?) ORDER BY t, id"
        );
    }
}
