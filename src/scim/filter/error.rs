//! What can be wrong with a filter: one kind per mistake a person makes. RFC 7644 §3.12 (`invalidFilter`).
//!
//! Sentences name attributes and operators, never the values of the filter: those may be personal data.

use std::fmt;

use super::checked::Operator;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::schema::Type;

/// A mistake and the column, from 1 and in characters, where it was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    pub kind: FilterErrorKind,
    pub column: usize,
}

/// The mistakes. The first half is noticed by the parser, the second against the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterErrorKind {
    TooLong,
    TooDeep,
    TooManyComparisons,
    Empty,
    MissingTerm,
    EmptyGroup,
    EmptyBrackets,
    UnclosedParenthesis,
    UnclosedBracket,
    UnopenedParenthesis,
    UnopenedBracket,
    ExpectedAndOr,
    ExpectedSpace,
    NotWithoutParentheses,
    SpaceBeforeBracket,
    NestedBrackets,
    BracketsAfterSubAttribute,
    BareNameInBrackets(String),
    BadName(String),
    TooManyLevels(String),
    MissingOperator,
    UnknownOperator {
        word: String,
        meant: Option<Operator>,
    },
    MissingValue,
    BareWord,
    SingleQuotes,
    ValueInParentheses,
    UnclosedString,
    BadEscape,
    ControlCharacter,
    BadNumber,
    NumberOutOfRange,

    UnknownSchema(String),
    SchemaWithoutAttribute(String),
    UnknownAttribute {
        name: String,
        nearest: Option<String>,
    },
    UnknownSubAttribute {
        attribute: String,
        name: String,
        nearest: Option<String>,
    },
    NoSubAttributes(String),
    BracketsOnSingleValued(String),
    BracketSubFilterOff,
    NeverReturned(String),
    ComplexWithoutValue(String),
    OperatorNotForType {
        attribute: String,
        operator: Operator,
        attribute_type: Type,
    },
    OperatorWithNull(Operator),
    WrongLiteral {
        attribute: String,
        attribute_type: Type,
    },
}

impl FilterErrorKind {
    /// The mistake at a column.
    #[must_use]
    pub const fn at(self, column: usize) -> FilterError {
        FilterError { kind: self, column }
    }
}

/// The part of a client's word that is worth repeating in an error.
pub(in crate::scim) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// What a literal for this type looks like.
const fn literal_for(attribute_type: Type) -> &'static str {
    match attribute_type {
        Type::String | Type::Reference => "a text in double quotes",
        Type::Boolean => "true or false",
        Type::Integer | Type::Decimal => "a number such as 7 or 1.5",
        Type::DateTime => "a date and time such as \"2026-03-01T12:00:00Z\"",
        Type::Binary => "base64 text in double quotes",
        Type::Complex => "a test on one of its sub-attributes",
    }
}

/// The type in a sentence: `a boolean attribute`.
const fn type_name(attribute_type: Type) -> &'static str {
    match attribute_type {
        Type::String => "a string",
        Type::Reference => "a reference",
        Type::Boolean => "a boolean",
        Type::Integer => "an integer",
        Type::Decimal => "a decimal",
        Type::DateTime => "a dateTime",
        Type::Binary => "a binary",
        Type::Complex => "a complex",
    }
}

