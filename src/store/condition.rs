//! A checked filter as a SQL condition on the row `r` of `users` or `learner_groups`.
//!
//! What no column holds becomes an upper bound: the condition then selects more than the filter, and the caller asks
//! `scim::filter::eval` about each row. `not` turns an upper bound into a lower one, so both are built. Every condition
//! is true or false, never NULL: each comparison of a column that may be NULL guards it (F-41, F-62).

use crate::clock::Instant;
use crate::ids::TenantId;
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::checked::{Literal, Operator, Predicate, Test};

use super::db::Dialect;
use super::placement::{
    Form, KEY_CHARS, Kind, Part, Place, TextColumn, ValueAttr, bytes_key, cut, place,
};
use super::statement::Bind;

/// How well a condition stands for its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exactness {
    /// It selects what the filter does.
    Exact,
    /// So it does unless a key was cut in this tenant (a row of `placement::LONG`).
    UnlessCut,
    /// It may select more.
    Superset,
}

/// A condition and what it binds.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    pub sql: String,
    pub binds: Vec<Bind>,
    pub exactness: Exactness,
    /// Whether an equality with an index decides it: then few rows are left, and they are sorted, not walked to in order.
    pub selective: bool,
    /// How many comparisons it has; texts of several are not worth caching.
    pub tests: usize,
}

/// Lowers a filter on one kind of resource.
#[must_use]
pub fn lower(filter: &CheckedFilter, kind: Kind, tenant: TenantId, dialect: &Dialect) -> Lowered {
    let piece = Lowering {
        kind,
        tenant,
        dialect,
    }
    .build(filter, Bound::Upper);
    Lowered {
        sql: piece.sql,
        binds: piece.binds,
        exactness: piece.exactness,
        selective: piece.selective,
        tests: count(filter),
    }
}

fn count(filter: &CheckedFilter) -> usize {
    match filter {
        CheckedFilter::And(terms) | CheckedFilter::Or(terms) => terms.iter().map(count).sum(),
        CheckedFilter::Not(inner) | CheckedFilter::ValuePath { inner, .. } => count(inner),
        CheckedFilter::Test(_) | CheckedFilter::Nothing => 1,
    }
}

/// Which way a condition may differ from its filter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// Selects at least what the filter does.
    Upper,
    /// Selects at most that.
    Lower,
}

/// A condition being built.
struct Piece {
    sql: String,
    binds: Vec<Bind>,
    exactness: Exactness,
    /// Whether an index on the key narrows it: then an element is looked up, not tested row by row.
    keyed: bool,
    /// Whether it is an equality with an index, or needs one.
    selective: bool,
}

impl Piece {
    fn new(sql: impl Into<String>, binds: Vec<Bind>) -> Self {
        Self {
            sql: sql.into(),
            binds,
            exactness: Exactness::Exact,
            keyed: false,
            selective: false,
        }
    }

    fn constant(value: bool) -> Self {
        Self::new(if value { "TRUE" } else { "FALSE" }, Vec::new())
    }

    /// The filter cannot be told here: everything above, nothing below.
    fn unknown(bound: Bound) -> Self {
        Self {
            exactness: Exactness::Superset,
            ..Self::constant(bound == Bound::Upper)
        }
    }

    const fn at_best(mut self, exactness: Exactness) -> Self {
        if (exactness as u8) > (self.exactness as u8) {
            self.exactness = exactness;
        }
        self
    }

    const fn selective(mut self) -> Self {
        self.selective = true;
        self
    }

    const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    fn negated(self) -> Self {
        let sql = match self.sql.as_str() {
            "TRUE" => "FALSE".to_owned(),
            "FALSE" => "TRUE".to_owned(),
            sql => format!("NOT ({sql})"),
        };
        Self {
            sql,
            keyed: false,
            selective: false,
            ..self
        }
    }

