//! Text → [`Filter`]. RFC 7644 §3.4.2.2 with errata 4670, 4690, 7319, 7322 and 8924; knows no attribute.
//!
//! ```text
//! Query      ← SP? Or SP? End
//! Or         ← And ( SP 'or' SP And )*
//! And        ← Unary ( SP 'and' SP Unary )*
//! Unary      ← 'not' SP? Group | Group | ValueTest | Test
//! Group      ← '(' SP? Or SP? ')'
//! Test       ← AttrPath Operation
//! ValueTest  ← AttrTop Bracket ( '.' Name Operation )?
//! Bracket    ← '[' SP? Or SP? ']'                     inside: a Test is Name Operation, no ValueTest
//! Operation  ← SP 'pr' | SP CompareOp SP Literal      the second SP may be missing before a string
//! CompareOp  ← 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'
//! AttrTop    ← ( Urn ':' )? Name
//! AttrPath   ← ( Urn ':' )? Name ( '.' Name )?        Urn: everything up to the last ':'
//! Name       ← ( Letter | '$' ) ( Letter | Digit | '-' | '_' | '$' )*
//! Literal    ← String | Number | 'true' | 'false' | 'null'
//! ```
//!
//! Keywords ignore case; `SP` is one or more U+0020, no other white space counts (F-07). Recursion happens only at a
//! parenthesis or bracket and is bounded by a depth passed by value (F-60), so no text can exhaust the stack.
//! Every mistake is a `nom` failure, not an error: the only place that looks at a second branch is a connective.

use std::cell::Cell;

use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{all_consuming, opt, recognize};
use nom::error::{ErrorKind, ParseError};
use nom::multi::separated_list1;
use nom::{IResult, Parser};

use super::checked::Operator;
use super::error::{FilterError, FilterErrorKind as Kind, excerpt};
use super::syntax::{AttrPath, Column, Filter, Literal, Op, Test, ValuePath};

/// The longest filter text, in bytes (E9). A URL's 8 KiB are the business of `http`.
pub const MAX_TEXT: usize = 64 * 1024;
/// The deepest nesting of parentheses and brackets (E9).
pub const MAX_DEPTH: usize = 32;
/// The most comparisons (E9).
pub const MAX_COMPARISONS: usize = 500;

impl Filter {
    /// Reads a filter.
    ///
    /// ```
    /// use rollcall::scim::filter::Filter;
    /// let filter = Filter::parse(r#"userName EQ "ada" and (title pr)"#).unwrap();
    /// assert_eq!(filter.to_string(), r#"userName eq "ada" and title pr"#);
    /// assert_eq!(Filter::parse("title like 5").unwrap_err().column, 7);
    /// ```
    ///
    /// # Errors
    /// The first mistake, with its column.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_TEXT {
            return Err(Kind::TooLong.at(1));
        }
        let comparisons = Cell::new(0);
        finish(text, query(text, Scope::new(text, &comparisons))).map(|(_, filter)| filter)
    }
}

/// A mistake, and how many bytes of the text stood behind the place of it.
#[derive(Debug)]
pub(in crate::scim) struct Mistake {
    kind: Kind,
    left: usize,
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
pub(in crate::scim) type Parsed<'t, T> = IResult<&'t str, T, Mistake>;

/// Where in the nesting a production stands. Small and passed by value.
#[derive(Clone, Copy)]
struct Scope<'s> {
    text: &'s str,
    depth: usize,
    /// Between brackets: names are bare and no bracket follows.
    inside: bool,
    comparisons: &'s Cell<usize>,
}

impl<'s> Scope<'s> {
    const fn new(text: &'s str, comparisons: &'s Cell<usize>) -> Self {
        Self {
            text,
            depth: 0,
            inside: false,
            comparisons,
        }
    }

