//! The 84 vectors of `scim-conformance.md` §34, and what they leave open.

use serde_json::{Map, Value, json};

use super::*;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::eval::element_matches;
use crate::scim::filter::fixture::{ACME, ENT, builtin, user_type};
use crate::scim::resource::Resource;
use crate::scim::schema::ResourceType;
use crate::scim::switches::Switches;
use crate::scim::validate::MemberInput;

const VECTORS: &str = include_str!("../../../tests/fixtures/scim/patch.jsonl");

/// A whole resource as the vectors show it, `schemas` and members included.
pub(super) fn patched(
    rt: &ResourceType,
    before: &Value,
    ops: &Value,
    switches: &Switches,
) -> Result<(Value, bool), ScimError> {
    let mut document = before.as_object().cloned().unwrap_or_default();
    let members: Vec<Value> = match document.shift_remove("members") {
        Some(Value::Array(members)) => members,
        _ => Vec::new(),
    };
    let shown: Vec<(&str, Value)> = ["id", "schemas", "groups"]
        .into_iter()
        .filter_map(|name| Some((name, document.shift_remove(name)?)))
        .collect();
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ops});
    let patch = compile(&PatchRequest::parse(body, switches)?, rt, switches)?;
    let applied = apply(&patch, &Resource::from_valid(document), rt, switches)?;
    let after_members = applied.members.iter().fold(members.clone(), moved);
    let changed = applied.changed || after_members != members;
    let mut after = applied.resource.into_document();
    for (name, value) in shown {
        let value = if name == "schemas" {
            schemas(rt, &after)
        } else {
            value
        };
        after.insert(name.to_owned(), value);
    }
    if !after_members.is_empty() {
        after.insert("members".to_owned(), Value::Array(after_members));
    }
    Ok((Value::Object(after), changed))
}

pub(super) fn schemas(rt: &ResourceType, document: &Map<String, Value>) -> Value {
    let extensions = rt
        .extensions
        .iter()
        .map(|extension| &extension.schema.id)
        .filter(|urn| document.contains_key(*urn));
    std::iter::once(&rt.schema.id)
        .chain(extensions)
        .cloned()
        .collect()
}

/// The store's part, in a list.
fn moved(mut members: Vec<Value>, change: &MembersChange) -> Vec<Value> {
    let is = |member: &Value, id: &str| member.get("value").and_then(Value::as_str) == Some(id);
    let new = |member: &MemberInput| json!({"value": member.id});
    match change {
        MembersChange::Add(added) => {
            for member in added {
                if !members.iter().any(|old| is(old, &member.id)) {
                    members.push(new(member));
                }
            }
        }
        MembersChange::Remove(ids) => members.retain(|member| !ids.iter().any(|id| is(member, id))),
        MembersChange::ReplaceAll(all) => members = all.iter().map(new).collect(),
        MembersChange::RemoveAll => members.clear(),
        MembersChange::RemoveWhere(filter) => {
            members.retain(|member| !element_matches(filter, member))
        }
    }
    members
}

fn kind(keyword: &str) -> Option<ScimErrorKind> {
    use ScimErrorKind::{
        InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget,
    };
    [
        InvalidFilter,
        InvalidPath,
        InvalidSyntax,
        InvalidValue,
        Mutability,
        NoTarget,
    ]
    .into_iter()
    .find(|kind| kind.keyword() == Some(keyword))
}

#[test]
fn every_vector_holds() {
    let (user, group) = (user_type(), builtin("Group"));
    let text = VECTORS.replace("{ENT}", ENT).replace("{ACME}", ACME);
    let mut wrong = Vec::new();
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).expect("a vector is JSON");
        let rt = if vector["rt"] == "Group" {
            &group
        } else {
            &user
        };
        let switches = Switches {
            replace_creates: vector["switch"] == "replace_creates",
            ..Switches::default()
        };
        let result = patched(rt, &vector["before"], &vector["ops"], &switches);
        let good = match (&result, vector["error"].as_str()) {
            (Ok((after, changed)), None) => {
                *after == vector["after"] && *changed == vector["changed"]
            }
            (Err(error), Some(keyword)) => Some(error.kind) == kind(keyword),
            _ => false,
        };
        if !good {
            wrong.push(format!("{}\n  got {result:?}", line));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} vectors fail:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(text.lines().count(), 84);
}

