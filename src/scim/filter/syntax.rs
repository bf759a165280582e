//! A filter as it was written: names unresolved, literals untyped. RFC 7644 §3.4.2.2.
//!
//! Knows nothing of schemas; [`super::check`] brings the two together. `Display` writes text that [`super::parse`]
//! reads back into the same tree (F-61).

use std::fmt;

use serde_json::Value;

use super::checked::Operator;

/// A filter, or what stands between the brackets of a value path.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Two or more terms, none of them an `And` (F-04).
    And(Vec<Filter>),
    /// Two or more terms, none of them an `Or` (F-04).
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test(Test),
    ValuePath(ValuePath),
}

/// One attribute and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub path: AttrPath,
    pub op: Op,
}

/// `attr[inner]`, or with the tolerance of F-46 `attr[inner].sub op literal`.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePath {
    /// Never with a sub-attribute.
    pub attr: AttrPath,
    /// Its tests carry bare names.
    pub inner: Box<Filter>,
    /// The test behind the brackets; its path is a bare name.
    pub sub: Option<Test>,
}

/// `[urn:]name[.sub]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AttrPath {
    pub urn: Option<String>,
    pub name: String,
    pub sub: Option<String>,
    pub at: Column,
}

/// What a test asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Present,
    Compare(Operator, Literal),
}

/// A literal before it meets an attribute's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Unescaped.
    String(String),
    /// A JSON number inside the range of a double, in the digits of the client.
    Number(String),
    Bool(bool),
    Null,
}

/// Where something stood in the text, from 1, in characters. Takes no part in comparisons: two trees that say the
/// same are equal wherever their words stood.
#[derive(Clone, Copy, Debug)]
pub struct Column(pub usize);

impl PartialEq for Column {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Filter {
    /// `and` of the terms, flat; one term stays what it is.
    #[must_use]
    pub fn and(terms: Vec<Self>) -> Self {
        let flat = terms.into_iter().flat_map(|term| match term {
            Self::And(inner) => inner,
            other => vec![other],
        });
        one_or(flat.collect(), Self::And)
    }

    /// `or` of the terms, flat; one term stays what it is.
    #[must_use]
    pub fn or(terms: Vec<Self>) -> Self {
        let flat = terms.into_iter().flat_map(|term| match term {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        one_or(flat.collect(), Self::Or)
    }

    /// Shows every path outside brackets, that of an attribute with brackets too.
    pub fn visit_paths(&self, visit: &mut dyn FnMut(&AttrPath)) {
        match self {
            Self::And(terms) | Self::Or(terms) => {
                for term in terms {
                    term.visit_paths(visit);
                }
            }
            Self::Not(inner) => inner.visit_paths(visit),
            Self::Test(test) => visit(&test.path),
            Self::ValuePath(path) => visit(&path.attr),
        }
    }

    /// The name and literal of every term, when the filter is only `eq` joined by `and`: what a PATCH `add` needs
    /// to create the element its path describes (PA-36). `None` for every other filter.
    #[must_use]
    pub fn eq_terms(&self) -> Option<Vec<(&str, &Literal)>> {
        let single = std::slice::from_ref(self);
        let terms = if let Self::And(terms) = self {
            terms.as_slice()
        } else {
            single
        };
        terms
            .iter()
            .map(|term| match term {
                Self::Test(Test {
                    path,
                    op: Op::Compare(Operator::Eq, literal),
                }) => Some((path.name.as_str(), literal)),
                _ => None,
            })
            .collect()
    }
}

/// The only term, or all of them in their node.
fn one_or(mut terms: Vec<Filter>, node: fn(Vec<Filter>) -> Filter) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            node(terms)
        }
        None => node(terms),
    }
}

impl AttrPath {
    /// A bare name, the only kind inside brackets (F-11).
    #[must_use]
    pub fn bare(name: impl Into<String>, at: Column) -> Self {
        Self {
            urn: None,
            name: name.into(),
            sub: None,
            at,
        }
    }
}

impl Literal {
    /// The literal as a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::String(text) => Value::String(text.clone()),
            Self::Number(digits) => serde_json::from_str(digits).unwrap_or(Value::Null),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Null => Value::Null,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(terms) => join(f, terms, " and ", |term| {
                matches!(term, Self::And(_) | Self::Or(_))
            }),
            Self::Or(terms) => join(f, terms, " or ", |term| matches!(term, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Test(test) => write!(f, "{test}"),
            Self::ValuePath(path) => write!(f, "{path}"),
        }
    }
}

/// Writes terms with a word between them, in parentheses where the term binds weaker than the word.
fn join(
    f: &mut fmt::Formatter<'_>,
    terms: &[Filter],
    word: &str,
    weaker: fn(&Filter) -> bool,
) -> fmt::Result {
    for (position, term) in terms.iter().enumerate() {
        if position > 0 {
            f.write_str(word)?;
        }
        if weaker(term) {
            write!(f, "({term})")?;
        } else {
            write!(f, "{term}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.op {
            Op::Present => write!(f, "{} pr", self.path),
            Op::Compare(operator, literal) => write!(f, "{} {operator} {literal}", self.path),
        }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.attr, self.inner)?;
        match &self.sub {
            Some(test) => write!(f, ".{test}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{}", Value::from(text.as_str())),
            Self::Number(digits) => f.write_str(digits),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Null => f.write_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        Filter::parse(text)
            .map(|filter| filter.to_string())
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn printing_keeps_only_the_parentheses_that_matter() {
        assert_eq!(
            printed("((a pr)) OR ((b pr AND (c pr or d pr)))"),
            "a pr or b pr and (c pr or d pr)"
        );
        assert_eq!(printed("not(not (a eq TRUE))"), "not (not (a eq true))");
        assert_eq!(
            printed("e[ (t eq\"x\") ].v ne null"),
            r#"e[t eq "x"].v ne null"#
        );
    }

    #[test]
    fn chains_are_flat_however_they_were_grouped() {
        let Ok(Filter::And(terms)) = Filter::parse("(a pr and b pr) and (c pr and (d pr))") else {
            panic!("no chain")
        };
        assert_eq!(terms.len(), 4);
    }

    #[test]
    fn strings_are_printed_with_the_escapes_json_needs() {
        assert_eq!(printed(r#"a eq "\u0022\\\u0041\n""#), r#"a eq "\"\\A\n""#);
    }

    #[test]
    fn eq_terms_exist_only_for_eq_joined_by_and() {
        let terms = |text: &str| {
            let filter = Filter::parse(text).ok()?;
            Some(
                filter
                    .eq_terms()?
                    .into_iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            terms(r#"type eq "work" and primary eq true"#),
            Some(vec![r#"type="work""#.into(), "primary=true".into()])
        );
        assert_eq!(
            terms(r#"type eq "work""#),
            Some(vec![r#"type="work""#.into()])
        );
        assert_eq!(terms(r#"type ne "work""#), None);
        assert_eq!(terms(r#"type eq "work" or type eq "home""#), None);
    }
}