    /// One parenthesis or bracket further in, unless that is too deep.
    fn deeper(self, here: &str) -> Result<Self, nom::Err<Mistake>> {
        if self.depth >= MAX_DEPTH {
            return Err(mistake(here, Kind::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    /// Counts one comparison.
    fn count(self, here: &str) -> Result<(), nom::Err<Mistake>> {
        let seen = self.comparisons.get() + 1;
        self.comparisons.set(seen);
        if seen > MAX_COMPARISONS {
            Err(mistake(here, Kind::TooManyComparisons))
        } else {
            Ok(())
        }
    }

    /// The column of a rest of the text.
    fn column(self, rest: &str) -> Column {
        Column(column(self.text, rest.len()))
    }
}

/// A mistake at the beginning of `rest`.
fn mistake(rest: &str, kind: Kind) -> nom::Err<Mistake> {
    nom::Err::Failure(Mistake {
        kind,
        left: rest.len(),
    })
}

/// The column, from 1 and in characters, of the last `left` bytes of a text.
fn column(text: &str, left: usize) -> usize {
    text.get(..text.len().saturating_sub(left))
        .map_or(1, |before| before.chars().count() + 1)
}

/// Turns a mistake into the error a person reads.
fn finish<'t, T>(text: &'t str, parsed: Parsed<'t, T>) -> Result<(&'t str, T), FilterError> {
    parsed.map_err(|error| match error {
        nom::Err::Error(mistake) | nom::Err::Failure(mistake) => {
            mistake.kind.at(column(text, mistake.left))
        }
        nom::Err::Incomplete(_) => Kind::MissingTerm.at(column(text, 0)),
    })
}

/// `Query ← SP? Or SP? End`
fn query<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    let start = spaces(input);
    if start.is_empty() {
        return Err(mistake(input, Kind::Empty));
    }
    let (rest, filter) = or(start, scope)?;
    let rest = spaces(rest);
    if rest.is_empty() {
        Ok((rest, filter))
    } else {
        Err(stray(rest))
    }
}

/// `Or ← And ( SP 'or' SP And )*`
fn or<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    separated_list1(|rest| connective(rest, "or"), |rest| and(rest, scope))
        .map(Filter::or)
        .parse(input)
}

/// `And ← Unary ( SP 'and' SP Unary )*`
fn and<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    separated_list1(|rest| connective(rest, "and"), |rest| unary(rest, scope))
        .map(Filter::and)
        .parse(input)
}

/// `SP 'and' SP`: the word commits, so a term must follow.
fn connective<'t>(input: &'t str, word: &'static str) -> Parsed<'t, ()> {
    let (rest, _) = (take_while1(is_space), tag_no_case(word)).parse(input)?;
    match rest.chars().next() {
        Some(' ') => Ok((spaces(rest), ())),
        None => Err(mistake(rest, Kind::MissingTerm)),
        Some('(' | ')' | '[' | ']' | '"') => Err(mistake(rest, Kind::ExpectedSpace)),
        Some(_) => Err(nom::Err::Error(Mistake {
            kind: Kind::ExpectedAndOr,
            left: input.len(),
        })),
    }
}

/// `Unary ← 'not' SP? Group | Group | ValueTest | Test`
fn unary<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    if let Some(after) = negation(input) {
        return group(after, scope).map(|(rest, inner)| (rest, Filter::Not(Box::new(inner))));
    }
    if input.starts_with('(') {
        group(input, scope)
    } else {
        test(input, scope)
    }
}

/// The group behind `'not' SP?`, if this is one.
fn negation(input: &str) -> Option<&str> {
    let (rest, _) = tag_no_case::<_, _, Mistake>("not").parse(input).ok()?;
    Some(spaces(rest)).filter(|rest| rest.starts_with('('))
}

/// `Group ← '(' SP? Or SP? ')'`
fn group<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    let deeper = scope.deeper(input)?;
    let (rest, _) = char('(').parse(input)?;
    let rest = spaces(rest);
    if rest.starts_with(')') {
        return Err(mistake(rest, Kind::EmptyGroup));
    }
    if rest.is_empty() {
        return Err(mistake(input, Kind::UnclosedParenthesis));
    }
    let (rest, filter) = or(rest, deeper)?;
    close(rest, ')', input, Kind::UnclosedParenthesis).map(|rest| (rest, filter))
}

/// `Bracket ← '[' SP? Or SP? ']'`
fn bracket<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    let deeper = Scope {
        inside: true,
        ..scope.deeper(input)?
    };
    let (rest, _) = char('[').parse(input)?;
    let rest = spaces(rest);
    if rest.starts_with(']') {
        return Err(mistake(rest, Kind::EmptyBrackets));
    }
    if rest.is_empty() {
        return Err(mistake(input, Kind::UnclosedBracket));
    }
    let (rest, filter) = or(rest, deeper)?;
    close(rest, ']', input, Kind::UnclosedBracket).map(|rest| (rest, filter))
}

