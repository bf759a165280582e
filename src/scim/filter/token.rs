//! The words of the filter language: names, operators and literals. RFC 7644 §3.4.2.2, RFC 8259 for literals.
//!
//! The productions above the words are in [`super::parse`].

use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{all_consuming, opt, recognize};
use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Parser};

use super::checked::Operator;
use super::error::{FilterErrorKind as Kind, excerpt};
use super::syntax::{AttrPath, Column, Literal};

/// A mistake, and how many bytes of the text stood behind the place of it.
#[derive(Debug)]
pub(super) struct Mistake {
    pub kind: Kind,
    pub left: usize,
}

impl ParseError<&str> for Mistake {
    /// What `nom` itself reports is always replaced by a kind of ours; this is its stand-in.
    fn from_error_kind(input: &str, _: ErrorKind) -> Self {
        Self {
            kind: Kind::ExpectedAndOr,
            left: input.len(),
        }
    }

    fn append(_: &str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// The rest of the text and what was read.
pub(super) type Parsed<'t, T> = IResult<&'t str, T, Mistake>;

/// A mistake at the beginning of `rest`.
pub(super) fn mistake(rest: &str, kind: Kind) -> nom::Err<Mistake> {
    nom::Err::Failure(Mistake {
        kind,
        left: rest.len(),
    })
}

/// `CompareOp ← 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'`
pub(super) fn operator(word: &str) -> Option<Operator> {
    use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    [Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le]
        .into_iter()
        .find(|operator| word.eq_ignore_ascii_case(operator.keyword()))
}

/// The operator that people coming from other languages mean.
pub(super) fn meant(word: &str) -> Option<Operator> {
    Some(match word.to_ascii_lowercase().as_str() {
        "=" | "==" | "equals" | "is" => Operator::Eq,
        "!=" | "<>" | "neq" => Operator::Ne,
        "contains" | "like" => Operator::Co,
        "startswith" => Operator::Sw,
        "endswith" => Operator::Ew,
        ">" => Operator::Gt,
        ">=" | "gte" => Operator::Ge,
        "<" => Operator::Lt,
        "<=" | "lte" => Operator::Le,
        _ => return None,
    })
}

/// `AttrPath ← ( Urn ':' )? Name ( '.' Name )?`; splits a whole word that begins at `here`.
pub(super) fn attr_path(word: &str, here: &str, at: Column) -> Result<AttrPath, nom::Err<Mistake>> {
    let bad = || mistake(here, Kind::BadName(excerpt(word)));
    let (urn, names) = match word.rsplit_once(':') {
        Some((urn, names)) => (Some(urn), names),
        None => (None, word),
    };
    if urn.is_some_and(|urn| urn.is_empty() || urn.chars().any(char::is_control)) {
        return Err(bad());
    }
    let mut parts = names.split('.');
    let name = parts.next().filter(|name| is_name(name)).ok_or_else(bad)?;
    let sub = match parts.next() {
        Some(sub) if is_name(sub) => Some(sub.to_owned()),
        Some(_) => return Err(bad()),
        None => None,
    };
    if parts.next().is_some() {
        return Err(mistake(here, Kind::TooManyLevels(excerpt(word))));
    }
    Ok(AttrPath {
        urn: urn.map(str::to_owned),
        name: name.to_owned(),
        sub,
        at,
    })
}

/// `Name`, and nothing but a name; `word` begins at `here`.
pub(super) fn bare_name(word: &str, here: &str) -> Result<String, nom::Err<Mistake>> {
    if is_name(word) {
        return Ok(word.to_owned());
    }
    let prefixed = word.contains([':', '.']) && word.split([':', '.']).all(|part| !part.is_empty());
    let kind = if prefixed {
        Kind::BareNameInBrackets(excerpt(word))
    } else {
        Kind::BadName(excerpt(word))
    };
    Err(mistake(here, kind))
}

/// `Name ← ( Letter | '$' ) ( Letter | Digit | '-' | '_' | '$' )*`
pub(in crate::scim) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '$')
        && chars.all(|next| next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '$'))
}

