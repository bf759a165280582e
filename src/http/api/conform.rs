//! Whether a JSON value is what a schema of the OpenAPI document says; every difference at once, with its JSON pointer.
//!
//! The part of JSON Schema 2020-12 that the document uses: types, `properties`, `required`, `additionalProperties:
//! false`, `enum`, bounds, `items`, `oneOf`/`anyOf`/`allOf`, `$ref`, and the formats `uuid`, `date` and `date-time`. The
//! document and the reader of bodies and queries agree because they are the same schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::clock::Instant;

/// The named schemas that `$ref` points to.
pub type Components = BTreeMap<String, Value>;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub pointer: String,
    pub code: &'static str,
    pub detail: String,
}

/// How many errors are told.
const TOLD: usize = 100;
/// How deep schemas may refer to each other.
const DEPTH: usize = 32;

/// What is wrong with a value; empty when it conforms.
#[must_use]
pub fn check(schema: &Value, value: &Value, components: &Components) -> Vec<FieldError> {
    let mut check = Check {
        components,
        errors: Vec::new(),
    };
    check.value(schema, value, "", 0);
    check.errors
}

struct Check<'a> {
    components: &'a Components,
    errors: Vec<FieldError>,
}

impl<'a> Check<'a> {
    fn refuse(&mut self, pointer: &str, code: &'static str, detail: String) {
        if self.errors.len() < TOLD {
            self.errors.push(FieldError {
                pointer: pointer.to_owned(),
                code,
                detail,
            });
        }
    }

    fn value(&mut self, schema: &'a Value, value: &Value, pointer: &str, depth: usize) {
        let Some(schema) = schema.as_object() else {
            return;
        };
        if depth > DEPTH {
            return;
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            if let Some(found) = self.components.get(name) {
                self.value(found, value, pointer, depth + 1);
            }
        }
        for part in alternatives(schema, "allOf") {
            self.value(part, value, pointer, depth + 1);
        }
        for word in ["oneOf", "anyOf"] {
            self.one_of(alternatives(schema, word), value, pointer, depth);
        }
        if !self.is_of_type(schema, value, pointer) {
            return;
        }
        if let Some(list) = schema.get("enum").and_then(Value::as_array)
            && !list.contains(value)
        {
            let known: Vec<String> = list.iter().map(|one| format!("`{}`", plain(one))).collect();
            self.refuse(
                pointer,
                "unknown_value",
                format!("`{}` is none of {}", plain(value), known.join(", ")),
            );
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, pointer, depth),
            Value::Array(items) => self.array(schema, items, pointer, depth),
            Value::String(text) => self.text(schema, text, pointer),
            Value::Number(number) => self.number(schema, number.as_f64(), pointer),
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// The value must be one of several; what is wrong with the likeliest of them is told.
    fn one_of(&mut self, list: &'a [Value], value: &Value, pointer: &str, depth: usize) {
        let mut best: Option<Vec<FieldError>> = None;
        for schema in list {
            let mut inner = Check {
                components: self.components,
                errors: Vec::new(),
            };
            inner.value(schema, value, pointer, depth + 1);
            if inner.errors.is_empty() {
                return;
            }
            let null = schema.get("type").and_then(Value::as_str) == Some("null");
            let better = |before: &Vec<FieldError>| {
                likeness(&inner.errors, pointer) > likeness(before, pointer)
            };
            if best.as_ref().is_none_or(better)
                || (!null && best.as_ref().is_some_and(|b| b.is_empty()))
            {
                best = Some(inner.errors);
            }
        }
        for error in best.unwrap_or_default() {
            self.refuse(&error.pointer, error.code, error.detail);
        }
    }

    fn is_of_type(&mut self, schema: &Map<String, Value>, value: &Value, pointer: &str) -> bool {
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let is = |name: &&str| match *name {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => true,
        };
        if types.iter().any(is) {
            return true;
        }
        let wanted: Vec<&str> = types.iter().map(|name| spoken(name)).collect();
        self.refuse(
            pointer,
            "wrong_type",
            format!("this must be {}, not {}", wanted.join(" or "), kind(value)),
        );
        false
    }

    fn object(
        &mut self,
        schema: &'a Map<String, Value>,
        fields: &Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for name in alternatives(schema, "required")
            .iter()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(name) {
                self.refuse(
                    &format!("{pointer}/{}", escaped(name)),
                    "required",
                    format!("`{name}` is missing"),
                );
            }
        }
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in fields {
            let at = format!("{pointer}/{}", escaped(name));
            match properties.and_then(|list| list.get(name)) {
                Some(inner) => self.value(inner, value, &at, depth + 1),
                None if closed => {
                    let known = properties
                        .into_iter()
                        .flat_map(Map::keys)
                        .map(String::as_str);
                    let detail = unknown("field", name, known);
                    self.refuse(&at, "unknown_field", detail);
                }
                None => {
                    if let Some(rest @ Value::Object(_)) = schema.get("additionalProperties") {
                        self.value(rest, value, &at, depth + 1);
                    }
                }
            }
        }
    }

