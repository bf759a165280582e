//! Microsoft Entra ID. `idp-behavior.md` §3.
//!
//! Most of its dialect is covered by switches that are on for everybody: `Add` and `Replace`, `"True"`, dotted keys, a
//! bare manager, member removal by list; and by `replace_creates`, which is on for Entra.

use serde_json::{Map, Value};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(super) const MISSPELLED: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";

/// Known since autumn 2026 (documentation samples and templates made from them): the enterprise URN without its last
/// colon, in paths and in the keys of path-less values. As a path it would be refused in every cycle, as a key it
/// would lose department and manager. True when anything was renamed.
pub(super) fn misspelled_enterprise_urn(body: &mut Value) -> bool {
    let Value::Object(body) = body else {
        return false;
    };
    let Some(Value::Array(operations)) = member(body, "Operations") else {
        return false;
    };
    let mut fired = false;
    for operation in operations {
        let Value::Object(operation) = operation else {
            continue;
        };
        match member(operation, "path") {
            Some(Value::String(path)) => {
                if let Some(renamed) = renamed(path) {
                    *path = renamed;
                    fired = true;
                }
            }
            _ => {
                if let Some(Value::Object(value)) = member(operation, "value") {
                    fired |= in_keys(value);
                }
            }
        }
    }
    fired
}

/// Renames keys in their places; one whose right spelling is there as well stays wrong, lest one value hides the other.
fn in_keys(object: &mut Map<String, Value>) -> bool {
    let rename = |key: &str| {
        renamed(key).filter(|new| !object.keys().any(|key| key.eq_ignore_ascii_case(new)))
    };
    let names: Vec<Option<String>> = object.keys().map(|key| rename(key)).collect();
    if names.iter().all(Option::is_none) {
        return false;
    }
    let renamed = std::mem::take(object)
        .into_iter()
        .zip(names)
        .map(|((key, value), new)| (new.unwrap_or(key), value));
    *object = renamed.collect();
    true
}

/// The URN, alone or before an attribute, spelled right.
fn renamed(text: &str) -> Option<String> {
    let (head, rest) = text.split_at_checked(MISSPELLED.len())?;
    let whole = rest.is_empty() || rest.starts_with(':');
    if whole && head.eq_ignore_ascii_case(MISSPELLED) {
        Some(format!("{ENTERPRISE}{rest}"))
    } else {
        None
    }
}

/// A member of the message, letter case ignored.
fn member<'o>(object: &'o mut Map<String, Value>, name: &str) -> Option<&'o mut Value> {
    object
        .iter_mut()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_is_also_there_in_its_right_spelling_is_left_alone() {
        let value = json!({ENTERPRISE: {"department": "Ops"}, MISSPELLED: {"department": "HR"}});
        let mut body = json!({"Operations": [{"op": "replace", "value": value}]});
        assert!(!misspelled_enterprise_urn(&mut body));
    }

    #[test]
    fn the_misspelled_urn_is_put_right_in_paths_and_path_less_values() {
        let mut body = json!({"operations": [
            {"op": "Add", "path": format!("{MISSPELLED}:department"), "value": "Ops"},
            {"op": "Add", "value": {format!("{MISSPELLED}:manager"): "u3", "title": "x"}},
            {"op": "Add", "path": "title", "value": MISSPELLED}]});
        assert!(misspelled_enterprise_urn(&mut body));
        let right = json!({"operations": [
            {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Ops"},
            {"op": "Add", "value": {format!("{ENTERPRISE}:manager"): "u3", "title": "x"}},
            {"op": "Add", "path": "title", "value": MISSPELLED}]});
        assert_eq!(body, right);
    }
}