/// `SP? ')'` or `SP? ']'`; the opening one is named when the text ends first.
fn close<'t>(
    input: &'t str,
    end: char,
    opened: &str,
    unclosed: Kind,
) -> Result<&'t str, nom::Err<Mistake>> {
    let rest = spaces(input);
    match rest.strip_prefix(end) {
        Some(rest) => Ok(rest),
        None if rest.is_empty() || rest.starts_with([')', ']']) => Err(mistake(opened, unclosed)),
        None => Err(stray(rest)),
    }
}

/// `Test ← AttrPath Operation` and `ValueTest ← AttrTop Bracket ( '.' Name Operation )?`
fn test<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Filter> {
    let (rest, word) = take_while(is_word).parse(input)?;
    if word.is_empty() {
        return Err(mistake(input, Kind::MissingTerm));
    }
    if scope.inside {
        if rest.starts_with('[') {
            return Err(mistake(rest, Kind::NestedBrackets));
        }
        let name = bare_name(word, input)?;
        let path = AttrPath::bare(name, scope.column(input));
        let (rest, op) = operation(rest, input, word, scope)?;
        return Ok((rest, Filter::Test(Test { path, op })));
    }
    let path = attr_path(word, input, scope.column(input))?;
    if !rest.starts_with('[') {
        let (rest, op) = operation(rest, input, word, scope)?;
        return Ok((rest, Filter::Test(Test { path, op })));
    }
    if path.sub.is_some() {
        return Err(mistake(rest, Kind::BracketsAfterSubAttribute));
    }
    let (rest, inner) = bracket(rest, scope)?;
    let (rest, sub) = match rest.strip_prefix('.') {
        Some(behind) => bracket_sub(behind, scope).map(|(rest, test)| (rest, Some(test)))?,
        None => (rest, None),
    };
    Ok((
        rest,
        Filter::ValuePath(ValuePath {
            attr: path,
            inner: Box::new(inner),
            sub,
        }),
    ))
}

/// `Name Operation`, behind `].`
fn bracket_sub<'t>(input: &'t str, scope: Scope<'_>) -> Parsed<'t, Test> {
    let (rest, word) = take_while(is_word).parse(input)?;
    let path = AttrPath::bare(bare_name(word, input)?, scope.column(input));
    let (rest, op) = operation(rest, input, word, scope)?;
    Ok((rest, Test { path, op }))
}

/// `Operation ← SP 'pr' | SP CompareOp SP Literal`; `whole` and `word` are the attribute before it.
fn operation<'t>(input: &'t str, whole: &str, word: &str, scope: Scope<'_>) -> Parsed<'t, Op> {
    scope.count(whole)?;
    let start = spaces(input);
    if start.len() == input.len() {
        return Err(mistake(input, Kind::MissingOperator));
    }
    if start.starts_with('[') {
        return Err(mistake(start, Kind::SpaceBeforeBracket));
    }
    let (rest, found) = take_while(is_word).parse(start)?;
    if found.eq_ignore_ascii_case("pr") {
        return Ok((rest, Op::Present));
    }
    if let Some(operator) = operator(found) {
        let (rest, literal) = literal(rest)?;
        return Ok((rest, Op::Compare(operator, literal)));
    }
    // A keyword stood where the attribute belongs: say that, instead of blaming the word behind it.
    if word.eq_ignore_ascii_case("not") {
        return Err(mistake(whole, Kind::NotWithoutParentheses));
    }
    if word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or") {
        return Err(mistake(whole, Kind::MissingTerm));
    }
    let kind = if found.is_empty() {
        Kind::MissingOperator
    } else {
        Kind::UnknownOperator {
            word: excerpt(found),
            meant: meant(found),
        }
    };
    Err(mistake(start, kind))
}

/// `CompareOp ← 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'`
fn operator(word: &str) -> Option<Operator> {
    use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    [Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le]
        .into_iter()
        .find(|operator| word.eq_ignore_ascii_case(operator.keyword()))
}

/// The operator that people coming from other languages mean.
fn meant(word: &str) -> Option<Operator> {
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
fn attr_path(word: &str, here: &str, at: Column) -> Result<AttrPath, nom::Err<Mistake>> {
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
fn bare_name(word: &str, here: &str) -> Result<String, nom::Err<Mistake>> {
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
fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '$')
        && chars.all(|next| next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '$'))
}

/// `SP Literal`, or a string directly behind its operator (F-15).
fn literal(input: &str) -> Parsed<'_, Literal> {
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

/// What is wrong with a text that stands where `and`, `or` or the end belongs.
fn stray(rest: &str) -> nom::Err<Mistake> {
    let kind = match rest.chars().next() {
        Some(')') => Kind::UnopenedParenthesis,
        Some(']') => Kind::UnopenedBracket,
        Some('[') => Kind::SpaceBeforeBracket,
        _ => Kind::ExpectedAndOr,
    };
    mistake(rest, kind)
}

