//! What every black-box test stands on: a server of its own, clients, builders. Not here: any test.

pub mod app;
pub mod binary;
pub mod build;
pub mod client;
pub mod database;
mod plans;

pub use app::TestApp;
pub use client::{Client, Reply};
pub use serde_json::{Value, json};

/// The core schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension.
pub const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Our extension of groups: description and color.
pub const LEARNER_GROUP: &str = "urn:rollcall:params:scim:schemas:extension:group:2.0:Group";
/// The schema of a PATCH message.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schema of a list.
pub const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// A PATCH message of these operations.
pub fn patch(operations: Value) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

/// A user with a name and nothing else.
pub fn user(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

/// A group with a name and these members.
pub fn group(name: &str, members: &[&str]) -> Value {
    json!({ "schemas": [GROUP], "displayName": name, "members": member_list(members) })
}

/// `[{"value": id}, …]`.
pub fn member_list(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

/// The operation that adds members.
pub fn add_members(ids: &[&str]) -> Value {
    json!({ "op": "add", "path": "members", "value": member_list(ids) })
}

/// The operation that removes one member.
pub fn remove_member(id: &str) -> Value {
    json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
}