pub(super) fn run(before: Value, ops: Value) -> Result<Value, ScimErrorKind> {
    patched(&user_type(), &before, &ops, &Switches::default())
        .map(|(after, _)| after)
        .map_err(|error| error.kind)
}

fn members_of(ops: Value) -> Result<Vec<MembersChange>, ScimErrorKind> {
    let switches = Switches::default();
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ops});
    let request = PatchRequest::parse(body, &switches).map_err(|error| error.kind)?;
    compile(&request, &builtin("Group"), &switches)
        .map(|patch| patch.members().to_vec())
        .map_err(|error| error.kind)
}

fn member(id: &str) -> MemberInput {
    MemberInput {
        id: id.to_owned(),
        is_group: false,
    }
}

#[test]
fn several_ids_joined_by_or_are_one_removal_by_id() {
    let ops = json!([{"op": "remove", "path": r#"members[value eq "a" or value eq "b"]"#}]);
    assert_eq!(
        members_of(ops),
        Ok(vec![MembersChange::Remove(vec!["a".into(), "b".into()])])
    );
}

#[test]
fn members_without_a_readable_value_refuse_the_whole_patch() {
    for value in [
        json!("u1"),
        json!([{}]),
        json!([null]),
        json!([{"value": null}]),
        json!([{"value": 5}]),
        json!([{"display": "x"}]),
        json!(""),
    ] {
        for op in ["add", "replace", "remove"] {
            let ops = json!([{"op": op, "path": "members", "value": value}]);
            assert_eq!(
                members_of(ops),
                Err(ScimErrorKind::InvalidValue),
                "{op} {value}"
            );
        }
    }
}

#[test]
fn a_null_value_on_remove_is_none_and_everybody_goes() {
    let ops = json!([{"op": "remove", "path": "members", "value": null}]);
    assert_eq!(members_of(ops), Ok(vec![MembersChange::RemoveAll]));
}

#[test]
fn a_member_is_read_from_its_reference_and_groups_are_marked() {
    let value = json!([{"$ref": "Users/u1"}, {"value": "g1", "type": "group"}, {"value": "g2", "$ref": "https://x/Groups/g2"}]);
    let group = |id: &str| MemberInput {
        id: id.to_owned(),
        is_group: true,
    };
    let ops = json!([{"op": "add", "path": "members", "value": value}]);
    assert_eq!(
        members_of(ops),
        Ok(vec![MembersChange::Add(vec![
            member("u1"),
            group("g1"),
            group("g2")
        ])])
    );
}

#[test]
fn adding_through_the_id_adds_that_member_and_nothing_else_edits_one() {
    let path = r#"members[value eq "u1"]"#;
    let ops = json!([{"op": "add", "path": path, "value": {"display": "Ada"}}]);
    assert_eq!(
        members_of(ops),
        Ok(vec![MembersChange::Add(vec![member("u1")])])
    );
    let ops = json!([{"op": "replace", "path": path, "value": {"value": "u2"}}]);
    assert_eq!(members_of(ops), Err(ScimErrorKind::Mutability));
    let ops = json!([{"op": "replace", "path": path, "value": []}]);
    assert_eq!(
        members_of(ops),
        Ok(vec![MembersChange::Remove(vec!["u1".into()])])
    );
}

#[test]
fn a_password_is_discarded_and_alone_changes_nothing() {
    let switches = Switches::default();
    let user = user_type();
    for operation in [
        json!({"op": "replace", "value": {"password": "x"}}),
        json!({"op": "add", "path": "password", "value": "x"}),
        json!({"op": "remove", "path": "password"}),
    ] {
        let request =
            PatchRequest::parse_in_bulk(json!({"Operations": [operation]}), &switches).unwrap();
        let before = Resource::from_valid(json!({"userName": "ada"}).as_object().cloned().unwrap());
        let applied = apply(
            &compile(&request, &user, &switches).unwrap(),
            &before,
            &user,
            &switches,
        )
        .unwrap();
        assert!(!applied.changed);
        assert!(
            applied
                .notes
                .iter()
                .any(|note| note.code == "password_discarded")
        );
    }
}

#[test]
fn several_parts_of_a_new_address_make_one_address() {
    let path = |part: &str| format!(r#"addresses[type eq "work"].{part}"#);
    let ops = json!([{"op": "Add", "path": path("primary"), "value": "True"}, {"op": "Add", "path": path("locality"), "value": "Gdynia"}, {"op": "Add", "path": path("country"), "value": "PL"}]);
    let address = json!([{"type": "work", "primary": true, "locality": "Gdynia", "country": "PL"}]);
    assert_eq!(
        run(json!({"userName": "ada"}), ops),
        Ok(json!({"userName": "ada", "addresses": address}))
    );
}

#[test]
fn a_string_boolean_in_brackets_creates_a_boolean() {
    let ops = json!([{"op": "Add", "path": r#"roles[primary eq "True"].value"#, "value": "tutor"}]);
    let after = json!({"userName": "ada", "roles": [{"primary": true, "value": "tutor"}]});
    assert_eq!(run(json!({"userName": "ada"}), ops), Ok(after));
}

#[test]
fn an_element_created_through_a_filter_keeps_the_spelling_of_the_filter() {
    let ops = json!([{"op": "add", "path": r#"emails[type eq "Night Shift"].value"#, "value": "a@x.test"}]);
    let after =
        json!({"userName": "ada", "emails": [{"type": "Night Shift", "value": "a@x.test"}]});
    assert_eq!(run(json!({"userName": "ada"}), ops), Ok(after));
}

#[test]
fn an_empty_value_through_a_filter_clears_one_thing_only() {
    let before = json!({"userName": "ada", "phoneNumbers": [{"value": "1", "type": "mobile"}, {"value": "2", "type": "work"}]});
    for value in [json!(""), Value::Null] {
        let ops = json!([{"op": "replace", "path": r#"phoneNumbers[type eq "mobile"].value"#, "value": value}]);
        let after = json!({"userName": "ada", "phoneNumbers": [{"value": "2", "type": "work"}]});
        assert_eq!(run(before.clone(), ops), Ok(after));
    }
    let ops =
        json!([{"op": "replace", "path": r#"phoneNumbers[type eq "fax"].value"#, "value": ""}]);
    assert_eq!(run(before.clone(), ops), Ok(before));
}

#[test]
fn the_manager_comes_as_string_array_or_object_and_goes_by_every_empty_one() {
    let manager = json!({"userName": "ada", ENT: {"manager": {"value": "m1"}}});
    for value in [
        json!("m1"),
        json!({"value": "m1"}),
        json!([{"$ref": "x/Users/m1", "value": "m1"}]),
        json!({"$ref": "../Users/m1"}),
    ] {
        for key in [format!("{ENT}:manager"), "manager".to_owned()] {
            let ops = json!([{"op": "Add", "path": key, "value": value}]);
            assert_eq!(
                run(json!({"userName": "ada"}), ops),
                Ok(manager.clone()),
                "{key} {value}"
            );
            let ops = json!([{"op": "replace", "value": {key: value}}]);
            assert_eq!(
                run(json!({"userName": "ada"}), ops),
                Ok(manager.clone()),
                "{value}"
            );
        }
    }
    for value in [json!(""), Value::Null, json!({"value": ""}), json!([])] {
        let ops = json!([{"op": "Replace", "path": format!("{ENT}:manager"), "value": value}]);
        assert_eq!(
            run(manager.clone(), ops),
            Ok(json!({"userName": "ada"})),
            "{value}"
        );
    }
}

#[test]
fn an_object_of_unknown_parts_through_a_filter_deletes_nobody() {
    let before = json!({"userName": "ada", "emails": [{"value": "a@x.test", "type": "work"}]});
    let ops =
        json!([{"op": "replace", "path": r#"emails[type eq "work"]"#, "value": {"nosuch": 1}}]);
    assert_eq!(run(before.clone(), ops), Ok(before));
}

#[test]
fn an_unknown_container_is_ignored_and_a_broken_filter_in_a_key_is_not() {
    let ops = json!([{"op": "replace", "value": {"urn:x:y:2.0:User": {"a": 1}, "title": "x"}}]);
    assert_eq!(
        run(json!({"userName": "ada"}), ops),
        Ok(json!({"userName": "ada", "title": "x"}))
    );
    let ops = json!([{"op": "replace", "value": {"emails[type like 1].value": "x"}}]);
    assert_eq!(
        run(json!({"userName": "ada"}), ops),
        Err(ScimErrorKind::InvalidFilter)
    );
}

#[test]
fn a_bracketed_key_is_a_path() {
    let ops = json!([{"op": "add", "value": {r#"emails[type eq "work"].value"#: "a@x.test"}}]);
    let after = json!({"userName": "ada", "emails": [{"type": "work", "value": "a@x.test"}]});
    assert_eq!(run(json!({"userName": "ada"}), ops), Ok(after));
}

#[test]
fn an_operation_per_member_is_one_removal() {
    let remove = |id: &str| json!({"op": "remove", "path": "members", "value": [{"value": id}]});
    let ops = json!([remove("a"), remove("b"), {"op": "add", "path": "members", "value": [{"value": "a"}]}, remove("c")]);
    let gone =
        |ids: &[&str]| MembersChange::Remove(ids.iter().map(|id| (*id).to_owned()).collect());
    let changes = vec![
        gone(&["a", "b"]),
        MembersChange::Add(vec![member("a")]),
        gone(&["c"]),
    ];
    assert_eq!(members_of(ops), Ok(changes));
}

#[test]
fn a_list_cannot_grow_beyond_its_limit_between_two_operations() {
    let many = |from: usize| {
        (from..from + 150)
            .map(|n| json!({"value": format!("{n}")}))
            .collect::<Value>()
    };
    let add = |from: usize| json!({"op": "add", "path": "roles", "value": many(from)});
    let ops = json!([add(0), add(150), {"op": "remove", "path": "roles"}]);
    assert_eq!(
        run(json!({"userName": "ada"}), ops),
        Err(ScimErrorKind::InvalidValue)
    );
}

#[test]
fn removing_listed_values_needs_a_list() {
    let before = json!({"userName": "ada", "emails": [{"value": "a@x.test", "type": "work"}, {"value": "b@x.test"}]});
    let remove = |value: Value| {
        run(
            before.clone(),
            json!([{"op": "remove", "path": "emails", "value": value}]),
        )
    };
    assert_eq!(
        remove(json!([{"value": "A@x.test"}])),
        Ok(json!({"userName": "ada", "emails": [{"value": "b@x.test"}]}))
    );
    assert_eq!(
        remove(json!([{"value": "a@x.test", "type": "home"}])),
        Ok(before.clone())
    );
    assert_eq!(remove(json!([])), Ok(before.clone()));
    assert_eq!(remove(json!("a@x.test")), Err(ScimErrorKind::InvalidValue));
    assert_eq!(remove(Value::Null), Ok(json!({"userName": "ada"})));
}

#[test]
fn an_extension_leaves_through_schemas_and_the_core_schema_does_not() {
    let before = json!({"userName": "ada", ENT: {"department": "Ops"}});
    let ops = json!([{"op": "remove", "path": "schemas", "value": [ENT]}]);
    assert_eq!(run(before.clone(), ops), Ok(json!({"userName": "ada"})));
    let ops = json!([{"op": "remove", "path": "schemas", "value": ["urn:ietf:params:scim:schemas:core:2.0:User"]}]);
    assert_eq!(run(before, ops), Err(ScimErrorKind::Mutability));
}
