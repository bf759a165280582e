//! Paths one by one, and the laws that hold for all of them.

use proptest::prelude::*;

use super::*;
use crate::scim::filter::eval::element_matches;
use crate::scim::filter::fixture::{self, ACME, ENT};
use crate::scim::filter::properties::{comparison, inner};

fn resolve(text: &str) -> Result<ResolvedPath, ScimError> {
    let path = Path::parse(text)?;
    Ok(path.resolve(&fixture::user_type(), &Switches::default())?)
}

fn target(text: &str) -> String {
    match resolve(text) {
        Ok(ResolvedPath::Extension(schema)) => format!("extension {}", schema.id),
        Ok(ResolvedPath::Attribute(attr)) => attr.path(),
        Ok(ResolvedPath::Filtered {
            attr, written, sub, ..
        }) => {
            let sub = sub.map(|sub| format!(".{}", sub.name)).unwrap_or_default();
            format!("{}[{written}]{sub}", attr.path())
        }
        Ok(ResolvedPath::Schemas) => "schemas".to_owned(),
        Err(error) => format!("{:?}", error.kind),
    }
}

#[test]
fn each_form_of_a_path_finds_its_target() {
    assert_eq!(target("TITLE"), "title");
    assert_eq!(
        target("URN:ietf:params:scim:schemas:core:2.0:USER:Name.FAMILYNAME"),
        "name.familyName"
    );
    assert_eq!(
        target(&format!("{ENT}:manager.value")),
        format!("{ENT}:manager.value")
    );
    assert_eq!(target("department"), format!("{ENT}:department"));
    assert_eq!(target(&ENT.to_uppercase()), format!("extension {ENT}"));
    assert_eq!(
        target("emails[ type eq\"work\" ].VALUE"),
        "emails[type eq \"work\"].value"
    );
    assert_eq!(target("emails[type eq \"a]b\"]"), "emails[type eq \"a]b\"]");
    assert_eq!(
        target(&format!("{ACME}:tags[value eq \"red\"]")),
        format!("{ACME}:tags[value eq \"red\"]")
    );
    assert_eq!(
        target(&format!("{ACME}:tags eq \"Blue\"")),
        format!("{ACME}:tags[value eq \"Blue\"]")
    );
    assert_eq!(target("Schemas"), "schemas");
}

#[test]
fn text_outside_the_grammar_is_an_invalid_path() {
    let texts = [
        "",
        " ",
        "/title",
        "favColor",
        "emails[type eq \"work\"",
        "name[givenName eq \"Ada\"].familyName",
        "*",
        "title ",
        " title",
        "emails[type pr].",
        "emails[type pr].nosuch",
        "emails[type pr].value.x",
        "emails[type pr][type pr]",
        "emails [type pr]",
        "emails.type[value pr]",
        "title[value pr]",
        "title eq \"x\"",
        "emails eq \"x\"",
        "name.x",
        "urn:example:unknown:1.0:User:x",
        "urn:",
        "title pr",
        "emails[type pr] and title pr",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "tags like \"x\"",
        "tags eq \"x\" and tags eq \"y\"",
        "tags eq x",
    ];
    for text in texts {
        assert_eq!(target(text), "InvalidPath", "{text}");
    }
    assert_eq!(target(&"a".repeat(MAX_PATH + 1)), "InvalidPath");
}

#[test]
fn what_is_wrong_between_the_brackets_is_an_invalid_filter() {
    let texts = [
        "emails[0]",
        "emails[]",
        "emails[type like \"work\"]",
        "emails[nosuch eq \"x\"]",
        "emails[type eq work]",
        "emails[type eq \"work]",
        "emails[primary gt true]",
        "emails[emails[type pr]]",
        "emails[(type pr]",
    ];
    for text in texts {
        assert_eq!(target(text), "InvalidFilter", "{text}");
    }
}

#[test]
fn a_comparison_chooses_elements_of_a_simple_attribute() {
    let Ok(ResolvedPath::Filtered {
        filter, written, ..
    }) = resolve("tags eq \"Blue\"")
    else {
        panic!("not filtered")
    };
    assert!(element_matches(&filter, &"Blue".into()));
    assert!(!element_matches(&filter, &"blue".into()));
    assert_eq!(written.eq_terms().map(|terms| terms.len()), Some(1));
}

#[test]
fn columns_in_a_bracket_count_from_the_beginning_of_the_path() {
    let error = resolve("emails[type like \"x\"]")
        .map(|_| ())
        .expect_err("a mistake");
    assert_eq!(
        error.detail,
        "the path's filter, column 13: \"like\" is not an operator; did you mean co?"
    );
}

/// `[urn:]name`, as a path begins.
fn attr() -> impl Strategy<Value = AttrPath> {
    let urn = proptest::option::of("urn:[a-z]{1,5}:2\\.0:[A-Z][a-z]{0,4}");
    (urn, "[A-Za-z$][A-Za-z0-9_$-]{0,6}").prop_map(|(urn, name)| AttrPath {
        urn,
        name,
        sub: None,
        at: Column(1),
    })
}

fn path() -> impl Strategy<Value = Path> {
    let sub = || proptest::option::of("[A-Za-z$][A-Za-z0-9_$-]{0,6}");
    let plain =
        (attr(), sub()).prop_map(|(attr, sub)| Path::Plain(AttrPath { sub, ..attr }.to_string()));
    let filtered = (attr(), inner(), sub()).prop_map(|(attr, filter, sub)| Path::Filtered {
        attr,
        filter,
        sub,
    });
    let compared = (attr(), comparison()).prop_map(|(attr, op)| {
        let path = AttrPath::bare("value", Column(1));
        Path::Compared {
            attr,
            filter: Filter::Test(Test { path, op }),
        }
    });
    prop_oneof![plain, filtered, compared]
}

proptest! {
    #[test]
    fn no_text_brings_the_path_parser_down(text in "[a-z\\[\\]\\. :\"()é]{0,40}") {
        drop(resolve(&text));
    }

    // F-61 for paths
    #[test]
    fn a_printed_path_reads_back_as_the_same(path in path()) {
        let text = path.to_string();
        prop_assume!(text.len() <= MAX_PATH);
        prop_assert_eq!(Path::parse(&text), Ok(path), "{}", text);
    }
}
