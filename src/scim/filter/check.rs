//! [`Filter`] + [`ResourceType`] → [`CheckedFilter`]: names resolved, operators and literals fitted to types.
//!
//! RFC 7644 §3.4.2.2; the table of operators by type, F-08 to F-12, F-30 to F-49, Q-09, Q-10. Reads no resource.

use super::checked::{CheckedFilter, Literal, Operator, Predicate, Test, compares_exactly};
use super::error::{FilterError, FilterErrorKind as Kind, excerpt};
use super::eval::decode_binary;
use super::nearest::{nearest_attribute, nearest_sub};

use super::syntax::{self, AttrPath, Filter, Op};
use super::token::is_json_number;
use crate::clock::Instant;
use crate::scim::fold::fold;
use crate::scim::schema::{Attr, AttributeDef, Mutability, ResourceType, Returned, Type};
use crate::scim::switches::Switches;

impl Filter {
    /// Fits the filter to a resource type.
    ///
    /// # Errors
    /// The first name, operator or literal that does not fit; an attribute the type does not have is one.
    pub fn check(
        &self,
        resource_type: &ResourceType,
        switches: &Switches,
    ) -> Result<CheckedFilter, FilterError> {
        Checker {
            resource_type,
            switches,
            unknown: Unknown::Refused,
        }
        .filter(self)
    }

    /// Fits the filter to one of the resource types of an endpoint that covers several: an attribute this type does
    /// not have counts as unassigned.
    ///
    /// # Errors
    /// The first operator or literal that does not fit.
    pub fn check_any(
        &self,
        resource_type: &ResourceType,
        switches: &Switches,
    ) -> Result<CheckedFilter, FilterError> {
        Checker {
            resource_type,
            switches,
            unknown: Unknown::Unassigned,
        }
        .filter(self)
    }

    /// Fits what stands between the brackets behind `attr` to its sub-attributes.
    ///
    /// # Errors
    /// The first name, operator or literal that does not fit; `attr` not being multi-valued (F-12).
    pub fn check_inner(
        &self,
        resource_type: &ResourceType,
        attr: &Attr,
        switches: &Switches,
    ) -> Result<CheckedFilter, FilterError> {
        Checker {
            resource_type,
            switches,
            unknown: Unknown::Refused,
        }
        .inner(self, attr)
    }
}

/// What becomes of a name nothing is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    Unassigned,
}

/// What a filter is checked against.
#[derive(Clone, Copy)]
struct Checker<'a> {
    resource_type: &'a ResourceType,
    switches: &'a Switches,
    unknown: Unknown,
}