    /// `AND` (`all`) or `OR` of the pieces. The constant that decides the whole decides it as exactly as it is itself.
    fn join(pieces: Vec<Self>, all: bool) -> Self {
        let (deciding, neutral, word) = if all {
            ("FALSE", "TRUE", " AND ")
        } else {
            ("TRUE", "FALSE", " OR ")
        };
        let best = pieces
            .iter()
            .filter(|piece| piece.sql == deciding)
            .map(|piece| piece.exactness)
            .min();
        let worst = pieces
            .iter()
            .map(|piece| piece.exactness)
            .max()
            .unwrap_or(Exactness::Exact);
        if let Some(best) = best {
            let exactness = if best == Exactness::Exact {
                best
            } else {
                worst
            };
            return Self {
                exactness,
                ..Self::constant(!all)
            };
        }
        let mut terms = Vec::new();
        let mut binds = Vec::new();
        let mut keyed = !all;
        let mut selective = !all;
        for piece in pieces.into_iter().filter(|piece| piece.sql != neutral) {
            keyed = if all {
                keyed || piece.keyed
            } else {
                keyed && piece.keyed
            };
            selective = if all {
                selective || piece.selective
            } else {
                selective && piece.selective
            };
            terms.push(piece.sql);
            binds.extend(piece.binds);
        }
        match terms.len() {
            0 => Self {
                exactness: worst,
                ..Self::constant(all)
            },
            1 => Self {
                sql: terms.concat(),
                binds,
                exactness: worst,
                keyed,
                selective,
            },
            _ => Self {
                sql: format!("({})", terms.join(word)),
                binds,
                exactness: worst,
                keyed,
                selective,
            },
        }
    }
}

/// Whose parts the tests between brackets name.
#[derive(Clone, Copy)]
enum Element {
    Value(ValueAttr),
    Membership,
}

struct Lowering<'a> {
    kind: Kind,
    tenant: TenantId,
    dialect: &'a Dialect,
}

