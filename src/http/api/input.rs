//! Reading a query and a body into the types that describe them in the OpenAPI document.
//!
//! A parameter or field nobody knows is refused with the nearest name, so that a typo does not pass for a filter.

use actix_web::web;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::conform::{self, Components, FieldError};
use super::problem::Failure;

/// A request without parameters.
#[derive(Debug, serde::Deserialize, IntoParams)]
pub struct NoParameters {}

/// For a field that may be absent (`None`), null (`Some(None)`) or there: `#[serde(default, deserialize_with = "present")]`.
pub fn present<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

fn json(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or(Value::Null)
}

/// The schemas a type refers to, by name.
fn components<T: ToSchema>() -> Components {
    let mut list = Vec::new();
    T::schemas(&mut list);
    list.iter()
        .map(|(name, schema)| (name.clone(), json(schema)))
        .collect()
}

/// Reads a query string; the values of a list stand between commas. `also` are parameters read elsewhere.
pub fn query<T: IntoParams + DeserializeOwned>(text: &str, also: &[&str]) -> Result<T, Failure> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
        .map_err(|_| Failure::query("", "malformed", "the query cannot be read".to_owned()))?
        .into_inner();
    let known = T::into_params(|| Some(utoipa::openapi::path::ParameterIn::Query));
    let mut fields = Map::new();
    let mut errors = Vec::new();
    let mut refuse = |name: &str, code, detail| {
        errors.push(FieldError {
            pointer: name.to_owned(),
            code,
            detail,
        });
    };
    for (name, text) in &pairs {
        if also.contains(&name.as_str()) {
            continue;
        }
        let Some(parameter) = known.iter().find(|one| one.name == *name) else {
            let names = known
                .iter()
                .map(|one| one.name.as_str())
                .chain(also.iter().copied());
            refuse(
                name,
                "unknown_parameter",
                conform::unknown("parameter", name, names),
            );
            continue;
        };
        let schema = parameter.schema.as_ref().map_or(Value::Null, json);
        let value = typed(&schema, text);
        for error in conform::check(&schema, &value, &Components::new()) {
            refuse(name, error.code, format!("`{name}`: {}", error.detail));
        }
        if fields.insert(name.clone(), value).is_some() {
            refuse(
                name,
                "repeated",
                format!("the parameter `{name}` stands twice"),
            );
        }
    }
    for parameter in &known {
        if matches!(parameter.required, utoipa::openapi::Required::True)
            && !fields.contains_key(&parameter.name)
        {
            refuse(
                &parameter.name,
                "required",
                format!("the parameter `{}` is missing", parameter.name),
            );
        }
    }
    if !errors.is_empty() {
        return Err(Failure::Query(errors));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        Failure::query(
            "",
            "malformed",
            format!("the query cannot be read: {error}"),
        )
    })
}

/// A parameter's text as the JSON value its schema wants; left as text where it is none.
fn typed(schema: &Value, text: &str) -> Value {
    let wants = |name: &str| match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(list)) => list.iter().any(|one| one == name),
        _ => false,
    };
    let as_text = || Value::String(text.to_owned());
    if wants("integer") {
        text.parse::<i64>().map_or_else(|_| as_text(), Value::from)
    } else if wants("boolean") {
        text.parse::<bool>().map_or_else(|_| as_text(), Value::from)
    } else if wants("array") {
        let inner = schema.get("items").unwrap_or(&Value::Null);
        text.split(',').map(|one| typed(inner, one)).collect()
    } else {
        as_text()
    }
}

/// Reads a JSON body of a type the document describes.
pub fn body<T: ToSchema + DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Failure::NotJson(format!("the body is not JSON: {error}")))?;
    if let Some(name) = twice(bytes) {
        return Err(Failure::NotJson(format!("the body names `{name}` twice")));
    }
    let errors = conform::check(&json(&T::schema()), &value, &components::<T>());
    if !errors.is_empty() {
        return Err(Failure::Body(errors));
    }
    serde_json::from_value(value).map_err(|error| {
        Failure::Body(vec![FieldError {
            pointer: String::new(),
            code: "malformed",
            detail: error.to_string(),
        }])
    })
}

/// A name that stands twice in the outermost object: whoever reads it first must not decide.
fn twice(bytes: &[u8]) -> Option<String> {
    struct Names;
    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = Option<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut seen = std::collections::HashSet::new();
            let mut twice = None;
            while let Some(name) = map.next_key::<String>()? {
                map.next_value::<serde::de::IgnoredAny>()?;
                if !seen.insert(name.clone()) {
                    twice.get_or_insert(name);
                }
            }
            Ok(twice)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde::Deserializer::deserialize_map(&mut deserializer, Names)
        .ok()
        .flatten()
}
