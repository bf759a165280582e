//! Where `bulkId:…` stands for an id: in reference-typed attributes and in the filters of PATCH paths. B-16, A21.
//!
//! Which attributes are references is the schema's word: those with a `$ref` to a resource, or of type reference
//! themselves. Text elsewhere is text, whatever it looks like.

use serde_json::{Map, Value};

use crate::scim::schema::{AttributeDef, Mutability, ResourceType, Schema, Type};

/// How a reference begins; letter case ignored.
const PREFIX: &str = "bulkId:";
/// The parts of a reference that may hold an id; `managerId` is that of SCIM 1.1.
const PARTS: [&str; 3] = ["value", "$ref", "managerId"];

/// What kind of body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The body of a POST or PUT.
    Resource,
    /// A PATCH message.
    Patch,
}

/// What becomes of a reference that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It stays.
    Keep,
    /// This id takes its place.
    Put(String),
    /// The value that holds it goes.
    Drop,
}

/// What is asked about each reference: its `bulkId`.
type Asked<'f> = dyn FnMut(&str) -> Found + 'f;

/// The `bulkId` that a text names.
pub(super) fn bulk_id(text: &str) -> Option<&str> {
    let (head, name) = text.split_at_checked(PREFIX.len())?;
    (head.eq_ignore_ascii_case(PREFIX) && !name.is_empty()).then_some(name)
}

/// Asks `asked` about every reference in a body and changes the body as it answers.
pub fn visit(rt: &ResourceType, shape: Shape, body: &mut Value, asked: &mut Asked<'_>) {
    let Value::Object(object) = body else { return };
    match shape {
        Shape::Resource => resource(rt, object, asked),
        Shape::Patch => {
            if let Some(Value::Array(operations)) = member(object, "Operations") {
                operations
                    .iter_mut()
                    .for_each(|operation| patch_operation(rt, operation, asked));
            }
        }
    }
}

fn member<'o>(object: &'o mut Map<String, Value>, name: &str) -> Option<&'o mut Value> {
    object
        .iter_mut()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The attributes of a body, or of a PATCH value without a path.
fn resource(rt: &ResourceType, object: &mut Map<String, Value>, asked: &mut Asked<'_>) {
    object.retain(|key, value| {
        if let (Some(schema), Value::Object(inner)) = (rt.extension(key), &mut *value) {
            container(rt, schema, inner, asked);
            return true;
        }
        if rt.attr(key).is_some() {
            return !attribute(rt, key, value, asked);
        }
        // an old or misspelled URN, which validation may still know: the attribute's name must do
        if let (true, Value::Object(inner)) = (key.contains(':'), value) {
            inner.retain(|name, value| !attribute(rt, name, value, asked));
        }
        true
    });
}

fn container(
    rt: &ResourceType,
    schema: &Schema,
    object: &mut Map<String, Value>,
    asked: &mut Asked<'_>,
) {
    object.retain(|name, value| !attribute(rt, &format!("{}:{name}", schema.id), value, asked));
}

/// One attribute's value; whether it is to go.
fn attribute(rt: &ResourceType, path: &str, value: &mut Value, asked: &mut Asked<'_>) -> bool {
    is_reference(rt, path) && reference(value, asked)
}

/// Whether ids of resources stand at this path.
fn is_reference(rt: &ResourceType, path: &str) -> bool {
    rt.attr(path).is_some_and(|attr| {
        let part = attr
            .sub
            .as_ref()
            .is_none_or(|sub| PARTS.iter().any(|part| sub.name.eq_ignore_ascii_case(part)));
        part && refers(&attr.def)
    })
}

/// Whether an attribute's values are resources of ours.
fn refers(def: &AttributeDef) -> bool {
    if def.derived || def.mutability == Mutability::ReadOnly {
        return false;
    }
    let to_resource = |def: &AttributeDef| {
        def.attribute_type == Type::Reference
            && def
                .reference_types
                .iter()
                .any(|kind| kind != "external" && kind != "uri")
    };
    to_resource(def)
        || (def.sub("value").is_some() && def.sub("$ref").is_some_and(|sub| to_resource(sub)))
}

