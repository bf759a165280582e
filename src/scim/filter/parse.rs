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

use nom::Parser;
use nom::bytes::complete::{tag_no_case, take_while, take_while1};
use nom::character::complete::char;
use nom::multi::separated_list1;

use super::error::{FilterError, FilterErrorKind as Kind, excerpt};
use super::syntax::{AttrPath, Column, Filter, Op, Test, ValuePath};
use super::token::{
    Mistake, Parsed, attr_path, bare_name, is_space, is_word, literal, meant, mistake, operator,
    spaces,
};

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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn kind(text: &str) -> Kind {
        Filter::parse(text)
            .map(|filter| filter.to_string())
            .expect_err("a mistake")
            .kind
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let text = |filter: &str| Filter::parse(filter).expect("a filter");
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
}