/// The text behind `SP?`.
fn spaces(input: &str) -> &str {
    input.trim_start_matches(' ')
}

/// `SP`
const fn is_space(c: char) -> bool {
    c == ' '
}

/// What a name, an operator, a number or a keyword may be made of before it is looked at: all but the delimiters.
const fn is_word(c: char) -> bool {
    !matches!(c, ' ' | '(' | ')' | '[' | ']' | '"')
}

/// An attribute path that is a whole text, for a PATCH path.
pub(in crate::scim) fn whole_attr_path(text: &str) -> Result<AttrPath, FilterError> {
    finish("", attr_path(text, "", Column(1)).map(|path| ("", path))).map(|(_, path)| path)
}

/// The `Bracket` at the beginning of `rest`, a rest of `text`, and what stands behind it; for a PATCH path.
pub(in crate::scim) fn leading_bracket<'t>(
    text: &'t str,
    rest: &'t str,
) -> Result<(&'t str, Filter), FilterError> {
    let comparisons = Cell::new(0);
    finish(text, bracket(rest, Scope::new(text, &comparisons)))
}

/// `SP CompareOp SP Literal` at the beginning of `rest`, a rest of `text`, and what stands behind it; for a PATCH path.
pub(in crate::scim) fn leading_operation<'t>(
    text: &'t str,
    rest: &'t str,
) -> Result<(&'t str, Op), FilterError> {
    let comparisons = Cell::new(0);
    finish(
        text,
        operation(rest, text, "", Scope::new(text, &comparisons)),
    )
}