    fn array(
        &mut self,
        schema: &'a Map<String, Value>,
        items: &[Value],
        pointer: &str,
        depth: usize,
    ) {
        let (least, most) = (bound(schema, "minItems"), bound(schema, "maxItems"));
        self.between(items.len(), least, most, pointer, "entries");
        if let Some(inner) = schema.get("items") {
            for (n, item) in items.iter().enumerate() {
                self.value(inner, item, &format!("{pointer}/{n}"), depth + 1);
                if self.errors.len() >= TOLD {
                    return;
                }
            }
        }
    }

    fn text(&mut self, schema: &Map<String, Value>, text: &str, pointer: &str) {
        let (least, most) = (bound(schema, "minLength"), bound(schema, "maxLength"));
        self.between(text.chars().count(), least, most, pointer, "characters");
        let (good, wanted) = match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => (
                is_uuid(text),
                "an id such as `0199a2c4-0000-7000-8000-000000000000`",
            ),
            Some("date") => (
                text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
                "a date such as `2026-03-31`",
            ),
            Some("date-time") => (
                instant(text).is_some(),
                "an instant such as `2026-03-31T12:00:00Z`",
            ),
            _ => (true, ""),
        };
        if !good {
            self.refuse(pointer, "malformed", format!("`{text}` is not {wanted}"));
        }
        if text.contains('\0') {
            self.refuse(pointer, "malformed", "a text cannot hold U+0000".to_owned());
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: Option<f64>, pointer: &str) {
        let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
        let Some(number) = number else { return };
        let (least, most) = (limit("minimum"), limit("maximum"));
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let detail = match (least, most) {
                (Some(least), Some(most)) => format!("{number} is not from {least} to {most}"),
                (Some(least), None) => format!("{number} is less than {least}"),
                (_, most) => format!("{number} is more than {}", most.unwrap_or_default()),
            };
            self.refuse(pointer, "out_of_range", detail);
        }
    }

    fn between(
        &mut self,
        count: usize,
        least: Option<usize>,
        most: Option<usize>,
        pointer: &str,
        what: &str,
    ) {
        if least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most) {
            let detail = match (least, most) {
                (Some(least), Some(most)) => {
                    format!("this has {least} to {most} {what}, not {count}")
                }
                (Some(least), None) => format!("this has at least {least} {what}"),
                (_, most) => format!(
                    "this has at most {} {what}, not {count}",
                    most.unwrap_or_default()
                ),
            };
            self.refuse(pointer, "out_of_range", detail);
        }
    }
}

/// How near a refused alternative came: one that differs inside the value is nearer than one of another type.
fn likeness(errors: &[FieldError], pointer: &str) -> i64 {
    let inside = errors
        .iter()
        .all(|error| !(error.pointer == pointer && error.code == "wrong_type"));
    i64::from(inside) * 1000 - i64::try_from(errors.len()).unwrap_or(i64::MAX)
}

