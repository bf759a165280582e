//! Clients whose bodies come from a template an admin edits (OneLogin). `idp-behavior.md` §4.

use serde_json::{Map, Value};

/// Known since 2026-09 (OneLogin's templates): the manager as `{"managerId": "…", "displayName": "…"}`. An id is
/// read as the `value`; an empty one means no manager, which the engine finds by itself.
pub(super) fn manager_id(body: &mut Value) -> bool {
    let Value::Object(body) = body else { return false };
    if in_container(body) {
        return true;
    }
    let enterprise = body.iter_mut().find(|(key, _)| key.to_ascii_lowercase().contains(":extension:enterprise:"));
    match enterprise {
        Some((_, Value::Object(container))) => in_container(container),
        _ => false,
    }
}

fn in_container(container: &mut Map<String, Value>) -> bool {
    let manager = container.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case("manager"));
    let Some((_, Value::Object(manager))) = manager else { return false };
    if manager.keys().any(|key| key.eq_ignore_ascii_case("value")) {
        return false;
    }
    let Some(key) = manager.keys().find(|key| key.eq_ignore_ascii_case("managerId")).cloned() else { return false };
    match manager.shift_remove(&key) {
        Some(Value::String(id)) if !id.is_empty() => {
            manager.insert("value".to_owned(), Value::String(id));
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manager_id_becomes_the_value_and_an_empty_one_goes() {
        let urn = "urn:scim:schemas:extension:enterprise:2.0";
        let mut body = json!({urn: {"manager": {"managerId": "m1", "displayName": "Mo"}}});
        assert!(manager_id(&mut body));
        assert_eq!(body, json!({urn: {"manager": {"displayName": "Mo", "value": "m1"}}}));
        let mut body = json!({urn: {"manager": {"managerId": "", "displayName": ""}}});
        assert!(!manager_id(&mut body));
        assert_eq!(body, json!({urn: {"manager": {"displayName": ""}}}));
    }
}