impl Lowering<'_> {
    fn build(&self, filter: &CheckedFilter, bound: Bound) -> Piece {
        match filter {
            CheckedFilter::And(terms) => Piece::join(
                terms.iter().map(|term| self.build(term, bound)).collect(),
                true,
            ),
            CheckedFilter::Or(terms) => Piece::join(
                terms.iter().map(|term| self.build(term, bound)).collect(),
                false,
            ),
            CheckedFilter::Not(inner) => self.build(inner, other(bound)).negated(),
            CheckedFilter::Nothing => Piece::constant(false),
            CheckedFilter::Test(test) => match &test.predicate {
                // `ne` is the negation of `eq` over all elements (F-41).
                Predicate::Compare(Operator::Ne, literal) => self
                    .compare(test, Operator::Eq, literal, other(bound))
                    .negated(),
                Predicate::Compare(operator, literal) => {
                    self.compare(test, *operator, literal, bound)
                }
                Predicate::Present => self.present(test, bound),
            },
            CheckedFilter::ValuePath { attr, inner } => {
                let element = match place(self.kind, attr) {
                    Place::Value(attr, Part::Whole | Part::Value) => Element::Value(attr),
                    Place::Membership(_) => Element::Membership,
                    _ => return Piece::unknown(bound),
                };
                let condition = self.element(inner, element, bound);
                self.some_element(element, condition)
            }
        }
    }

    fn present(&self, test: &Test, bound: Bound) -> Piece {
        match place(self.kind, &test.attr) {
            Place::Id | Place::Created | Place::Modified | Place::ResourceType => {
                Piece::constant(true)
            }
            Place::Text(column) if column.nullable => {
                Piece::new(format!("r.{} IS NOT NULL", column.name), Vec::new())
            }
            Place::Text(_) => Piece::constant(true),
            Place::Active => Piece::new("r.active IS NOT NULL", Vec::new()),
            Place::Value(attr, part) => {
                self.some_element(Element::Value(attr), element_present(part, bound))
            }
            // A membership always has its `value`.
            Place::Membership(Part::Whole | Part::Value) => {
                self.some_element(Element::Membership, Piece::constant(true))
            }
            Place::Membership(_) | Place::Document => Piece::unknown(bound),
        }
    }

    fn compare(&self, test: &Test, operator: Operator, literal: &Literal, bound: Bound) -> Piece {
        match place(self.kind, &test.attr) {
            Place::Id => match (operator, literal) {
                (Operator::Eq, Literal::Exact(text)) => id_equals("r.id", text).selective(),
                _ => Piece::unknown(bound),
            },
            Place::Text(column) => {
                let name = format!("r.{}", column.name);
                let piece = self.text(&name, column, operator, literal, bound);
                if operator == Operator::Eq && piece.sql != "TRUE" {
                    piece.selective()
                } else {
                    piece
                }
            }
            Place::Active => match (operator, literal) {
                (Operator::Eq, Literal::Bool(wanted)) => Piece::new(
                    "(r.active IS NOT NULL AND r.active = ?)",
                    vec![Bind::from(*wanted)],
                ),
                _ => Piece::unknown(bound),
            },
            Place::Created => instant("r.created_at", operator, literal, bound),
            Place::Modified => instant("r.modified_at", operator, literal, bound),
            Place::ResourceType => match (operator, literal) {
                (Operator::Eq, Literal::Exact(text)) => Piece::constant(
                    text == match self.kind {
                        Kind::User => "User",
                        Kind::Group => "Group",
                    },
                ),
                _ => Piece::unknown(bound),
            },
            Place::Value(attr, part) => {
                let element = Element::Value(attr);
                let condition = self.element_compare(element, part, operator, literal, bound);
                self.some_element(element, condition)
            }
            Place::Membership(part) => {
                let condition =
                    self.element_compare(Element::Membership, part, operator, literal, bound);
                self.some_element(Element::Membership, condition)
            }
            Place::Document => Piece::unknown(bound),
        }
    }

    /// The filter between brackets, on the element's row `v` or `m`.
    fn element(&self, inner: &CheckedFilter, element: Element, bound: Bound) -> Piece {
        match inner {
            CheckedFilter::And(terms) => Piece::join(
                terms
                    .iter()
                    .map(|term| self.element(term, element, bound))
                    .collect(),
                true,
            ),
            CheckedFilter::Or(terms) => Piece::join(
                terms
                    .iter()
                    .map(|term| self.element(term, element, bound))
                    .collect(),
                false,
            ),
            CheckedFilter::Not(inner) => self.element(inner, element, other(bound)).negated(),
            // `check` never nests brackets.
            CheckedFilter::Nothing | CheckedFilter::ValuePath { .. } => Piece::constant(false),
            CheckedFilter::Test(test) => {
                let part = match place(self.kind, &test.attr) {
                    Place::Value(_, part) | Place::Membership(part) => part,
                    _ => Part::Other,
                };
                match &test.predicate {
                    Predicate::Compare(Operator::Ne, literal) => self
                        .element_compare(element, part, Operator::Eq, literal, other(bound))
                        .negated(),
                    Predicate::Compare(operator, literal) => {
                        self.element_compare(element, part, *operator, literal, bound)
                    }
                    Predicate::Present => match element {
                        Element::Value(_) => element_present(part, bound),
                        Element::Membership if matches!(part, Part::Whole | Part::Value) => {
                            Piece::constant(true)
                        }
                        Element::Membership => Piece::unknown(bound),
                    },
                }
            }
        }
    }

    fn element_compare(
        &self,
        element: Element,
        part: Part,
        operator: Operator,
        literal: &Literal,
        bound: Bound,
    ) -> Piece {
        match (element, part, literal) {
            (Element::Membership, Part::Value, Literal::Exact(text))
                if operator == Operator::Eq =>
            {
                id_equals(self.member_column(), text).keyed().selective()
            }
            (Element::Value(attr), Part::Value, _) => {
                self.value_key(attr, operator, literal, bound)
            }
            (Element::Value(_), Part::Type, Literal::Folded(_)) => {
                let column = TextColumn {
                    name: "type_key",
                    form: Form::Folded,
                    nullable: true,
                    shortened: false,
                };
                self.text("v.type_key", column, operator, literal, bound)
            }
            // An element without `primary` is not primary (F-49), and its row says so.
            (Element::Value(_), Part::Primary, Literal::Bool(wanted))
                if operator == Operator::Eq =>
            {
                Piece::new("v.is_primary = ?", vec![Bind::from(*wanted)])
            }
            _ => Piece::unknown(bound),
        }
    }

    /// A test on `v.value_key`, which is empty where the element has no value.
    fn value_key(
        &self,
        attr: ValueAttr,
        operator: Operator,
        literal: &Literal,
        bound: Bound,
    ) -> Piece {
        let substring = matches!(operator, Operator::Co | Operator::Ew);
        if substring && !attr.substrings {
            return Piece::unknown(bound);
        }
        let column = TextColumn {
            name: "value_key",
            form: attr.form,
            nullable: false,
            shortened: true,
        };
        let piece = match literal {
            Literal::Bytes(bytes) if attr.form == Form::Bytes && operator == Operator::Eq => {
                self.text_with("v.value_key", column, operator, &bytes_key(bytes), bound)
            }
            Literal::Bytes(_) => return Piece::unknown(bound),
            literal => self.text("v.value_key", column, operator, literal, bound),
        };
        let empty =
            matches!(literal, Literal::Exact(text) | Literal::Folded(text) if text.is_empty());
        let keyed = matches!(operator, Operator::Eq | Operator::Sw) && !empty;
        let below = matches!(operator, Operator::Lt | Operator::Le);
        if empty || below || matches!(literal, Literal::Bytes(bytes) if bytes.is_empty()) {
            return Piece::join(
                vec![Piece::new("v.value_key <> ''", Vec::new()), piece],
                true,
            );
        }
        if keyed && piece.exactness != Exactness::Superset {
            let piece = piece.keyed();
            if operator == Operator::Eq {
                piece.selective()
            } else {
                piece
            }
        } else {
            piece
        }
    }

    /// A text comparison on a column whose keys have the form of the literal.
    fn text(
        &self,
        name: &str,
        column: TextColumn,
        operator: Operator,
        literal: &Literal,
        bound: Bound,
    ) -> Piece {
        match (column.form, literal) {
            (Form::Folded, Literal::Folded(text)) | (Form::Exact, Literal::Exact(text)) => {
                self.text_with(name, column, operator, text, bound)
            }
            _ => Piece::unknown(bound),
        }
    }

    fn text_with(
        &self,
        name: &str,
        column: TextColumn,
        operator: Operator,
        text: &str,
        bound: Bound,
    ) -> Piece {
        // PostgreSQL stores no NUL, and SQLite's functions stop at one.
        if text.contains('\0') {
            return Piece::unknown(bound);
        }
        let (text, beyond) = if column.shortened {
            let (key, was_cut) = cut(text.to_owned());
            let full = was_cut || key.chars().count() == KEY_CHARS;
            (key, full)
        } else {
            (text.to_owned(), false)
        };
        if beyond
            && (bound == Bound::Lower
                || matches!(operator, Operator::Co | Operator::Ew | Operator::Ne))
        {
            return Piece::unknown(bound);
        }
        let bind = Bind::from(text.as_str());
        // A literal as long as the longest key is compared with cut keys: what begins alike may be it.
        let piece = match operator {
            Operator::Eq => Piece::new(format!("{name} = ?"), vec![bind]),
            Operator::Gt if !beyond => Piece::new(format!("{name} > ?"), vec![bind]),
            Operator::Lt if !beyond => Piece::new(format!("{name} < ?"), vec![bind]),
            Operator::Gt | Operator::Ge => Piece::new(format!("{name} >= ?"), vec![bind]),
            Operator::Lt | Operator::Le => Piece::new(format!("{name} <= ?"), vec![bind]),
            Operator::Sw => match after_all(&text) {
                _ if text.is_empty() => Piece::constant(true),
                Some(end) => Piece::new(
                    format!("({name} >= ? AND {name} < ?)"),
                    vec![bind, Bind::from(end)],
                ),
                None => Piece::new(format!("{name} >= ?"), vec![bind]),
            },
            Operator::Co if text.is_empty() => Piece::constant(true),
            Operator::Co => {
                let position = self.dialect.position;
                self.or_cut(
                    name,
                    column,
                    Piece::new(format!("{position}({name}, ?) > 0"), vec![bind]),
                    bound,
                )
            }
            Operator::Ew if text.is_empty() => Piece::constant(true),
            Operator::Ew => {
                let length = Bind::from(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
                let sql = format!(
                    "(length({name}) >= ? AND substr({name}, CAST(length({name}) - ? + 1 AS INTEGER)) = ?)"
                );
                let piece = Piece::new(sql, vec![length.clone(), length, bind]);
                // The end of a cut key is not the end of the text.
                let piece = if column.shortened && bound == Bound::Lower {
                    let whole = Piece::new(format!("length({name}) < {KEY_CHARS}"), Vec::new());
                    Piece::join(vec![whole, piece], true)
                } else {
                    piece
                };
                self.or_cut(name, column, piece, bound)
            }
            Operator::Ne => Piece::unknown(bound),
        };
        let piece = if beyond {
            piece.at_best(Exactness::Superset)
        } else {
            piece
        };
        if column.nullable {
            return Piece::join(
                vec![Piece::new(format!("{name} IS NOT NULL"), Vec::new()), piece],
                true,
            );
        }
        piece
    }

    /// What a substring test misses in the part that was cut off.
    fn or_cut(&self, name: &str, column: TextColumn, piece: Piece, bound: Bound) -> Piece {
        if !column.shortened {
            return piece;
        }
        let piece = match bound {
            Bound::Lower => piece,
            Bound::Upper => Piece::join(
                vec![
                    piece,
                    Piece::new(format!("length({name}) >= {KEY_CHARS}"), Vec::new()),
                ],
                false,
            ),
        };
        piece.at_best(Exactness::UnlessCut)
    }

    /// Whether some element of the resource satisfies a condition on its row.
    fn some_element(&self, element: Element, condition: Piece) -> Piece {
        if condition.sql == "FALSE" {
            return condition;
        }
        let Piece {
            sql,
            binds: inner,
            exactness,
            keyed,
            selective,
        } = condition;
        let (table, alias, own) = match (element, self.kind) {
            (Element::Value(_), _) => ("user_values", "v", "user_id"),
            (Element::Membership, Kind::User) => ("memberships", "m", "user_id"),
            (Element::Membership, Kind::Group) => ("memberships", "m", "group_id"),
        };
        let mut binds = vec![Bind::from(self.tenant)];
        let which = match element {
            Element::Value(attr) => {
                binds.push(Bind::from(attr.number));
                format!("{alias}.attr = ?")
            }
            Element::Membership => format!("{alias}.ended_at IS NULL"),
        };
        binds.extend(inner);
        let and = if sql == "TRUE" {
            String::new()
        } else {
            format!(" AND {sql}")
        };
        let sql = if keyed {
            format!(
                "r.id IN (SELECT {alias}.{own} FROM {table} {alias} WHERE {alias}.tenant_id = ? AND {which}{and})"
            )
        } else {
            format!(
                "EXISTS (SELECT 1 FROM {table} {alias} WHERE {alias}.tenant_id = ? AND {alias}.{own} = r.id AND {which}{and})"
            )
        };
        Piece {
            sql,
            binds,
            exactness,
            keyed: false,
            selective: keyed && selective,
        }
    }

    const fn member_column(&self) -> &'static str {
        match self.kind {
            Kind::User => "m.group_id",
            Kind::Group => "m.user_id",
        }
    }
}

