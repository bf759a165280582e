//! A checked filter as a SQL condition on the row `r` of `users`, `learner_groups` or `resources`.
//!
//! What no column holds becomes an upper bound: the condition then selects more than the filter, and the caller asks
//! `scim::filter::eval` about each row. `not` turns an upper bound into a lower one, so both are built. Every condition
//! is true or false, never NULL: each comparison of a column that may be NULL guards it (F-41, F-62).

mod element;
mod piece;
mod text;

use crate::ids::TenantId;
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::checked::{Literal, Operator, Predicate, Test};

use super::custom_values::is_custom;
use super::db::Dialect;
use super::placement::{Kind, Part, Place, place};
use super::statement::{Bind, Stmt};

use element::{Element, element_present};
use piece::Piece;
use text::{constant, instant};

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
    pub binds: Vec<Bind<'static>>,
    pub exactness: Exactness,
    /// Whether an equality with an index decides it: then few rows are left, and they are sorted, not walked to in order.
    pub selective: bool,
    /// Whether a stretch of an index has all of it: then counting it comes first, and tells how to find it.
    pub narrowed: bool,
    /// Whether a walk through the values of an attribute finds all of it: then likewise.
    pub scans: bool,
    /// How many comparisons it has; texts of several are not worth caching.
    pub tests: usize,
}

/// How the rows of a condition are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By the indexes of what is compared.
    Seek,
    /// The same, and where only an element's value tells, by a walk through the values of its attribute.
    Scan,
    /// By a walk through the resources in the order of a column (of the ids: `None`), testing each.
    Walk(Option<&'static str>),
}

/// Lowers a filter on one kind of resource.
#[must_use]
pub fn lower(
    filter: &CheckedFilter,
    kind: Kind,
    tenant: TenantId,
    dialect: &Dialect,
    access: Access,
) -> Lowered {
    let piece = Lowering {
        kind,
        tenant,
        dialect,
        access,
    }
    .build(filter, Bound::Upper);
    Lowered {
        sql: piece.sql,
        binds: piece.binds,
        exactness: piece.exactness,
        selective: piece.selective,
        narrowed: piece.narrowed,
        scans: piece.scans,
        tests: count(filter),
    }
}

/// Lowers a filter on the elements of a group's `members`: a condition on the row `m` of `memberships`.
#[must_use]
pub fn lower_member(filter: &CheckedFilter, tenant: TenantId, dialect: &Dialect) -> Lowered {
    let piece = Lowering {
        kind: Kind::Group,
        tenant,
        dialect,
        access: Access::Scan,
    }
    .element(filter, Element::Membership, Bound::Upper);
    Lowered {
        sql: piece.sql,
        binds: piece.binds,
        exactness: piece.exactness,
        selective: piece.selective,
        narrowed: piece.narrowed,
        scans: piece.scans,
        tests: count(filter),
    }
}

/// Counts what a filter on one multi-valued attribute of users selects, by its values alone; `None` for any other filter.
#[must_use]
pub fn count_by_values(
    filter: &CheckedFilter,
    kind: Kind,
    tenant: TenantId,
    dialect: &Dialect,
) -> Option<Stmt<'static>> {
    let lowering = Lowering {
        kind,
        tenant,
        dialect,
        access: Access::Scan,
    };
    let (attr, condition) = match filter {
        CheckedFilter::ValuePath { attr, inner } => match place(kind, attr) {
            Place::Value(value, Part::Whole | Part::Value) => {
                let element = Element::Value(value);
                (value, lowering.element(inner, element, Bound::Upper))
            }
            _ => return None,
        },
        CheckedFilter::Test(test) => match (place(kind, &test.attr), &test.predicate) {
            (Place::Value(value, part), Predicate::Compare(operator, literal))
                if *operator != Operator::Ne =>
            {
                let element = Element::Value(value);
                let bound = Bound::Upper;
                (
                    value,
                    lowering.element_compare(element, part, *operator, literal, bound),
                )
            }
            (Place::Value(value, part), Predicate::Present) => {
                (value, element_present(part, Bound::Upper))
            }
            _ => return None,
        },
        _ => return None,
    };
    lowering.count_by_values(attr, &condition)
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