fn alternatives<'a>(schema: &'a Map<String, Value>, word: &str) -> &'a [Value] {
    schema
        .get(word)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn bound(schema: &Map<String, Value>, name: &str) -> Option<usize> {
    schema
        .get(name)
        .and_then(Value::as_u64)
        .and_then(|n| usize::try_from(n).ok())
}

/// Ids are read in their one spelling: lower case with hyphens.
fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.as_hyphenated().to_string() == text)
}

/// An instant with its zone (A1: RFC 3339).
#[must_use]
pub fn instant(text: &str) -> Option<Instant> {
    chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Instant::parse(text)
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn spoken(name: &str) -> &str {
    match name {
        "object" => "an object",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        other => other,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction or too many digits",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The sentence about a name nobody knows, with the one that was probably meant.
pub fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = known
        .iter()
        .map(|other| (distance(name, other), other))
        .min()
        .filter(|(distance, other)| *distance <= other.chars().count().div_ceil(3).max(1));
    let name: String = name.chars().take(64).collect();
    match (near, known.is_empty()) {
        (Some((_, near)), _) => format!("there is no {what} `{name}`; is `{near}` meant?"),
        (None, true) => format!("there is no {what} `{name}`; none is known here"),
        (None, false) => format!(
            "there is no {what} `{name}`; here are: {}",
            known.join(", ")
        ),
    }
}

/// The edit distance without regard to letter case; names longer than ours are far.
fn distance(typed: &str, name: &str) -> usize {
    if typed.len() > 64 {
        return usize::MAX;
    }
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (n, one) in typed.to_lowercase().chars().enumerate() {
        let mut diagonal = n;
        let mut left = n + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&name) {
            let best = (diagonal + usize::from(one != *other))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn codes(schema: &Value, value: &Value) -> Vec<(String, &'static str)> {
        let components = Components::from([(
            "Due".to_owned(),
            json!({"oneOf": [
                {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["none"]}}, "additionalProperties": false},
                {"type": "object", "required": ["kind", "days"], "properties": {"kind": {"type": "string", "enum": ["relative"]}, "days": {"type": "integer", "minimum": 1}}, "additionalProperties": false},
            ]}),
        )]);
        check(schema, value, &components)
            .into_iter()
            .map(|error| (error.pointer, error.code))
            .collect()
    }

    #[test]
    fn every_difference_is_told_at_once_with_its_pointer() {
        let schema = json!({
            "type": "object", "required": ["name", "size"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string", "maxLength": 3},
                "size": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
                "kind": {"type": "string", "enum": ["a", "b"]},
                "on": {"type": "string", "format": "date"},
                "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}},
            },
        });
        assert_eq!(codes(&schema, &json!({"name": "abc", "size": null})), []);
        assert_eq!(
            codes(
                &schema,
                &json!({"nam": "x", "size": 10, "kind": "c", "on": "2026-02-30", "ids": ["x", 7]})
            ),
            [
                ("/name".to_owned(), "required"),
                ("/nam".to_owned(), "unknown_field"),
                ("/size".to_owned(), "out_of_range"),
                ("/kind".to_owned(), "unknown_value"),
                ("/on".to_owned(), "malformed"),
                ("/ids/0".to_owned(), "malformed"),
                ("/ids/1".to_owned(), "wrong_type"),
            ]
        );
        assert_eq!(codes(&schema, &json!([])), [(String::new(), "wrong_type")]);
    }

    #[test]
    fn one_of_several_is_measured_by_the_nearest() {
        let schema = json!({"$ref": "#/components/schemas/Due"});
        assert_eq!(codes(&schema, &json!({"kind": "none"})), []);
        assert_eq!(codes(&schema, &json!({"kind": "relative", "days": 3})), []);
        assert_eq!(
            codes(&schema, &json!({"kind": "relative", "days": 0})),
            [("/days".to_owned(), "out_of_range")]
        );
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let known = ["limit", "cursor", "q"];
        assert!(unknown("parameter", "limt", known.into_iter()).contains("is `limit` meant"));
        assert!(
            unknown("parameter", "colour", known.into_iter())
                .contains("here are: limit, cursor, q")
        );
    }
}
