//! What fits a type and what does not, with the sentence that says so.

use super::*;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::fixture::{self, ENT};

fn check_with(text: &str, switches: &Switches) -> Result<CheckedFilter, FilterError> {
    Filter::parse(text)?.check(&fixture::user_type(), switches)
}

fn check(text: &str) -> Result<CheckedFilter, FilterError> {
    check_with(text, &Switches::default())
}

fn sentence(text: &str) -> String {
    check(text).map_or_else(|error| error.to_string(), |filter| format!("{filter:?}"))
}

#[test]
fn every_invalid_vector_is_an_invalid_filter() {
    let mut accepted = Vec::new();
    let mut count = 0;
    for line in include_str!("../../../../tests/fixtures/scim/filters-invalid.txt").lines() {
        count += 1;
        let mut cells = line.split('\t');
        let (Some(id), Some(filter)) = (cells.next(), cells.next()) else {
            panic!("{line}")
        };
        match check(filter).map_err(ScimError::from) {
            Ok(checked) => accepted.push(format!("{id} {filter}: {checked:?}")),
            Err(error) => assert_eq!(error.kind, ScimErrorKind::InvalidFilter, "{id}"),
        }
    }
    assert_eq!(count, 66);
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

#[test]
fn a_misspelled_name_is_told_its_neighbor() {
    assert_eq!(
        sentence("title pr and usrName eq \"a\""),
        "filter, column 14: this resource type has no attribute \"usrName\"; did you mean userName?"
    );
    assert_eq!(
        sentence("emails[typ eq \"a\"]"),
        "filter, column 8: emails has no sub-attribute \"typ\"; did you mean type?"
    );
    assert_eq!(
        sentence("title.value pr"),
        "filter, column 1: title has no sub-attributes"
    );
    assert!(!sentence("passwort eq \"a\"").contains("did you mean"));
}

#[test]
fn a_schema_is_not_an_attribute() {
    assert_eq!(
        sentence(&format!("{ENT} pr")),
        format!("filter, column 1: \"{ENT}\" is a schema; name one of its attributes")
    );
    assert!(sentence("urn:x:1.0:User:y pr").contains("no schema \"urn:x:1.0:User\""));
}

#[test]
fn operators_are_refused_by_type() {
    assert_eq!(
        sentence("active gt false"),
        "filter, column 1: gt cannot be used on active, a boolean attribute"
    );
    assert_eq!(
        sentence("name eq \"a\""),
        "filter, column 1: name has several parts; compare one of them, or use pr"
    );
}

#[test]
fn never_returned_attributes_cannot_even_be_asked_for() {
    for text in [
        "password pr",
        "password eq \"x\"",
        "not (password pr)",
        "PASSWORD sw \"x\"",
    ] {
        assert_eq!(
            check(text).map_err(|error| error.kind),
            Err(Kind::NeverReturned("password".into())),
            "{text}"
        );
    }
}

#[test]
fn emails_means_the_value_of_emails() {
    assert_eq!(check("emails eq \"a\""), check("emails.value eq \"A\""));
}

#[test]
fn null_means_unassigned() {
    assert_eq!(check("title eq null"), check("not (title pr)"));
    assert_eq!(check("title ne NULL"), check("title pr"));
    assert_eq!(check("emails eq null"), check("not (emails.value pr)"));
}

#[test]
fn a_test_behind_brackets_moves_into_them() {
    let text = r#"emails[type eq "work" and primary eq true].value eq "a""#;
    assert_eq!(
        check(text),
        check(r#"emails[type eq "work" and primary eq true and value eq "a"]"#)
    );
    let off = Switches {
        bracket_sub_filter: false,
        ..Switches::default()
    };
    assert_eq!(
        check_with(text, &off).map_err(|error| error.kind),
        Err(Kind::BracketSubFilterOff)
    );
}

#[test]
fn quoted_booleans_need_their_switch_and_quoted_numbers_do_not() {
    assert!(check("active eq \"True\"").is_ok());
    assert!(check_with("active eq \"True\"", &Switches::strict()).is_err());
    assert!(
        check_with(
            &format!("{}:badge eq \"7\"", fixture::ACME),
            &Switches::strict()
        )
        .is_ok()
    );
}

#[test]
fn at_the_root_an_unknown_attribute_is_unassigned() {
    let group = fixture::builtin("Group");
    let check = |text: &str| Filter::parse(text)?.check_any(&group, &Switches::default());
    assert_eq!(check("userName pr"), Ok(CheckedFilter::Nothing));
    assert_eq!(check("userName eq \"x\""), Ok(CheckedFilter::Nothing));
    assert_eq!(check("userName ne \"x\""), Ok(CheckedFilter::everything()));
    assert_eq!(check("userName eq null"), Ok(CheckedFilter::everything()));
    assert_eq!(check("userName ne null"), Ok(CheckedFilter::Nothing));
    assert_eq!(
        check("emails[type eq \"work\"]"),
        Ok(CheckedFilter::Nothing)
    );
    assert_eq!(check("not (title pr)"), Ok(CheckedFilter::everything()));
    assert!(check("displayName gt 5").is_err());
}

#[test]
fn members_are_compared_letter_by_letter() {
    let group = fixture::builtin("Group");
    let checked = Filter::parse("members eq \"U1\"")
        .and_then(|filter| filter.check(&group, &Switches::default()));
    let Ok(CheckedFilter::Test(Test { attr, predicate })) = checked else {
        panic!("{checked:?}")
    };
    assert_eq!(attr.path(), "members.value");
    assert_eq!(
        predicate,
        Predicate::Compare(Operator::Eq, Literal::Exact("U1".into()))
    );
}
