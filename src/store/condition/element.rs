//! Conditions on the elements of a multi-valued attribute: rows `v` of `user_values` or `resource_values`, rows `m` of
//! `memberships`.

use super::piece::Piece;
use super::text::id_equals;
use super::{Access, Bound, Exactness, Lowering, other};
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::checked::{Literal, Operator, Predicate};
use crate::store::custom_values::integer_key;
use crate::store::placement::{Form, Kind, Part, Place, TextColumn, ValueAttr, bytes_key, place};
use crate::store::statement::{Bind, Stmt};

/// Whose parts the tests between brackets name.
#[derive(Clone, Copy)]
pub(super) enum Element {
    Value(ValueAttr),
    Membership,
}

impl Lowering<'_> {
    /// The filter between brackets, on the element's row `v` or `m`.
    pub(super) fn element(&self, inner: &CheckedFilter, element: Element, bound: Bound) -> Piece {
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

    pub(super) fn element_compare(
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
    pub(super) fn value_key(
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
            Literal::Integer(number) if attr.form == Form::Integer => self.text_with(
                "v.value_key",
                column,
                operator,
                &integer_key(*number),
                bound,
            ),
            Literal::Instant(instant) if attr.form == Form::Instant => self.text_with(
                "v.value_key",
                column,
                operator,
                &integer_key(instant.0),
                bound,
            ),
            // One of two values is no small choice, so it is not looked up by its key.
            Literal::Bool(wanted) if attr.form == Form::Bool && operator == Operator::Eq => {
                let wanted = wanted.to_string();
                return self.text_with("v.value_key", column, operator, &wanted, bound);
            }
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

    /// Whether some element of an operator's complex attribute satisfies a filter. The parts of an element have a row each,
    /// so that they belong to one element is told by the document.
    pub(super) fn some_custom(&self, inner: &CheckedFilter, bound: Bound) -> Piece {
        match inner {
            CheckedFilter::Or(terms) => Piece::join(
                terms
                    .iter()
                    .map(|term| self.some_custom(term, bound))
                    .collect(),
                false,
            ),
            CheckedFilter::And(terms) if bound == Bound::Upper => Piece::join(
                terms
                    .iter()
                    .map(|term| self.some_custom(term, bound))
                    .collect(),
                true,
            )
            .at_best(Exactness::Superset),
            CheckedFilter::Test(test) => match &test.predicate {
                Predicate::Present => self.present(test, bound),
                // holds for an element without the value, too
                Predicate::Compare(Operator::Ne, _) => Piece::unknown(bound),
                Predicate::Compare(operator, literal) => {
                    self.compare(test, *operator, literal, bound)
                }
            },
            CheckedFilter::Nothing => Piece::constant(false),
            CheckedFilter::And(_) | CheckedFilter::Not(_) | CheckedFilter::ValuePath { .. } => {
                Piece::unknown(bound)
            }
        }
    }

    /// Whether some element of the resource satisfies a condition on its row.
    pub(super) fn some_element(&self, element: Element, condition: Piece) -> Piece {
        if condition.sql == "FALSE" {
            return condition;
        }
        let (table, alias, own) = self.table(element);
        let (selected, binds) = self.selected(element, alias, &condition);
        let Piece {
            exactness,
            keyed,
            selective,
            ..
        } = condition;
        let is_value = matches!(element, Element::Value(_));
        let looked_up = match self.access {
            Access::Seek => keyed,
            Access::Scan => keyed || is_value,
            Access::Walk(_) => keyed && selective,
        };
        let sql = if looked_up {
            let (among, end) = match self.access {
                Access::Scan => self.dialect.among,
                Access::Seek | Access::Walk(_) => ("IN (", ")"),
            };
            format!("r.id {among}SELECT {alias}.{own} FROM {table} {alias} WHERE {selected}{end}")
        } else {
            format!(
                "EXISTS (SELECT 1 FROM {table} {alias} WHERE {selected} AND {alias}.{own} = r.id)"
            )
        };
        Piece {
            selective: keyed && selective,
            narrowed: keyed,
            scans: is_value && !keyed,
            exactness,
            ..Piece::new(sql, binds)
        }
    }

    /// Where the rows of elements are, and the column that says whose they are.
    const fn table(&self, element: Element) -> (&'static str, &'static str, &'static str) {
        match (element, self.kind) {
            (Element::Value(attr), _) if attr.custom => ("resource_values", "v", "resource_id"),
            (Element::Value(_), _) => ("user_values", "v", "user_id"),
            (Element::Membership, Kind::Group) => ("memberships", "m", "group_id"),
            (Element::Membership, _) => ("memberships", "m", "user_id"),
        }
    }

    /// The rows of elements that satisfy a condition, whoever has them.
    fn selected(&self, element: Element, alias: &str, condition: &Piece) -> (String, Vec<Bind>) {
        let mut binds = vec![Bind::from(self.tenant)];
        let which = match element {
            Element::Value(attr) => {
                binds.push(Bind::from(attr.number));
                format!("{alias}.attr = ?")
            }
            Element::Membership => format!("{alias}.ended_at IS NULL"),
        };
        binds.extend(condition.binds.iter().cloned());
        let and = match condition.sql.as_str() {
            "TRUE" => String::new(),
            sql => format!(" AND {sql}"),
        };
        (format!("{alias}.tenant_id = ? AND {which}{and}"), binds)
    }

    /// Counts the users of whom some element satisfies a condition, by their values alone: those of an account go with it. One
    /// with several such elements counts at the first of them.
    pub(super) fn count_by_values(&self, attr: ValueAttr, condition: &Piece) -> Option<Stmt> {
        if attr.custom || condition.sql == "FALSE" {
            return None;
        }
        let (selected, binds) = self.selected(Element::Value(attr), "v", condition);
        // what is bound is no part of the text
        let before = selected.replace("v.", "w.");
        let sql = format!(
            "SELECT CAST(count(*) AS BIGINT) AS n FROM user_values v WHERE {selected} AND (v.ord = 0 OR NOT EXISTS \
             (SELECT 1 FROM user_values w WHERE {before} AND w.user_id = v.user_id AND w.ord < v.ord))"
        );
        Some(Stmt::new(sql).binds(binds.clone()).binds(binds))
    }

    pub(super) const fn member_column(&self) -> &'static str {
        match self.kind {
            Kind::Group => "m.user_id",
            Kind::User | Kind::Other(_) => "m.group_id",
        }
    }
}

/// Whether a part of an element has a value.
pub(super) fn element_present(part: Part, bound: Bound) -> Piece {
    match part {
        Part::Whole => Piece::constant(true),
        Part::Value => Piece::new("v.value_key <> ''", Vec::new()),
        Part::Type => Piece::new("v.type_key IS NOT NULL", Vec::new()),
        // The row does not tell `false` from absent.
        Part::Primary | Part::Other => Piece::unknown(bound),
    }
}