const fn other(bound: Bound) -> Bound {
    match bound {
        Bound::Upper => Bound::Lower,
        Bound::Lower => Bound::Upper,
    }
}

struct Lowering<'a> {
    kind: Kind,
    tenant: TenantId,
    dialect: &'a Dialect,
    access: Access,
}

impl Lowering<'_> {
    /// A column of the resource. In a walk it is an expression that no index has, unless the walk follows it.
    fn column(&self, name: &str, neutral: &str) -> String {
        match self.access {
            Access::Walk(along) if along != Some(name) => format!("(r.{name}{neutral})"),
            _ => format!("r.{name}"),
        }
    }

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
                    _ if is_custom(self.kind, attr) => return self.some_custom(inner, bound),
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
            // Few or all may have it; the index of the attribute has those that do.
            Place::Value(attr, _) if attr.custom => {
                self.some_element(Element::Value(attr), Piece::constant(true).keyed())
            }
            Place::Value(attr, part) => {
                self.some_element(Element::Value(attr), element_present(part, bound))
            }
            Place::Membership(part) => {
                let condition = self.member_present(part, bound);
                self.some_element(Element::Membership, condition)
            }
            Place::Link(_, Part::Whole | Part::Value | Part::Type | Part::Reference) => {
                Piece::constant(true)
            }
            Place::Link(..) | Place::Document => Piece::unknown(bound),
        }
    }

    fn compare(&self, test: &Test, operator: Operator, literal: &Literal, bound: Bound) -> Piece {
        match place(self.kind, &test.attr) {
            Place::Id => {
                let piece = self.id("r.id", operator, literal, bound);
                if operator == Operator::Eq {
                    piece.selective()
                } else {
                    piece
                }
            }
            Place::Link(column, Part::Value) => {
                let piece = self.id(&format!("r.{column}"), operator, literal, bound);
                // a person is in few groups, a group may have any number of members
                if operator == Operator::Eq && column == "user_id" {
                    piece.selective()
                } else {
                    piece
                }
            }
            Place::Link(_, Part::Type) => constant("User", operator, literal, bound),
            Place::Link(..) => Piece::unknown(bound),
            Place::Text(column) => {
                let piece = match operator {
                    Operator::Eq => {
                        let name = format!("r.{}", column.name);
                        self.text(&name, column, operator, literal, bound)
                            .selective()
                    }
                    Operator::Sw | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
                        let name = self.column(column.name, " || ''");
                        self.text(&name, column, operator, literal, bound)
                            .narrowed()
                    }
                    Operator::Ne | Operator::Co | Operator::Ew => {
                        let name = format!("r.{}", column.name);
                        self.text(&name, column, operator, literal, bound)
                    }
                };
                if piece.sql == "TRUE" {
                    Piece::constant(true).at_best(piece.exactness)
                } else {
                    piece
                }
            }
            Place::Active => match (operator, literal) {
                // as a constant: the inactive have an index of their own
                (Operator::Eq, Literal::Bool(wanted)) => Piece::new(
                    if *wanted {
                        "(r.active IS NOT NULL AND r.active = TRUE)"
                    } else {
                        "(r.active IS NOT NULL AND r.active = FALSE)"
                    },
                    Vec::new(),
                ),
                _ => Piece::unknown(bound),
            },
            Place::Created => instant(&self.column("created_at", " + 0"), operator, literal, bound),
            Place::Modified => instant(
                &self.column("modified_at", " + 0"),
                operator,
                literal,
                bound,
            ),
            Place::ResourceType => match (operator, literal) {
                (Operator::Eq, Literal::Exact(text)) => Piece::constant(text == self.kind.name()),
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
}
