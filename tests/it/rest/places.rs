//! The places of a request where something of a tenant can be named: its path, its parameters, its body. Found in the
//! OpenAPI document, so that a new route, parameter or field is among them.

use rollcall::http::api::openapi::DOCUMENT;

use super::walk::{Operation, Site};
use crate::harness::{Client, Reply, Value, json};

/// An id that nothing ever had.
pub const NEVER: &str = "01a20000-0000-7000-8000-00000000abcd";
/// A name that nobody ever had.
pub const NOBODY: &str = "nobody-ever@nowhere.test";

/// One place.
#[derive(Clone, Debug)]
pub enum Place {
    /// A part of the path, which may hold a thing of one kind.
    Path(String),
    /// A parameter; whether it takes ids alone.
    Query { name: String, only_ids: bool },
    /// An id in the body, by its JSON pointer, and which of a tenant's ids stands there.
    Id { pointer: String, which: usize },
    /// A field of ids that the example leaves out.
    Field(String),
    /// A person in the body, who can be named by this, too.
    Person { pointer: String, by: &'static str },
}

/// A request before it is sent.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    template: String,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl Asked {
    /// An operation with a tenant's own things in every place.
    pub fn of(operation: &Operation, site: &Site) -> Self {
        let parameters = |kind: &'static str| {
            operation.detail["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default()
                .into_iter()
                .filter(move |one| one["in"] == kind)
        };
        let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
        Self {
            method: operation.method.clone(),
            template: operation.path.clone(),
            path: parameters("path")
                .map(|one| (name(&one), site.id(&operation.path, &name(&one))))
                .collect(),
            query: parameters("query")
                .filter(|one| operation.wants(one))
                .map(|one| {
                    let first = one["schema"]["enum"][0].as_str().map(str::to_owned);
                    let value = first.unwrap_or_else(|| site.id(&operation.path, &name(&one)));
                    (name(&one), value)
                })
                .collect(),
            body: operation.body(site),
        }
    }

    /// The same with something else in a place.
    #[must_use]
    pub fn with(mut self, place: &Place, value: &str) -> Self {
        let set = |list: &mut Vec<(String, String)>, name: &str| {
            list.retain(|(one, _)| one != name);
            list.push((name.to_owned(), value.to_owned()));
        };
        let body = self.body.get_or_insert_with(|| json!({}));
        match place {
            Place::Path(name) => set(&mut self.path, name),
            Place::Query { name, .. } => set(&mut self.query, name),
            Place::Id { pointer, .. } => {
                *body.pointer_mut(pointer).expect("the place") = Value::from(value);
            }
            Place::Field(name) => body[name] = Value::from(value),
            Place::Person { pointer, by } => {
                let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
                if last == "id" {
                    *body.pointer_mut(parent).expect("the place") = json!({ *by: value });
                } else {
                    let whole = body.pointer_mut(parent).and_then(Value::as_object_mut);
                    let whole = whole.expect("an object");
                    whole.remove(last);
                    whole.insert("learner".to_owned(), json!({ *by: value }));
                }
            }
        }
        self
    }

    /// Its address, dry or not.
    pub fn address(&self, dry: bool) -> String {
        let mut address = self.template.clone();
        for (name, value) in &self.path {
            address = address.replace(&format!("{{{name}}}"), value);
        }
        let dry = dry.then(|| "dry_run=true".to_owned());
        let query = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let query: Vec<String> = query.chain(dry).collect();
        if query.is_empty() {
            address
        } else {
            format!("{address}?{}", query.join("&"))
        }
    }

    pub fn send(&self, client: &Client, dry: bool) -> Reply {
        let has_body = self.method != "GET" && self.method != "DELETE";
        let body = self.body.as_ref().filter(|_| has_body);
        let body = body.map(|body| body.to_string().into_bytes());
        client.send(&self.method, &self.address(dry), body.as_deref())
    }
}

/// Every place of an operation whose request is a tenant's own.
pub fn places(operation: &Operation, site: &Site) -> Vec<Place> {
    let mut places = Vec::new();
    for one in operation.detail["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = one["name"].as_str().expect("a name").to_owned();
        let schema = &one["schema"];
        let items = if schema["items"].is_object() {
            &schema["items"]
        } else {
            schema
        };
        let free = items["type"] == "string" && items["enum"].is_null();
        let time = ["date", "date-time"].contains(&items["format"].as_str().unwrap_or_default());
        if one["in"] == "path" {
            places.push(Place::Path(name));
        } else if free && !time && name != "cursor" {
            let only_ids = items["format"] == "uuid";
            places.push(Place::Query { name, only_ids });
        }
    }
    let Some(body) = operation.body(site) else {
        return places;
    };
    let ids = site.ids();
    let mut leaves = Vec::new();
    texts(&body, "", &mut leaves);
    for (pointer, text) in leaves {
        let Some(which) = ids.iter().position(|id| *id == text) else {
            continue;
        };
        if pointer.ends_with("/id") || pointer.ends_with("/learner_id") {
            for by in ["user_name", "email", "external_id"] {
                places.push(Place::Person {
                    pointer: pointer.clone(),
                    by,
                });
            }
        }
        places.push(Place::Id { pointer, which });
    }
    let content = &operation.detail["requestBody"]["content"]["application/json"];
    let name = content["schema"]["$ref"].as_str().expect("a named schema");
    let name = name.rsplit('/').next().unwrap_or_default();
    let fields = &DOCUMENT["components"]["schemas"][name]["properties"];
    for (field, schema) in fields.as_object().into_iter().flatten() {
        if body[field].is_null() && takes_ids(schema) {
            places.push(Place::Field(field.clone()));
        }
    }
    places
}

fn takes_ids(schema: &Value) -> bool {
    let named = schema["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next());
    schema["format"] == "uuid"
        || named.is_some_and(|name| takes_ids(&DOCUMENT["components"]["schemas"][name]))
        || ["oneOf", "anyOf", "allOf"].iter().any(|several| {
            schema[several]
                .as_array()
                .into_iter()
                .flatten()
                .any(takes_ids)
        })
}

fn texts(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((pointer.to_owned(), text.clone())),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                texts(item, &format!("{pointer}/{n}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                texts(field, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// An answer without what differs between any two requests: what was sent, and ids.
pub fn same(reply: &Reply, sent: &[&str]) -> String {
    let mut text = reply.text.clone();
    for value in sent.iter().filter(|value| !value.is_empty()) {
        text = text.replace(value, "SENT");
    }
    let kind = reply.header("content-type");
    format!("{} {kind} {}", reply.status, without_ids(&text))
}

/// A text with `ID` for what is random in it: ids, and digests of them.
fn without_ids(text: &str) -> String {
    let is_id = |part: &str| {
        part.char_indices().all(|(n, c)| match n {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
    };
    let is_digest = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let length = if rest.get(..36).is_some_and(is_id) {
            36
        } else if rest.get(..64).is_some_and(is_digest) {
            64
        } else {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        shown.push_str("ID");
        rest = &rest[length..];
    }
    shown
}
