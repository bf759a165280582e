//! One schema URN for another, wherever a request can name one: `schemas`, keys, paths.

use serde_json::{Map, Value};

/// Renames in a resource; whether anything was renamed.
pub(super) fn in_resource(body: &mut Value, wrong: &str, right: &str) -> bool {
    let Value::Object(body) = body else { return false };
    let listed = match member(body, "schemas") {
        Some(Value::Array(schemas)) => in_list(schemas, wrong, right),
        _ => false,
    };
    in_keys(body, wrong, right) || listed
}

/// Renames in the paths and path-less values of a PATCH message; whether anything was renamed.
pub(super) fn in_patch(body: &mut Value, wrong: &str, right: &str) -> bool {
    let Value::Object(body) = body else { return false };
    let Some(Value::Array(operations)) = member(body, "Operations") else { return false };
    let mut fired = false;
    for operation in operations {
        let Value::Object(operation) = operation else { continue };
        match member(operation, "path") {
            Some(Value::String(path)) => {
                if let Some(renamed) = renamed(path, wrong, right) {
                    *path = renamed;
                    fired = true;
                }
            }
            _ => {
                if let Some(Value::Object(value)) = member(operation, "value") {
                    fired |= in_keys(value, wrong, right);
                }
            }
        }
    }
    fired
}

fn in_list(urns: &mut [Value], wrong: &str, right: &str) -> bool {
    let mut fired = false;
    for urn in urns {
        if urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(wrong)) {
            *urn = Value::String(right.to_owned());
            fired = true;
        }
    }
    fired
}

/// Renames keys in their places; one whose right spelling is there as well stays wrong, lest one value hides the other.
fn in_keys(object: &mut Map<String, Value>, wrong: &str, right: &str) -> bool {
    let rename = |key: &str| renamed(key, wrong, right).filter(|new| !object.keys().any(|key| key.eq_ignore_ascii_case(new)));
    let names: Vec<Option<String>> = object.keys().map(|key| rename(key)).collect();
    if names.iter().all(Option::is_none) {
        return false;
    }
    let renamed = std::mem::take(object).into_iter().zip(names).map(|((key, value), new)| (new.unwrap_or(key), value));
    *object = renamed.collect();
    true
}

/// `wrong` or `wrong:attribute` with the right URN.
fn renamed(text: &str, wrong: &str, right: &str) -> Option<String> {
    let rest = text.get(wrong.len()..)?;
    let head = text.get(..wrong.len())?;
    let whole = rest.is_empty() || rest.starts_with(':');
    if whole && head.eq_ignore_ascii_case(wrong) { Some(format!("{right}{rest}")) } else { None }
}

/// A member of the message, letter case ignored.
fn member<'o>(object: &'o mut Map<String, Value>, name: &str) -> Option<&'o mut Value> {
    object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
