//! Self-service: what people may change about themselves, and the mark of a request that is held to it.

use serde_json::Value;

use crate::service::ServiceError;

/// What people may change about themselves (ME-05).
const OWN: [&str; 9] = [
    "nickName",
    "profileUrl",
    "preferredLanguage",
    "locale",
    "timezone",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
];

/// The mark of a request that came through `/Me`.
pub(super) struct Own;

/// Refuses a change of what is not one's own to change; the transaction ends with it (AU-08).
pub(super) fn check(changes: &Value) -> Result<(), ServiceError> {
    let foreign: Vec<String> = changes
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys())
        .filter(|name| !OWN.contains(&name.as_str()))
        .map(|name| format!("`{name}`"))
        .collect();
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::Denied(format!(
            "change {} of its own account; it may change {}",
            foreign.join(", "),
            OWN.join(", ")
        )))
    }
}