impl Checker<'_> {
    /// A filter outside brackets.
    fn filter(self, filter: &Filter) -> Result<CheckedFilter, FilterError> {
        match filter {
            Filter::And(terms) => Ok(CheckedFilter::and(
                terms
                    .iter()
                    .map(|term| self.filter(term))
                    .collect::<Result<_, _>>()?,
            )),
            Filter::Or(terms) => Ok(CheckedFilter::or(
                terms
                    .iter()
                    .map(|term| self.filter(term))
                    .collect::<Result<_, _>>()?,
            )),
            Filter::Not(inner) => Ok(CheckedFilter::Not(Box::new(self.filter(inner)?))),
            Filter::Test(test) => match self.resolve(&test.path) {
                Ok(attr) => self.test(attr, &test.op, test.path.at.0),
                Err(error) => self.unresolved(error, &test.op),
            },
            Filter::ValuePath(path) => self.value_path(path),
        }
    }

    /// `attr[inner]`, and `attr[inner].sub op literal` as `attr[inner and sub op literal]` (F-46).
    fn value_path(self, path: &syntax::ValuePath) -> Result<CheckedFilter, FilterError> {
        let attr = match self.resolve(&path.attr) {
            Ok(attr) => attr,
            Err(error) => return self.unresolved(error, &Op::Present),
        };
        let at = path.attr.at.0;
        if !attr.def.multi_valued || attr.sub.is_some() {
            return Err(Kind::BracketsOnSingleValued(attr.path()).at(at));
        }
        refuse_hidden(&attr, &attr.def, at)?;
        let mut inner = self.inner(&path.inner, &attr)?;
        if let Some(test) = &path.sub {
            if !self.switches.bracket_sub_filter {
                return Err(Kind::BracketSubFilterOff.at(test.path.at.0));
            }
            inner = CheckedFilter::and(vec![inner, self.inner_test(test, &attr)?]);
        }
        Ok(CheckedFilter::ValuePath {
            attr,
            inner: Box::new(inner),
        })
    }

    /// A filter between the brackets of `attr`.
    fn inner(self, filter: &Filter, attr: &Attr) -> Result<CheckedFilter, FilterError> {
        let all = |terms: &[Filter]| {
            terms
                .iter()
                .map(|term| self.inner(term, attr))
                .collect::<Result<Vec<_>, _>>()
        };
        match filter {
            Filter::And(terms) => Ok(CheckedFilter::and(all(terms)?)),
            Filter::Or(terms) => Ok(CheckedFilter::or(all(terms)?)),
            Filter::Not(inner) => Ok(CheckedFilter::Not(Box::new(self.inner(inner, attr)?))),
            Filter::Test(test) => self.inner_test(test, attr),
            Filter::ValuePath(path) => Err(Kind::NestedBrackets.at(path.attr.at.0)),
        }
    }

    /// A test on a sub-attribute of `attr`, or through the pseudo sub-attribute `value` on the elements themselves.
    fn inner_test(self, test: &syntax::Test, attr: &Attr) -> Result<CheckedFilter, FilterError> {
        let AttrPath { urn, name, sub, at } = &test.path;
        if urn.is_some() || sub.is_some() {
            return Err(Kind::BareNameInBrackets(excerpt(&test.path.to_string())).at(at.0));
        }
        if attr.def.attribute_type != Type::Complex && name.eq_ignore_ascii_case("value") {
            return self.test(attr.clone(), &test.op, at.0);
        }
        match attr.def.sub(name) {
            Some(sub) => self.test(
                Attr {
                    sub: Some(sub.clone()),
                    ..attr.clone()
                },
                &test.op,
                at.0,
            ),
            None => self.unresolved(unknown_sub(attr, name, at.0), &test.op),
        }
    }

    /// The attribute a path names.
    fn resolve(self, path: &AttrPath) -> Result<Attr, FilterError> {
        let text = path.to_string();
        if let Some(attr) = self.resource_type.attr(&text) {
            return Ok(attr);
        }
        Err(unknown(self.resource_type, path, &text))
    }

    /// A test on an attribute that does not exist: refused, or a test on something unassigned.
    fn unresolved(self, error: FilterError, op: &Op) -> Result<CheckedFilter, FilterError> {
        match (self.unknown, op) {
            (Unknown::Refused, _) => Err(error),
            (Unknown::Unassigned, Op::Compare(Operator::Ne, literal))
                if *literal != syntax::Literal::Null =>
            {
                Ok(CheckedFilter::everything())
            }
            (Unknown::Unassigned, Op::Compare(Operator::Eq, syntax::Literal::Null)) => {
                Ok(CheckedFilter::everything())
            }
            (Unknown::Unassigned, _) => Ok(CheckedFilter::Nothing),
        }
    }

    /// A test on a resolved attribute.
    fn test(self, mut attr: Attr, op: &Op, at: usize) -> Result<CheckedFilter, FilterError> {
        refuse_hidden(&attr, &attr.def, at)?;
        refuse_hidden(&attr, attr.leaf(), at)?;
        let (operator, literal) = match op {
            Op::Present => {
                return Ok(CheckedFilter::Test(Test {
                    attr,
                    predicate: Predicate::Present,
                }));
            }
            Op::Compare(operator, literal) => (*operator, literal),
        };
        if attr.leaf().attribute_type == Type::Complex {
            // `emails eq "x"` means `emails.value eq "x"` (F-44).
            let Some(value) = attr.def.sub("value").cloned() else {
                return Err(Kind::ComplexWithoutValue(attr.path()).at(at));
            };
            refuse_hidden(&attr, &value, at)?;
            attr.sub = Some(value);
        }
        if *literal == syntax::Literal::Null {
            let present = |attr| {
                CheckedFilter::Test(Test {
                    attr,
                    predicate: Predicate::Present,
                })
            };
            return match operator {
                Operator::Eq => Ok(CheckedFilter::Not(Box::new(present(attr)))),
                Operator::Ne => Ok(present(attr)),
                other => Err(Kind::OperatorWithNull(other).at(at)),
            };
        }
        let literal = self
            .literal(&attr, operator, literal)
            .map_err(|kind| kind.at(at))?;
        Ok(CheckedFilter::Test(Test {
            attr,
            predicate: Predicate::Compare(operator, literal),
        }))
    }

    /// The literal in the attribute's type, when the operator exists for that type.
    fn literal(
        self,
        attr: &Attr,
        operator: Operator,
        written: &syntax::Literal,
    ) -> Result<Literal, Kind> {
        let attribute_type = attr.leaf().attribute_type;
        let wrong = || Kind::WrongLiteral {
            attribute: attr.path(),
            attribute_type,
        };
        let text = if let syntax::Literal::String(text) = written {
            Some(text.as_str())
        } else {
            None
        };
        let is_substring = matches!(operator, Operator::Co | Operator::Sw | Operator::Ew);
        let is_order = matches!(
            operator,
            Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
        );
        let allowed = match attribute_type {
            Type::String | Type::Reference | Type::DateTime => true,
            Type::Boolean => !is_substring && !is_order,
            Type::Integer | Type::Decimal => !is_substring,
            Type::Binary => !is_order,
            Type::Complex => false,
        };
        if !allowed {
            return Err(Kind::OperatorNotForType {
                attribute: attr.path(),
                operator,
                attribute_type,
            });
        }
        match attribute_type {
            Type::String | Type::Reference => {
                let text = text.ok_or_else(wrong)?;
                Ok(if compares_exactly(attr) {
                    Literal::Exact(text.to_owned())
                } else {
                    Literal::Folded(fold(text))
                })
            }
            Type::DateTime | Type::Binary if is_substring => {
                Ok(Literal::Exact(text.ok_or_else(wrong)?.to_owned()))
            }
            Type::DateTime => text
                .and_then(Instant::parse)
                .map(Literal::Instant)
                .ok_or_else(wrong),
            Type::Binary => text
                .and_then(decode_binary)
                .map(Literal::Bytes)
                .ok_or_else(wrong),
            Type::Boolean => self.boolean(written).map(Literal::Bool).ok_or_else(wrong),
            Type::Integer | Type::Decimal => number(written, attribute_type).ok_or_else(wrong),
            Type::Complex => Err(wrong()),
        }
    }

    /// `true` and `false`, quoted with the switch (F-31).
    fn boolean(self, written: &syntax::Literal) -> Option<bool> {
        match written {
            syntax::Literal::Bool(flag) => Some(*flag),
            syntax::Literal::String(text) if self.switches.bool_strings => {
                if text.eq_ignore_ascii_case("true") {
                    Some(true)
                } else {
                    text.eq_ignore_ascii_case("false").then_some(false)
                }
            }
            _ => None,
        }
    }
}