/// `SP Literal`, or a string directly behind its operator (F-15).
pub(super) fn literal(input: &str) -> Parsed<'_, Literal> {
    let start = spaces(input);
    match start.chars().next() {
        Some('"') => return string(start).map(|(rest, text)| (rest, Literal::String(text))),
        Some('\'') => return Err(mistake(start, Kind::SingleQuotes)),
        Some('(') => return Err(mistake(start, Kind::ValueInParentheses)),
        None | Some(')' | ']' | '[') => return Err(mistake(start, Kind::MissingValue)),
        Some(_) => {}
    }
    let (rest, word) = take_while1(is_word).parse(start)?;
    let literal = if word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
    {
        number(word, start)?
    } else if word.eq_ignore_ascii_case("true") {
        Literal::Bool(true)
    } else if word.eq_ignore_ascii_case("false") {
        Literal::Bool(false)
    } else if word.eq_ignore_ascii_case("null") {
        Literal::Null
    } else {
        return Err(mistake(start, Kind::BareWord));
    };
    Ok((rest, literal))
}

/// `Number`: a whole word in JSON's notation and inside the range of a double (F-14).
fn number(word: &str, here: &str) -> Result<Literal, nom::Err<Mistake>> {
    if !is_json_number(word) {
        return Err(mistake(here, Kind::BadNumber));
    }
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Literal::Number(word.to_owned())),
        _ => Err(mistake(here, Kind::NumberOutOfRange)),
    }
}

/// `Number ← '-'? ( '0' | 1-9 Digit* ) ( '.' Digit+ )? ( ('e'|'E') ('+'|'-')? Digit+ )?`
pub(super) fn is_json_number(word: &str) -> bool {
    let leading = recognize((
        one_of("123456789"),
        take_while(|c: char| c.is_ascii_digit()),
    ));
    let fraction = recognize((char('.'), digit1));
    let exponent = recognize((one_of("eE"), opt(one_of("+-")), digit1));
    all_consuming((
        opt(char('-')),
        tag("0").or(leading),
        opt(fraction),
        opt(exponent),
    ))
    .parse(word)
    .map_err(|error: nom::Err<Mistake>| error)
    .is_ok()
}

/// `String ← '"' ( any char except '"' '\' and controls | '\' one of " \ / b f n r t | '\u' 4 hex )* '"'`
fn string(input: &str) -> Parsed<'_, String> {
    let mut chars = input.char_indices().skip(1);
    let end = loop {
        match chars.next() {
            None => return Err(mistake(input, Kind::UnclosedString)),
            Some((at, '"')) => break at + 1,
            Some((at, '\\')) => {
                let escaped = chars.next().map(|(_, c)| c);
                let valid = match escaped {
                    Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => true,
                    Some('u') => {
                        (0..4).all(|_| chars.next().is_some_and(|(_, c)| c.is_ascii_hexdigit()))
                    }
                    Some(_) | None => false,
                };
                if !valid {
                    return Err(mistake(input.get(at..).unwrap_or(input), Kind::BadEscape));
                }
            }
            Some((at, c)) if c < ' ' => {
                return Err(mistake(
                    input.get(at..).unwrap_or(input),
                    Kind::ControlCharacter,
                ));
            }
            Some(_) => {}
        }
    };
    let (text, rest) = input
        .split_at_checked(end)
        .ok_or_else(|| mistake(input, Kind::UnclosedString))?;
    // Only a surrogate without its other half is left to fail here.
    serde_json::from_str(text)
        .map(|text| (rest, text))
        .map_err(|_| mistake(input, Kind::BadEscape))
}

/// The text behind `SP?`.
pub(super) fn spaces(input: &str) -> &str {
    input.trim_start_matches(' ')
}

/// `SP`
pub(super) const fn is_space(c: char) -> bool {
    c == ' '
}

/// What a name, an operator, a number or a keyword may be made of before it is looked at: all but the delimiters.
pub(super) const fn is_word(c: char) -> bool {
    !matches!(c, ' ' | '(' | ')' | '[' | ']' | '"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::filter::Filter;

    fn kind(text: &str) -> Kind {
        Filter::parse(text)
            .map(|filter| filter.to_string())
            .expect_err("a mistake")
            .kind
    }

    #[test]
    fn strings_take_surrogate_pairs_and_refuse_halves() {
        assert!(Filter::parse(r#"a eq "\ud83d\ude00""#).is_ok());
        assert_eq!(kind(r#"a eq "\ud83d""#), Kind::BadEscape);
        assert_eq!(kind("a eq \"\u{1}\""), Kind::ControlCharacter);
    }

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-0", "10", "1.50", "2e0", "-1.5E+10", "1e-400"] {
            assert!(Filter::parse(&format!("a eq {good}")).is_ok(), "{good}");
        }
        for bad in ["+1", "01", ".5", "1.", "1e", "1e999", "-", "1a", "0x1"] {
            assert!(Filter::parse(&format!("a eq {bad}")).is_err(), "{bad}");
        }
    }
}