const fn other(bound: Bound) -> Bound {
    match bound {
        Bound::Upper => Bound::Lower,
        Bound::Lower => Bound::Upper,
    }
}

/// Whether a part of an element has a value.
fn element_present(part: Part, bound: Bound) -> Piece {
    match part {
        Part::Whole => Piece::constant(true),
        Part::Value => Piece::new("v.value_key <> ''", Vec::new()),
        Part::Type => Piece::new("v.type_key IS NOT NULL", Vec::new()),
        // The row does not tell `false` from absent.
        Part::Primary | Part::Other => Piece::unknown(bound),
    }
}

/// An id is compared as one; text that is none equals none.
fn id_equals(column: &str, text: &str) -> Piece {
    match text.parse::<crate::ids::UserId>() {
        Ok(id) => Piece::new(format!("{column} = ?"), vec![Bind::from(id)]),
        Err(_) => Piece::constant(false),
    }
}

fn instant(column: &str, operator: Operator, literal: &Literal, bound: Bound) -> Piece {
    let Literal::Instant(Instant(at)) = literal else {
        return Piece::unknown(bound);
    };
    let sign = match operator {
        Operator::Eq => "=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Ne | Operator::Co | Operator::Sw | Operator::Ew => return Piece::unknown(bound),
    };
    Piece::new(format!("{column} {sign} ?"), vec![Bind::from(*at)])
}

/// The least text above every text that begins with `prefix`, in the order of code points; `None` when there is none.
fn after_all(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_skips_surrogates_and_the_last_character() {
        assert_eq!(after_all("ab").as_deref(), Some("ac"));
        assert_eq!(after_all("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
        assert_eq!(after_all("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_all("\u{10FFFF}"), None);
    }

    #[test]
    fn a_constant_decides_as_exactly_as_it_is_itself() {
        let unknown = || Piece::unknown(Bound::Upper);
        let joined = Piece::join(vec![unknown(), Piece::constant(false)], true);
        assert_eq!(
            (joined.sql.as_str(), joined.exactness),
            ("FALSE", Exactness::Exact)
        );
        let joined = Piece::join(vec![unknown(), Piece::new("r.x", Vec::new())], true);
        assert_eq!(
            (joined.sql.as_str(), joined.exactness),
            ("r.x", Exactness::Superset)
        );
        let joined = Piece::join(vec![unknown(), Piece::new("r.x", Vec::new())], false);
        assert_eq!(
            (joined.sql.as_str(), joined.exactness),
            ("TRUE", Exactness::Superset)
        );
    }
}