/// A reference's value in any form a client may send it; whether it is to go.
fn reference(value: &mut Value, asked: &mut Asked<'_>) -> bool {
    match value {
        Value::String(text) => text_reference(text, asked),
        Value::Array(elements) => {
            elements.retain_mut(|element| !reference(element, asked));
            false
        }
        Value::Object(object) => {
            let mut goes = false;
            for (key, value) in object.iter_mut() {
                if let (true, Value::String(text)) = (
                    PARTS.iter().any(|part| key.eq_ignore_ascii_case(part)),
                    value,
                ) {
                    goes |= text_reference(text, asked);
                }
            }
            goes
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `bulkId:x`, or a URI that ends in `/bulkId:x`.
fn text_reference(text: &mut String, asked: &mut Asked<'_>) -> bool {
    let tail = if bulk_id(text).is_some() {
        0
    } else {
        text.rfind('/').map_or(0, |slash| slash + 1)
    };
    let Some(name) = text.get(tail..).and_then(bulk_id) else {
        return false;
    };
    match asked(name) {
        Found::Keep => false,
        Found::Drop => true,
        Found::Put(id) => {
            text.truncate(tail);
            text.push_str(&id);
            false
        }
    }
}

fn patch_operation(rt: &ResourceType, operation: &mut Value, asked: &mut Asked<'_>) {
    let Value::Object(object) = operation else {
        return;
    };
    let path = match member(object, "path") {
        Some(Value::String(path)) => {
            let (head, sub) = around_filter(path);
            let place = format!("{head}{sub}");
            if is_reference(rt, &place) {
                *path = filtered(path, asked);
            }
            Some(place)
        }
        _ => None,
    };
    let Some(value) = member(object, "value") else {
        return;
    };
    match (path, value) {
        (None, Value::Object(inner)) => resource(rt, inner, asked),
        (Some(path), Value::Object(inner)) if path.eq_ignore_ascii_case(&rt.schema.id) => {
            resource(rt, inner, asked);
        }
        (Some(path), value) => match (rt.extension(&path), value) {
            (Some(schema), Value::Object(inner)) => container(rt, schema, inner, asked),
            (_, value) => {
                if attribute(rt, &path, value, asked) {
                    *value = Value::Null;
                }
            }
        },
        (None, _) => {}
    }
}

/// `members[value eq "x"].value` → `members`, `.value`.
fn around_filter(path: &str) -> (&str, &str) {
    match (path.find('['), path.rfind(']')) {
        (Some(open), Some(close)) if open < close => (
            path.get(..open).unwrap_or(path),
            path.get(close + 1..).unwrap_or_default(),
        ),
        _ => (path, ""),
    }
}

/// The path with the references among its quoted strings replaced.
fn filtered(path: &str, asked: &mut Asked<'_>) -> String {
    let mut out = String::with_capacity(path.len() + 32);
    let mut rest = path;
    while let Some(open) = rest.find('"') {
        let (before, quoted) = rest.split_at(open);
        let mut escaped = false;
        let close = quoted.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let Some((close, _)) = close else { break };
        let (literal, after) = quoted.split_at(close + 1);
        out.push_str(before);
        let id = serde_json::from_str::<String>(literal)
            .ok()
            .and_then(|text| match asked(bulk_id(&text)?) {
                Found::Put(id) => Some(id),
                Found::Keep | Found::Drop => None,
            });
        match id {
            Some(id) => out.push_str(&Value::from(id).to_string()),
            None => out.push_str(literal),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::Registry;

    const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn resolved(kind: &str, shape: Shape, mut body: Value) -> Value {
        let registry = Registry::builtin().unwrap();
        let rt = registry.resource_type(kind).unwrap();
        visit(rt, shape, &mut body, &mut |name| {
            Found::Put(format!("id-{name}"))
        });
        body
    }

    #[test]
    fn references_are_replaced_where_the_schema_has_references() {
        assert_eq!(
            resolved(
                "Group",
                Shape::Resource,
                json!({"displayName": "bulkId:u", "members": [{"value": "bulkId:u", "display": "bulkId:u"}, {"value": "x"}]})
            ),
            json!({"displayName": "bulkId:u", "members": [{"value": "id-u", "display": "bulkId:u"}, {"value": "x"}]})
        );
        for manager in [
            json!({"value": "bulkId:m"}),
            json!({"$ref": "../Users/bulkId:m"}),
            json!("bulkid:m"),
            json!({"managerId": "bulkId:m"}),
        ] {
            let text = resolved(
                "User",
                Shape::Resource,
                json!({"title": "bulkId:m", ENT: {"manager": manager, "department": "bulkId:m"}}),
            )
            .to_string();
            assert_eq!(
                (
                    text.matches("id-m").count(),
                    text.matches("bulkId:m").count()
                ),
                (1, 2),
                "{text}"
            );
        }
    }

    #[test]
    fn references_in_patches_are_replaced_in_values_and_filters() {
        for (kind, operation) in [
            (
                "Group",
                json!({"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]}),
            ),
            (
                "Group",
                json!({"op": "add", "value": {"members": [{"value": "bulkId:u"}]}}),
            ),
            (
                "Group",
                json!({"op": "remove", "path": "members[value eq \"bulkId:u\"]"}),
            ),
            (
                "User",
                json!({"op": "replace", "path": format!("{ENT}:manager"), "value": {"value": "bulkId:u"}}),
            ),
            (
                "User",
                json!({"op": "replace", "path": format!("{ENT}:manager.value"), "value": "bulkId:u"}),
            ),
            (
                "User",
                json!({"op": "replace", "path": ENT, "value": {"manager": {"value": "bulkId:u"}}}),
            ),
            (
                "User",
                json!({"op": "replace", "value": {format!("{ENT}:manager.value"): "bulkId:u"}}),
            ),
            (
                "User",
                json!({"op": "replace", "value": {ENT: {"manager": "bulkId:u"}}}),
            ),
        ] {
            let text = resolved(kind, Shape::Patch, json!({"Operations": [operation]})).to_string();
            assert!(text.contains("id-u") && !text.contains("bulkId:"), "{text}");
        }
        let text =
            json!({"Operations": [{"op": "replace", "path": "displayName", "value": "bulkId:u"}]});
        assert_eq!(resolved("Group", Shape::Patch, text.clone()), text);
    }

    #[test]
    fn a_value_whose_reference_is_dropped_goes_whole() {
        let registry = Registry::builtin().unwrap();
        let mut body =
            json!({"userName": "a", ENT: {"manager": {"value": "bulkId:m"}, "department": "d"}});
        visit(
            registry.resource_type("User").unwrap(),
            Shape::Resource,
            &mut body,
            &mut |_| Found::Drop,
        );
        assert_eq!(body, json!({"userName": "a", ENT: {"department": "d"}}));
    }
}
