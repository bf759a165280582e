//! What a schema says of one attribute: the characteristics of RFC 7643 §2.2 and §7 as closed types.

use std::sync::Arc;

/// RFC 7643 §2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// Who may write an attribute, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// When an attribute stands in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    Always,
    Never,
    Default,
    Request,
}

/// How far a value must be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    None,
    Server,
    Global,
}

/// One attribute or sub-attribute as its schema file defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeDef {
    pub name: String,
    pub attribute_type: Type,
    pub multi_valued: bool,
    pub description: String,
    pub required: bool,
    pub canonical_values: Vec<String>,
    pub case_exact: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    pub uniqueness: Uniqueness,
    pub reference_types: Vec<String>,
    /// Empty unless `attribute_type` is `Complex`; never complex themselves (M-07).
    pub sub_attributes: Vec<Arc<AttributeDef>>,
    /// The elements are rows of their own, never part of the document (`Group.members`).
    pub detached: bool,
    /// Computed by the server at read time, never stored (`User.groups`, `$ref`, `manager.displayName`).
    pub derived: bool,
}

impl AttributeDef {
    /// The sub-attribute of this name, letter case ignored (M-02).
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&Arc<AttributeDef>> {
        self.sub_attributes
            .iter()
            .find(|sub| sub.name.eq_ignore_ascii_case(name))
    }
}

/// A named set of attribute definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The URN, in its exact spelling.
    pub id: String,
    pub name: String,
    pub description: String,
    pub attributes: Vec<Arc<AttributeDef>>,
    /// From an operator's file, not built in.
    pub custom: bool,
}

impl Schema {
    /// The attribute of this name, letter case ignored.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Arc<AttributeDef>> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}
