//! A filter after it has met the schema: attributes resolved, literals typed and folded. RFC 7644 §3.4.2.2.
//!
//! `check` makes it; `eval` runs it in memory; `store::condition` turns what it can into SQL. Both must agree (law 2).

use std::fmt;

use crate::clock::Instant;
use crate::scim::schema::{Attr, Type};

/// A filter that fits one resource type.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckedFilter {
    /// Two or more terms, flat.
    And(Vec<CheckedFilter>),
    /// Two or more terms, flat.
    Or(Vec<CheckedFilter>),
    Not(Box<CheckedFilter>),
    /// A test on an attribute path; on a multi-valued attribute it holds when any element passes (F-40),
    /// `ne` when none equals (F-41).
    Test(Test),
    /// `attr[inner]`: some element satisfies `inner`, whose tests name sub-attributes of `attr` (F-43).
    /// For a multi-valued simple attribute the inner tests have `sub: None` and mean the element itself.
    ValuePath {
        attr: Attr,
        inner: Box<CheckedFilter>,
    },
    /// Holds for nobody: an attribute this type does not define, at an endpoint of several types.
    Nothing,
}

/// One comparison. For a complex attribute with a `value` sub-attribute, `attr.sub` has been set to it (F-44).
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub attr: Attr,
    pub predicate: Predicate,
}

/// What is asked of the attribute. `eq null` is `Not(Present)`, `ne null` is `Present` (F-37).
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    Present,
    Compare(Operator, Literal),
}

/// The comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A literal in the attribute's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text for a case-exact attribute, as written; also the operand of `co sw ew` on dateTime and binary.
    Exact(String),
    /// Text for a case-insensitive attribute, folded by [`crate::scim::fold::fold`].
    Folded(String),
    Bool(bool),
    Integer(i64),
    /// Decimal attributes, and a non-integral literal against an integer attribute. Never NaN.
    Decimal(f64),
    Instant(Instant),
    /// Decoded bytes of a binary attribute.
    Bytes(Vec<u8>),
}

impl Operator {
    /// The keyword as this server writes it.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

impl CheckedFilter {
    /// `and` of the terms, flat; one term stays what it is.
    #[must_use]
    pub fn and(terms: Vec<Self>) -> Self {
        let flat = terms.into_iter().flat_map(|term| match term {
            Self::And(inner) => inner,
            other => vec![other],
        });
        Self::And(flat.collect()).unwrap_single()
    }

    /// `or` of the terms, flat; one term stays what it is.
    #[must_use]
    pub fn or(terms: Vec<Self>) -> Self {
        let flat = terms.into_iter().flat_map(|term| match term {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        Self::Or(flat.collect()).unwrap_single()
    }

    /// A chain of one term is that term.
    fn unwrap_single(self) -> Self {
        match self {
            Self::And(mut terms) | Self::Or(mut terms) if terms.len() == 1 => {
                terms.pop().unwrap_or(Self::Nothing)
            }
            other => other,
        }
    }

    /// The same filter where the attributes that `hidden` names are unassigned everywhere (F-54).
    #[must_use]
    pub fn unassigned(self, hidden: &dyn Fn(&Attr) -> bool) -> Self {
        let all = |terms: Vec<Self>| {
            terms
                .into_iter()
                .map(|term| term.unassigned(hidden))
                .collect()
        };
        match self {
            Self::And(terms) => Self::and(all(terms)),
            Self::Or(terms) => Self::or(all(terms)),
            Self::Not(inner) => Self::Not(Box::new(inner.unassigned(hidden))),
            Self::Test(test) if hidden(&test.attr) => match test.predicate {
                Predicate::Compare(Operator::Ne, _) => Self::everything(),
                Predicate::Present | Predicate::Compare(..) => Self::Nothing,
            },
            Self::ValuePath { attr, .. } if hidden(&attr) => Self::Nothing,
            other => other,
        }
    }

    /// Holds for everybody: `ne` on an attribute this type does not define.
    #[must_use]
    pub fn everything() -> Self {
        Self::Not(Box::new(Self::Nothing))
    }
}

/// Whether text at this path compares letter by letter (`caseExact`). References always do (T-10); `schemas` never
/// does, being URNs (F-47).
#[must_use]
pub fn compares_exactly(attr: &Attr) -> bool {
    if is_schemas(attr) {
        return false;
    }
    let leaf = attr.leaf();
    leaf.case_exact || matches!(leaf.attribute_type, Type::Reference)
}

/// Whether this is the common attribute `schemas`, which is computed and not stored (C-04).
#[must_use]
pub fn is_schemas(attr: &Attr) -> bool {
    attr.extension.is_none() && attr.sub.is_none() && attr.def.name == "schemas"
}