/// A number, bare or quoted (F-36).
fn number(written: &syntax::Literal, attribute_type: Type) -> Option<Literal> {
    let digits = match written {
        syntax::Literal::Number(digits) => digits,
        syntax::Literal::String(digits) if is_json_number(digits) => digits,
        _ => return None,
    };
    let decimal = digits
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())?;
    if attribute_type == Type::Decimal {
        return Some(Literal::Decimal(decimal));
    }
    if let Ok(integer) = digits.parse::<i64>() {
        return Some(Literal::Integer(integer));
    }
    /// Every whole double below this is exactly one integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if decimal.fract() == 0.0 && decimal.abs() < EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and inside the exact range"
        )]
        return Some(Literal::Integer(decimal as i64));
    }
    Some(Literal::Decimal(decimal))
}

/// Refuses what no client may ever read: a filter would be a way to ask for it (D-10).
fn refuse_hidden(attr: &Attr, def: &AttributeDef, at: usize) -> Result<(), FilterError> {
    if def.returned == Returned::Never || def.mutability == Mutability::WriteOnly {
        return Err(Kind::NeverReturned(attr.path()).at(at));
    }
    Ok(())
}

/// Why a path resolves to nothing.
fn unknown(resource_type: &ResourceType, path: &AttrPath, text: &str) -> FilterError {
    let at = path.at.0;
    if let Some(schema) = resource_type.schema_of(text) {
        return Kind::SchemaWithoutAttribute(schema.id.clone()).at(at);
    }
    if let Some(urn) = &path.urn
        && resource_type.schema_of(urn).is_none()
    {
        return Kind::UnknownSchema(excerpt(urn)).at(at);
    }
    if let Some(sub) = &path.sub {
        let top = AttrPath {
            sub: None,
            ..path.clone()
        }
        .to_string();
        if let Some(attr) = resource_type.attr(&top) {
            return unknown_sub(&attr, sub, at);
        }
    }
    let nearest = nearest_attribute(resource_type, &path.name);
    Kind::UnknownAttribute {
        name: excerpt(text),
        nearest,
    }
    .at(at)
}

/// Why an attribute has no such sub-attribute.
fn unknown_sub(attr: &Attr, name: &str, at: usize) -> FilterError {
    let attribute = attr.path();
    if attr.def.sub_attributes.is_empty() {
        return Kind::NoSubAttributes(attribute).at(at);
    }
    Kind::UnknownSubAttribute {
        attribute,
        name: excerpt(name),
        nearest: nearest_sub(&attr.def, name),
    }
    .at(at)
}

#[cfg(test)]
mod tests;
