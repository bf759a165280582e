//! A filter after it has met the schema: attributes resolved, literals typed and folded. RFC 7644 §3.4.2.2.
//!
//! `check` makes it; `eval` runs it in memory; `store::condition` turns what it can into SQL. Both must agree (law 2).

use crate::clock::Instant;
use crate::scim::schema::Attr;

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
    ValuePath { attr: Attr, inner: Box<CheckedFilter> },
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