/// Whether a text is a `Name`, for a PATCH path.
pub(in crate::scim) fn is_sub_name(text: &str) -> bool {
    is_name(text)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    fn kind(text: &str) -> Kind {
        Filter::parse(text)
            .map(|filter| filter.to_string())
            .expect_err("a mistake")
            .kind
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let text = |filter: &str| {
            Filter::parse(filter)
                .map(|filter| format!("{filter:?}"))
                .expect("a filter")
        };
        assert_eq!(
            text("a pr or b pr and c pr"),
            text("a pr or (b pr and c pr)")
        );
        assert_ne!(
            text("a pr or b pr and c pr"),
            text("(a pr or b pr) and c pr")
        );
    }

    #[test]
    fn words_that_begin_like_a_connective_are_not_one() {
        assert_eq!(kind("a pr order b pr"), Kind::ExpectedAndOr);
        assert!(Filter::parse("order pr and android pr or nothing pr").is_ok());
        assert!(
            Filter::parse("not pr and or eq 1").is_ok(),
            "keywords may be attribute names"
        );
    }

    #[test]
    fn only_spaces_are_space() {
        for text in ["a\tpr", "a pr\n", "a pr\tand b pr", "a eq\u{a0}1"] {
            assert!(Filter::parse(text).is_err(), "{text:?}");
        }
        assert!(Filter::parse("  a   eq   1   and   b   pr  ").is_ok());
    }

    #[test]
    fn a_urn_ends_at_the_last_colon_and_not_at_a_dot() {
        let Ok(Filter::Test(test)) =
            Filter::parse("urn:x:2.0:User:name.familyName eq \"urn:y:1.0:z\"")
        else {
            panic!()
        };
        let AttrPath { urn, name, sub, .. } = test.path;
        assert_eq!(
            (urn.as_deref(), name.as_str(), sub.as_deref()),
            (Some("urn:x:2.0:User"), "name", Some("familyName"))
        );
    }

    #[test]
    fn brackets_are_strict_about_what_they_hold() {
        assert_eq!(kind("e[a[b pr]]"), Kind::NestedBrackets);
        assert_eq!(kind("e[u:b pr]"), Kind::BareNameInBrackets("u:b".into()));
        assert_eq!(kind("e[a.b pr]"), Kind::BareNameInBrackets("a.b".into()));
        assert_eq!(kind("e[0]"), Kind::BadName("0".into()));
        assert_eq!(kind("e[ ]"), Kind::EmptyBrackets);
        assert_eq!(kind("e [a pr]"), Kind::SpaceBeforeBracket);
        assert_eq!(kind("e.a[b pr]"), Kind::BracketsAfterSubAttribute);
        assert_eq!(kind("e[(a pr]"), Kind::UnclosedParenthesis);
        assert_eq!(kind("(e[a pr)"), Kind::UnclosedBracket);
        assert_eq!(kind("e[a pr] .b pr"), Kind::ExpectedAndOr);
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

    #[test]
    fn nesting_stops_at_the_limit() {
        let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(kind(&nested(MAX_DEPTH + 1)), Kind::TooDeep);
        assert_eq!(
            kind(&format!("{}e[a pr]", "(".repeat(MAX_DEPTH))),
            Kind::TooDeep
        );
        assert_eq!(kind(&"not (".repeat(10_000)), Kind::TooDeep);
    }

    #[test]
    fn comparisons_stop_at_the_limit() {
        let chain = |length: usize| vec!["a pr"; length].join(" or ");
        assert!(Filter::parse(&chain(MAX_COMPARISONS)).is_ok());
        assert_eq!(kind(&chain(MAX_COMPARISONS + 1)), Kind::TooManyComparisons);
        assert_eq!(
            kind(&format!("e[{}]", chain(MAX_COMPARISONS + 1))),
            Kind::TooManyComparisons
        );
    }

    #[test]
    fn hostile_texts_are_refused_fast() {
        let began = Instant::now();
        for text in [
            "(".repeat(10_000),
            "(".repeat(1_000_000),
            vec!["a pr"; 10_000].join(" and "),
            "[".repeat(60_000),
        ] {
            assert!(Filter::parse(&text).is_err());
        }
        assert!(Filter::parse(&format!("a eq {}", "9".repeat(60_000))).is_err());
        assert!(Filter::parse(&format!("a eq \"{}", "\\n".repeat(30_000))).is_err());
        assert!(began.elapsed().as_millis() < 500, "{:?}", began.elapsed());
    }

    fn name() -> impl Strategy<Value = String> {
        "[A-Za-z$][A-Za-z0-9_$-]{0,6}"
    }

    fn op() -> impl Strategy<Value = Op> {
        use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
        let literal = prop_oneof![
            any::<String>().prop_map(Literal::String),
            "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?".prop_map(Literal::Number),
            any::<bool>().prop_map(Literal::Bool),
            Just(Literal::Null),
        ];
        let operator = proptest::sample::select(vec![Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le]);
        prop_oneof![
            Just(Op::Present),
            (operator, literal).prop_map(|(operator, literal)| Op::Compare(operator, literal))
        ]
    }

    fn bare_test() -> impl Strategy<Value = Test> {
        (name(), op()).prop_map(|(name, op)| Test {
            path: AttrPath::bare(name, Column(1)),
            op,
        })
    }

    fn nest(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::and),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
        .boxed()
    }

    fn filter() -> impl Strategy<Value = Filter> {
        let urn = proptest::option::of("urn:[a-z]{1,5}:2\\.0:[A-Z][a-z]{0,4}");
        let path = (urn.clone(), name(), proptest::option::of(name()));
        let test = (path, op()).prop_map(|((urn, name, sub), op)| {
            Filter::Test(Test {
                path: AttrPath {
                    urn,
                    name,
                    sub,
                    at: Column(1),
                },
                op,
            })
        });
        let inner = nest(bare_test().prop_map(Filter::Test).boxed());
        let value_path = (urn, name(), inner, proptest::option::of(bare_test())).prop_map(
            |(urn, name, inner, sub)| {
                let attr = AttrPath {
                    urn,
                    name,
                    sub: None,
                    at: Column(1),
                };
                Filter::ValuePath(ValuePath {
                    attr,
                    inner: Box::new(inner),
                    sub,
                })
            },
        );
        nest(prop_oneof![3 => test, 1 => value_path].boxed())
    }

    proptest! {
        #[test]
        fn a_printed_filter_reads_back_as_the_same_tree(filter in filter()) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }

        #[test]
        fn no_text_brings_the_parser_down(text in any::<String>()) {
            drop(Filter::parse(&text));
        }

        #[test]
        fn no_text_that_looks_like_a_filter_brings_the_parser_down(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", "emails", "urn:x:2.0:Y:z", " ", " ", " ", " eq ", " pr", " and ", " or ", "not", "(", ")", "[", "]",
                    ".", "\"x\"", "\"", "\\", "\\u12", "null", "true", "1", "-", "é", "\u{0}", "'",
                ]),
                0..24,
            )
        ) {
            let text = words.concat();
            match Filter::parse(&text) {
                Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
                Err(error) => prop_assert!(error.column <= text.chars().count() + 1),
            }
        }
    }
}
