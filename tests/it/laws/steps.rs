//! Random sequences of SCIM operations over few users and groups, so that they meet: ended ids, taken names, members that are there.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::people;

/// One request. Resources are named by the number of their creation, modulo how many there were; [`NOBODY`] names none.
#[derive(Clone, Debug)]
pub enum Step {
    CreateUser(Value),
    ReplaceUser(usize, Value),
    PatchUser(usize, Vec<Value>),
    DeleteUser(usize),
    CreateGroup(Value, Vec<usize>),
    ReplaceGroup(usize, Value, Option<Vec<usize>>),
    PatchGroup(usize, Vec<Change>),
    DeleteGroup(usize),
    /// A course to a group; not SCIM, but what SCIM's members then cause.
    Assign(usize, usize),
}

/// One operation on a group.
#[derive(Clone, Debug)]
pub enum Change {
    Add(Vec<usize>),
    Remove(usize),
    RemoveListed(Vec<usize>),
    Replace(Vec<usize>),
    RemoveAll,
    Rename(&'static str),
}

/// The number of a resource that never was.
pub const NOBODY: usize = 99;

fn number() -> impl Strategy<Value = usize> {
    prop_oneof![12 => 0..12_usize, 1 => Just(NOBODY)]
}

fn numbers() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(number(), 0..4)
}

fn group() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "Warehouse",
        "WAREHOUSE",
        "Sales",
        "Straße",
        "strasse",
        "Night",
    ]);
    (name, prop::option::of(prop::sample::select(vec!["g-1", "g-2"])))
        .prop_map(|(name, external)| json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "externalId": external }))
}

fn operation() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({ "op": "replace", "path": "active", "value": false }),
        json!({ "op": "Replace", "path": "active", "value": "True" }),
        json!({ "op": "replace", "value": { "active": true, "title": "Lead" } }),
        json!({ "op": "add", "path": "emails", "value": [{ "value": "new@acme.test", "type": "work" }] }),
        json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "moved@acme.test" }),
        json!({ "op": "remove", "path": "emails[type eq \"home\"]" }),
        json!({ "op": "add", "path": "emails", "value": [{ "value": "first@acme.test", "primary": true }] }),
        json!({ "op": "remove", "path": "title" }),
        json!({ "op": "replace", "path": "userName", "value": "ada" }),
        json!({ "op": "replace", "path": "displayName", "value": "Ada L." }),
        json!({ "op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Ops" }),
        json!({ "op": "add", "value": { "name.familyName": "Lovelace" } }),
        json!({ "op": "replace", "path": "externalId", "value": "e-1" }),
    ])
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => numbers().prop_map(Change::Add),
        3 => number().prop_map(Change::Remove),
        1 => numbers().prop_map(Change::RemoveListed),
        1 => numbers().prop_map(Change::Replace),
        1 => Just(Change::RemoveAll),
        1 => prop::sample::select(vec!["Sales", "Day", "night"]).prop_map(Change::Rename),
    ]
}

/// One step.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => people::user().prop_map(Step::CreateUser),
        3 => (number(), people::user()).prop_map(|(number, user)| Step::ReplaceUser(number, user)),
        4 => (number(), prop::collection::vec(operation(), 1..3)).prop_map(|(number, operations)| Step::PatchUser(number, operations)),
        2 => number().prop_map(Step::DeleteUser),
        3 => (group(), numbers()).prop_map(|(group, members)| Step::CreateGroup(group, members)),
        2 => (number(), group(), prop::option::of(numbers())).prop_map(|(number, group, members)| Step::ReplaceGroup(number, group, members)),
        6 => (number(), prop::collection::vec(change(), 1..3)).prop_map(|(number, changes)| Step::PatchGroup(number, changes)),
        1 => number().prop_map(Step::DeleteGroup),
        3 => (number(), 0..2_usize).prop_map(|(group, course)| Step::Assign(group, course)),
    ]
}

/// About forty steps, whose first make somebody and something to work on.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let start = (prop::collection::vec(people::user(), 3), group(), numbers());
    (start, prop::collection::vec(step(), 30..42)).prop_map(|((users, group, members), more)| {
        let mut steps: Vec<Step> = users.into_iter().map(Step::CreateUser).collect();
        steps.push(Step::CreateGroup(group, members));
        steps.push(Step::Assign(0, 0));
        steps.extend(more);
        steps
    })
}