impl fmt::Display for FilterErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the filter is longer than 64 KiB"),
            Self::TooDeep => f.write_str("more than 32 parentheses and brackets are nested"),
            Self::TooManyComparisons => f.write_str("the filter has more than 500 comparisons"),
            Self::Empty => f.write_str("the filter is empty"),
            Self::MissingTerm => f.write_str("a test such as userName eq \"ada\" is missing here"),
            Self::EmptyGroup => f.write_str("there is nothing between the parentheses"),
            Self::EmptyBrackets => f.write_str("there is nothing between the brackets"),
            Self::UnclosedParenthesis => f.write_str("this parenthesis is never closed"),
            Self::UnclosedBracket => f.write_str("this bracket is never closed"),
            Self::UnopenedParenthesis => f.write_str("this parenthesis was never opened"),
            Self::UnopenedBracket => f.write_str("this bracket was never opened"),
            Self::ExpectedAndOr => f.write_str("expected and, or, or the end of the filter"),
            Self::ExpectedSpace => f.write_str("and and or stand between spaces"),
            Self::NotWithoutParentheses => f.write_str("not needs parentheses: not (title pr)"),
            Self::SpaceBeforeBracket => f.write_str("no space may stand between an attribute and its bracket"),
            Self::NestedBrackets => f.write_str("brackets cannot stand inside brackets"),
            Self::BracketsAfterSubAttribute => {
                f.write_str("brackets follow an attribute, not a sub-attribute: emails[type eq \"work\"]")
            }
            Self::BareNameInBrackets(name) => {
                write!(f, "inside brackets sub-attributes stand alone, without schema or dot: \"{name}\"")
            }
            Self::BadName(name) => write!(f, "\"{name}\" is not an attribute name"),
            Self::TooManyLevels(name) => {
                write!(f, "\"{name}\" has more than one dot; attributes have one level of sub-attributes")
            }
            Self::MissingOperator => f.write_str("an operator such as eq or pr is missing here"),
            Self::UnknownOperator { word, meant } => {
                write!(f, "\"{word}\" is not an operator")?;
                match meant {
                    Some(operator) => write!(f, "; did you mean {operator}?"),
                    None => f.write_str("; use eq, ne, co, sw, ew, gt, ge, lt, le or pr"),
                }
            }
            Self::MissingValue => f.write_str("a value is missing here"),
            Self::BareWord => f.write_str("a text stands in double quotes; bare words are true, false and null"),
            Self::SingleQuotes => f.write_str("a text stands in double quotes, not single ones"),
            Self::ValueInParentheses => f.write_str("a value cannot stand in parentheses"),
            Self::UnclosedString => f.write_str("this text is never closed; a double quote is missing"),
            Self::BadEscape => f.write_str("this is not a JSON escape"),
            Self::ControlCharacter => f.write_str("a control character must be escaped"),
            Self::BadNumber => f.write_str("this is not a JSON number"),
            Self::NumberOutOfRange => f.write_str("this number is out of range"),
            Self::UnknownSchema(urn) => write!(f, "no schema \"{urn}\" belongs to this resource type"),
            Self::SchemaWithoutAttribute(urn) => write!(f, "\"{urn}\" is a schema; name one of its attributes"),
            Self::UnknownAttribute { name, nearest } => {
                write!(f, "this resource type has no attribute \"{name}\"")?;
                did_you_mean(f, nearest.as_deref())
            }
            Self::UnknownSubAttribute { attribute, name, nearest } => {
                write!(f, "{attribute} has no sub-attribute \"{name}\"")?;
                did_you_mean(f, nearest.as_deref())
            }
            Self::NoSubAttributes(attribute) => write!(f, "{attribute} has no sub-attributes"),
            Self::BracketsOnSingleValued(attribute) => {
                write!(f, "{attribute} has one value; brackets need a multi-valued attribute")
            }
            Self::BracketSubFilterOff => {
                f.write_str("nothing may follow the brackets; write emails[type eq \"work\" and value eq \"…\"]")
            }
            Self::NeverReturned(attribute) => write!(f, "{attribute} is never returned and cannot be filtered"),
            Self::ComplexWithoutValue(attribute) => {
                write!(f, "{attribute} has several parts; compare one of them, or use pr")
            }
            Self::OperatorNotForType { attribute, operator, attribute_type } => {
                write!(f, "{operator} cannot be used on {attribute}, {} attribute", type_name(*attribute_type))
            }
            Self::OperatorWithNull(operator) => write!(f, "{operator} cannot be used with null; use eq, ne or pr"),
            Self::WrongLiteral { attribute, attribute_type } => {
                write!(f, "{attribute} is compared with {}", literal_for(*attribute_type))
            }
        }
    }
}

/// The suggestion at the end of a sentence.
fn did_you_mean(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    match nearest {
        Some(name) => write!(f, "; did you mean {name}?"),
        None => Ok(()),
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter, column {}: {}", self.column, self.kind)
    }
}

impl std::error::Error for FilterError {}

impl From<FilterError> for ScimError {
    fn from(error: FilterError) -> Self {
        Self::new(ScimErrorKind::InvalidFilter, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use crate::scim::filter::Filter;

    fn sentence(text: &str) -> String {
        Filter::parse(text).map_or_else(
            |error| error.to_string(),
            |filter| format!("parsed: {filter}"),
        )
    }

    #[test]
    fn a_mistake_is_told_with_its_column() {
        assert_eq!(
            sentence("userName lte \"a\""),
            "filter, column 10: \"lte\" is not an operator; did you mean le?"
        );
        assert_eq!(
            sentence("title eq 'a'"),
            "filter, column 10: a text stands in double quotes, not single ones"
        );
        assert_eq!(
            sentence("(title pr"),
            "filter, column 1: this parenthesis is never closed"
        );
        assert_eq!(
            sentence("not title pr"),
            "filter, column 1: not needs parentheses: not (title pr)"
        );
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(
            sentence("title eq \"éé\" xor"),
            "filter, column 15: expected and, or, or the end of the filter"
        );
    }

    #[test]
    fn values_are_not_repeated() {
        for text in [
            "userName eq secret",
            "userName eq 'secret'",
            "userName eq \"secret",
            "userName eq \"a\" \"secret\"",
        ] {
            assert!(!sentence(text).contains("secret"), "{text}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        let text = format!("userName {} 1", "x".repeat(10_000));
        assert!(sentence(&text).len() < 250);
    }
}
