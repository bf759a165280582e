//! What of a resource goes out: `returned` × `attributes` × `excludedAttributes`. RFC 7644 §3.4.2.5, §3.9; rows A-*.
//!
//! A projection decides once, for every attribute of a type; applying it to a document is a walk over that document. Where
//! the request says nothing, nothing needs to be decided: the stored text is the answer.
//! What no schema defines, and what is never returned, has no entry and so cannot leave.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::error::ScimError;
use super::rights::AttributeRights;
use super::schema::{
    Attr, AttributeDef, Mutability, ResourceType, Returned, Schema, is_attribute_name,
};

/// Names in one parameter, and its length (E17).
const MAX_NAMES: usize = 100;
const MAX_LENGTH: usize = 4096;

/// What is shown of one attribute that is shown at all.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Show {
    Whole,
    /// These sub-attributes, in the schema's spelling.
    Parts(HashSet<String>),
}

/// The attributes of a core schema or an extension that are shown.
type Shown = HashMap<String, Show>;

/// The shape of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    asked: Asked,
    /// `None` while the request says nothing and the type stores nothing that is hidden: a stored document goes out as it is.
    decided: Option<Decided>,
}

/// What is shown of every attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decided {
    core: Shown,
    extensions: HashMap<String, Shown>,
}

/// The client's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Only(Selection),
    Except(Selection),
}

impl Projection {
    /// Reads the two parameters; an empty one counts as absent (A-14).
    ///
    /// # Errors
    /// `invalidValue` for both at once (A-06), a malformed name (A-12), too many names (E17).
    pub fn parse(
        rt: &ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, ScimError> {
        let attributes = attributes.filter(|text| !text.trim().is_empty());
        let excluded = excluded.filter(|text| !text.trim().is_empty());
        let asked = match (attributes, excluded) {
            (Some(_), Some(_)) => {
                return Err(ScimError::invalid_value(
                    "attributes and excludedAttributes exclude each other; send one",
                ));
            }
            (Some(text), None) => Asked::Only(Selection::read(rt, "attributes", text)?),
            (None, Some(text)) => Asked::Except(Selection::read(rt, "excludedAttributes", text)?),
            (None, None) => return Ok(Self::standard(rt)),
        };
        Ok(Self {
            decided: Some(Decided::of(rt, &asked)),
            asked,
        })
    }

    /// The shape of a response whose request says nothing about it.
    #[must_use]
    pub fn standard(rt: &ResourceType) -> Self {
        let asked = Asked::Nothing;
        Self {
            decided: hides_stored(rt).then(|| Decided::of(rt, &asked)),
            asked,
        }
    }

    /// The same, and the attributes of `returned: request` which the body of this very write named (M-28).
    #[must_use]
    pub fn with_supplied(mut self, rt: &ResourceType, named: &[String]) -> Self {
        if matches!(self.asked, Asked::Only(_)) {
            return self;
        }
        let mut decided = match self.decided.take() {
            Some(decided) => decided,
            None => Decided::of(rt, &self.asked),
        };
        for attr in named.iter().filter_map(|path| rt.attr(path)) {
            if attr.leaf().returned != Returned::Request || self.excludes(&attr) {
                continue;
            }
            let shown = match &attr.extension {
                Some(schema) => decided.extensions.entry(schema.id.clone()).or_default(),
                None => &mut decided.core,
            };
            match &attr.sub {
                None => {
                    shown.insert(attr.def.name.clone(), default_parts(&attr.def));
                }
                Some(sub) => {
                    if let Some(Show::Parts(parts)) = shown.get_mut(&attr.def.name) {
                        parts.insert(sub.name.clone());
                    }
                }
            }
        }
        self.decided = Some(decided);
        self
    }

    /// The same without what this client may not read (SE-11, AU-08).
    #[must_use]
    pub fn within(mut self, rt: &ResourceType, rights: Option<&AttributeRights>) -> Self {
        let Some(rights) = rights.filter(|rights| rights.readable.is_some()) else {
            return self;
        };
        let mut decided = match self.decided.take() {
            Some(decided) => decided,
            None => Decided::of(rt, &self.asked),
        };
        decided.core.retain(|name, _| {
            rt.core_attribute(name)
                .is_some_and(|def| rights.may_read(rt, None, def))
        });
        for extension in &rt.extensions {
            let schema = extension.schema.as_ref();
            if let Some(shown) = decided.extensions.get_mut(&schema.id) {
                shown.retain(|name, _| {
                    let def = schema.attribute(name);
                    def.is_some_and(|def| rights.may_read(rt, Some(schema), def))
                });
            }
        }
        self.decided = Some(decided);
        self
    }

    fn excludes(&self, attr: &Attr) -> bool {
        let Asked::Except(names) = &self.asked else {
            return false;
        };
        match (names.find(attr.extension.as_deref(), &attr.def), &attr.sub) {
            (None, _) => false,
            (Some(Named::Whole { .. }), _) => true,
            (Some(Named::Parts(parts)), Some(sub)) => parts.contains(&sub.name),
            (Some(Named::Parts(_)), None) => false,
        }
    }

    /// Whether the request says nothing about the shape.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self.asked, Asked::Nothing)
    }

    /// Whether the request says nothing and the type stores nothing that is hidden, so that the stored text can go out
    /// as it is.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        self.decided.is_none()
    }

    /// Whether anything of a core attribute (`members`, `groups`, `meta`) or of one of the extension `urn` is shown. The
    /// names are in the schema's spelling.
    #[must_use]
    pub fn wants(&self, rt: &ResourceType, urn: Option<&str>, name: &str) -> bool {
        match (&self.decided, urn) {
            (Some(decided), Some(urn)) => decided
                .extensions
                .get(urn)
                .is_some_and(|shown| shown.contains_key(name)),
            (Some(decided), None) => decided.core.contains_key(name),
            (None, _) => {
                let defs = match urn {
                    Some(urn) => rt.extension(urn).map(|schema| &schema.attributes),
                    None => Some(&rt.schema.attributes),
                };
                let common = rt.common.iter().filter(|_| urn.is_none());
                defs.into_iter()
                    .flatten()
                    .chain(common)
                    .find(|def| def.name == name)
                    .is_some_and(|def| goes_out(def))
            }
        }
    }

    /// Whether a sub-attribute of a core attribute is shown; both names in the schema's spelling.
    #[must_use]
    pub fn wants_part(&self, rt: &ResourceType, name: &str, part: &str) -> bool {
        let Some(decided) = &self.decided else {
            return rt
                .attr(&format!("{name}.{part}"))
                .is_some_and(|attr| goes_out(&attr.def) && goes_out(attr.leaf()));
        };
        match decided.core.get(name) {
            Some(Show::Whole) => true,
            Some(Show::Parts(parts)) => parts.contains(part),
            None => false,
        }
    }

    /// The document as the client wants it; `id`, `schemas` and `meta` are part of the document given.
    #[must_use]
    pub fn apply(&self, rt: &ResourceType, document: &Map<String, Value>) -> Map<String, Value> {
        let standard;
        let decided = match &self.decided {
            Some(decided) => decided,
            None => {
                standard = Decided::of(rt, &self.asked);
                &standard
            }
        };
        let mut out = Map::with_capacity(document.len());
        for (name, value) in document {
            let value = match decided.core.get(name) {
                Some(show) => show.apply(value),
                None => decided.apply_extension(rt, name, value),
            };
            out.extend(value.map(|value| (name.clone(), value)));
        }
        out
    }
}

/// Whether an attribute goes out to who asks for nothing.
const fn goes_out(def: &AttributeDef) -> bool {
    matches!(def.returned, Returned::Always | Returned::Default)
}

impl Decided {
    fn apply_extension(&self, rt: &ResourceType, urn: &str, value: &Value) -> Option<Value> {
        let schema = rt.extension(urn)?;
        let shown = self.extensions.get(&schema.id)?;
        let container = value.as_object()?;
        let kept: Map<String, Value> = container
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), shown.get(name)?.apply(value)?)))
            .collect();
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn of(rt: &ResourceType, asked: &Asked) -> Self {
        let shown =
            |extension: Option<&Schema>, defs: &mut dyn Iterator<Item = &AttributeDef>| -> Shown {
                defs.filter_map(|def| Some((def.name.clone(), decide(asked, extension, def)?)))
                    .collect()
            };
        let core = shown(
            None,
            &mut rt
                .common
                .iter()
                .chain(&rt.schema.attributes)
                .map(AsRef::as_ref),
        );
        let extensions = rt
            .extensions
            .iter()
            .map(|extension| {
                let schema = extension.schema.as_ref();
                (
                    schema.id.clone(),
                    shown(
                        Some(schema),
                        &mut schema.attributes.iter().map(AsRef::as_ref),
                    ),
                )
            })
            .collect();
        Self { core, extensions }
    }
}

impl Show {
    /// The visible part of a value; `None` when nothing of it is left (A-10).
    fn apply(&self, value: &Value) -> Option<Value> {
        let Self::Parts(parts) = self else {
            return Some(value.clone());
        };
        let pick = |object: &Map<String, Value>| -> Option<Value> {
            let kept: Map<String, Value> = object
                .iter()
                .filter(|(name, _)| parts.contains(*name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        };
        match value {
            Value::Object(object) => pick(object),
            Value::Array(elements) => {
                let kept: Vec<Value> = elements
                    .iter()
                    .filter_map(|element| pick(element.as_object()?))
                    .collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            other => Some(other.clone()),
        }
    }
}

/// What one attribute shows, all characteristics considered; `None` hides it.
fn decide(asked: &Asked, extension: Option<&Schema>, def: &AttributeDef) -> Option<Show> {
    let named = match asked {
        Asked::Nothing => None,
        Asked::Only(names) | Asked::Except(names) => names.find(extension, def),
    };
    let always = def.returned == Returned::Always;
    match (def.returned, asked, named) {
        (Returned::Never, _, _) => None,
        (_, Asked::Only(_), Some(Named::Whole { also })) => Some(parts_where(def, |sub| {
            sub.returned != Returned::Request || also.contains(&sub.name)
        })),
        (_, Asked::Only(_), Some(Named::Parts(parts))) => Some(parts_where(def, |sub| {
            always || sub.returned == Returned::Always || parts.contains(&sub.name)
        })),
        (_, Asked::Only(_), None) if !always => None,
        (_, Asked::Except(_), Some(Named::Whole { .. })) if !always => None,
        (Returned::Request, _, _) => None,
        (_, Asked::Except(_), Some(Named::Parts(parts))) => Some(parts_where(def, |sub| {
            sub.returned == Returned::Always
                || (sub.returned == Returned::Default && !parts.contains(&sub.name))
        })),
        _ => Some(default_parts(def)),
    }
}

/// Whether a stored document may hold what an answer does not show by itself: `returned` is `never` or `request`.
/// What the server computes or throws away is in no document.
fn hides_stored(rt: &ResourceType) -> bool {
    let stored = |def: &AttributeDef| {
        !def.derived
            && !def.detached
            && !matches!(def.mutability, Mutability::ReadOnly | Mutability::WriteOnly)
    };
    let hidden = |def: &AttributeDef| {
        stored(def) && matches!(def.returned, Returned::Never | Returned::Request)
    };
    let extensions = rt.extensions.iter().flat_map(|one| &one.schema.attributes);
    rt.schema
        .attributes
        .iter()
        .chain(extensions)
        .any(|def| hidden(def) || (stored(def) && def.sub_attributes.iter().any(|sub| hidden(sub))))
}

fn default_parts(def: &AttributeDef) -> Show {
    parts_where(def, |sub| sub.returned != Returned::Request)
}

/// The sub-attributes that pass; what is never returned does not (A-05, A-18).
fn parts_where(def: &AttributeDef, pass: impl Fn(&AttributeDef) -> bool) -> Show {
    let passes = |sub: &AttributeDef| sub.returned != Returned::Never && pass(sub);
    if def.sub_attributes.iter().all(|sub| passes(sub)) {
        return Show::Whole;
    }
    Show::Parts(
        def.sub_attributes
            .iter()
            .filter(|sub| passes(sub))
            .map(|sub| sub.name.clone())
            .collect(),
    )
}

/// The attributes a parameter names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Selection {
    /// URNs named as a whole (A-11), `""` for the core schema.
    schemas: HashSet<String>,
    /// By URN (`""` for core and common attributes) and name.
    attributes: HashMap<(String, String), Named>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// The attribute itself, and perhaps some of its sub-attributes too (A-09).
    Whole { also: HashSet<String> },
    /// These sub-attributes only (A-08).
    Parts(HashSet<String>),
}

impl Selection {
    fn read(rt: &ResourceType, parameter: &str, text: &str) -> Result<Self, ScimError> {
        let too_many = || {
            ScimError::invalid_value(format!(
                "{parameter} takes at most {MAX_NAMES} names in {MAX_LENGTH} characters"
            ))
        };
        if text.len() > MAX_LENGTH {
            return Err(too_many());
        }
        let mut selection = Self::default();
        for (position, name) in split(text).filter(|name| !name.is_empty()).enumerate() {
            if position >= MAX_NAMES {
                return Err(too_many());
            }
            let malformed = || {
                ScimError::invalid_value(format!("{parameter}: `{name}` is not an attribute name"))
            };
            let name = without_filter(name).ok_or_else(malformed)?;
            selection.add(rt, &name).ok_or_else(malformed)?;
        }
        Ok(selection)
    }

    /// Adds one name; an unknown one selects nothing (A-12). `None` when it is no name at all.
    fn add(&mut self, rt: &ResourceType, name: &str) -> Option<()> {
        if let Some(schema) = rt.schema_of(name) {
            let urn = if schema.id == rt.schema.id {
                String::new()
            } else {
                schema.id.clone()
            };
            self.schemas.insert(urn);
            return Some(());
        }
        // of a URN nobody knows, only the end is checked
        let (_, rest) = rt.split_urn(name);
        let bare = rest.rsplit(':').next().unwrap_or(rest);
        let part_of_urn = rest.contains(':')
            && bare
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-$".contains(c));
        let mut parts = bare.split('.');
        let well_formed = parts.clone().count() <= 2 && parts.all(is_attribute_name);
        if !(well_formed || part_of_urn) {
            return None;
        }
        let Some(attr) = rt.attr(name) else {
            return Some(());
        };
        let urn = attr
            .extension
            .as_ref()
            .map(|schema| schema.id.clone())
            .unwrap_or_default();
        let entry = self
            .attributes
            .entry((urn, attr.def.name.clone()))
            .or_insert_with(|| Named::Parts(HashSet::new()));
        match (attr.sub, entry) {
            (Some(sub), Named::Whole { also: names } | Named::Parts(names)) => {
                names.insert(sub.name.clone());
            }
            (None, entry) => {
                if let Named::Parts(names) = entry {
                    *entry = Named::Whole {
                        also: std::mem::take(names),
                    };
                }
            }
        }
        Some(())
    }

    fn find(&self, extension: Option<&Schema>, def: &AttributeDef) -> Option<Named> {
        let urn = extension.map_or("", |schema| schema.id.as_str());
        let named = self.attributes.get(&(urn.to_owned(), def.name.clone()));
        if self.schemas.contains(urn) {
            let also = match named {
                Some(Named::Whole { also: names } | Named::Parts(names)) => names.clone(),
                None => HashSet::new(),
            };
            return Some(Named::Whole { also });
        }
        named.cloned()
    }
}

/// Splits at commas outside brackets and strings.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    text.split(move |c: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if in_string => escaped = true,
            '"' if depth > 0 => in_string = !in_string,
            '[' if !in_string => depth += 1,
            ']' if !in_string => depth = depth.saturating_sub(1),
            ',' => return depth == 0,
            _ => {}
        }
        false
    })
    .map(str::trim)
}

/// `emails[type eq "work"].value` → `emails.value` (A-13). `None` when the bracket does not end.
fn without_filter(name: &str) -> Option<String> {
    let Some((head, rest)) = name.split_once('[') else {
        return Some(name.to_owned());
    };
    let (_, tail) = rest.rsplit_once(']')?;
    Some(format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::error::ScimErrorKind;
    use crate::scim::schema::Registry;

    const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    const LEARNER: &str = "urn:rollcall:params:scim:schemas:extension:learner:2.0:User";
    const CUSTOM: &str = r#"{"id":"urn:x:1:User","name":"X","rollcall":{"extends":"User"},"attributes":[
        {"name":"badge","returned":"request"},
        {"name":"box","type":"complex","subAttributes":[
            {"name":"label"},{"name":"key","returned":"never"},{"name":"tag","returned":"always"},{"name":"size","returned":"request"}]}]}"#;

    fn user() -> ResourceType {
        let mut registry = Registry::builtin().unwrap();
        registry.add("x.json", CUSTOM).unwrap();
        registry.resource_type("User").unwrap().as_ref().clone()
    }

    fn document() -> Map<String, Value> {
        let document = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENT, LEARNER, "urn:x:1:User"],
            "userName": "ada", "name": {"givenName": "Ada", "familyName": "Okafor"}, "password": "secret", "unheard": 1,
            "emails": [{"value": "a@x.test", "type": "work"}, {"value": "b@x.test"}],
            ENT: {"department": "Ops", "manager": {"value": "u3", "displayName": "Chloe"}},
            LEARNER: {"approval": "approved", "enrollments": {"total": 2}},
            "urn:x:1:User": {"badge": "7", "box": {"label": "l", "key": "k", "tag": "t", "size": "s"}},
            "id": "u1", "groups": [{"value": "g1"}],
            "meta": {"resourceType": "User", "version": "W/\"1\"", "lastModified": "2026-01-01T00:00:00.000Z"},
        });
        document.as_object().unwrap().clone()
    }

    fn shown(attributes: &str, excluded: &str) -> Value {
        let rt = user();
        Value::Object(
            Projection::parse(&rt, Some(attributes), Some(excluded))
                .unwrap()
                .apply(&rt, &document()),
        )
    }

    fn keys(value: &Value) -> Vec<&str> {
        let mut keys: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn attributes_replace_the_default_set() {
        let cases: [(&str, &[&str]); 13] = [
            ("userName", &["id", "schemas", "userName"]),
            ("USERNAME", &["id", "schemas", "userName"]),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName",
                &["id", "schemas", "userName"],
            ),
            ("nosuch", &["id", "schemas"]),
            ("password", &["id", "schemas"]),
            ("urn:no:body:1:User", &["id", "schemas"]),
            ("userName,, name ,", &["id", "name", "schemas", "userName"]),
            ("groups", &["groups", "id", "schemas"]),
            (ENT, &["id", "schemas", ENT]),
            (
                "urn:IETF:params:scim:schemas:extension:enterprise:2.0:user:DEPARTMENT",
                &["id", "schemas", ENT],
            ),
            ("department", &["id", "schemas", ENT]),
            ("emails[type eq \"a,b\"]", &["emails", "id", "schemas"]),
            ("badge", &["id", "schemas", "urn:x:1:User"]),
        ];
        for (attributes, expected) in cases {
            assert_eq!(keys(&shown(attributes, "")), expected, "{attributes}");
        }
    }

    #[test]
    fn sub_attributes_select_inside_complex_values() {
        let value = shown("emails.value,name.givenName", "");
        assert_eq!(
            value["emails"],
            json!([{"value": "a@x.test"}, {"value": "b@x.test"}])
        );
        assert_eq!(value["name"], json!({"givenName": "Ada"}));
        assert_eq!(shown("name,name.givenName", "")["name"], document()["name"]);
        assert_eq!(
            shown("meta.lastModified", "")["meta"],
            json!({"lastModified": "2026-01-01T00:00:00.000Z"})
        );
        assert_eq!(
            shown("emails[type eq \"work\"].type", "")["emails"],
            json!([{"type": "work"}])
        );
    }

    #[test]
    fn excluded_attributes_leave_the_rest_of_the_default_set() {
        let value = shown("", "id,schemas,emails,meta");
        assert!(value.get("emails").is_none() && value.get("meta").is_none());
        assert_eq!(
            (&value["id"], value["schemas"].as_array().unwrap().len()),
            (&json!("u1"), 4)
        );
        assert_eq!(
            shown("", "emails.value")["emails"],
            json!([{"type": "work"}])
        );
        assert!(
            shown("", "name.givenName,name.familyName")
                .get("name")
                .is_none()
        );
        assert!(shown("", ENT).get(ENT).is_none());
        assert_eq!(shown("", "manager")[ENT], json!({"department": "Ops"}));
    }

    #[test]
    fn characteristics_decide_what_is_shown_without_a_wish() {
        let value = shown("", " ");
        assert!(value.get("password").is_none() && value.get("unheard").is_none());
        assert!(value.get(LEARNER).is_none());
        assert_eq!(shown(LEARNER, "")[LEARNER]["approval"], "approved");
        assert_eq!(
            value["urn:x:1:User"],
            json!({"box": {"label": "l", "tag": "t"}})
        );
        assert_eq!(
            shown("box.size", "")["urn:x:1:User"]["box"],
            json!({"tag": "t", "size": "s"})
        );
        assert_eq!(
            shown("box,box.size", "")["urn:x:1:User"]["box"],
            json!({"label": "l", "tag": "t", "size": "s"})
        );
        assert_eq!(shown("urn:x:1:User", "")["urn:x:1:User"]["badge"], "7");
        assert!(
            shown("", "urn:x:1:User:box.tag")["urn:x:1:User"]["box"]
                .get("tag")
                .is_some()
        );
    }

    #[test]
    fn a_supplied_request_attribute_is_shown_in_the_answer() {
        let rt = user();
        let named = ["urn:x:1:User:badge".to_owned(), "userName".to_owned()];
        let value = Projection::standard(&rt)
            .with_supplied(&rt, &named)
            .apply(&rt, &document());
        assert_eq!(value["urn:x:1:User"]["badge"], "7");
        let only = Projection::parse(&rt, Some("userName"), None)
            .unwrap()
            .with_supplied(&rt, &named);
        assert!(only.apply(&rt, &document()).get("urn:x:1:User").is_none());
    }

    #[test]
    fn what_is_not_shown_need_not_be_loaded() {
        let rt = user();
        let wants = |attributes, excluded| {
            let projection = Projection::parse(&rt, attributes, excluded).unwrap();
            (
                projection.is_default(),
                projection.wants(&rt, None, "groups"),
                projection.wants(&rt, None, "meta"),
            )
        };
        assert_eq!(wants(None, None), (true, true, true));
        assert_eq!(wants(Some("userName"), None), (false, false, false));
        assert_eq!(wants(Some("groups.value"), None), (false, true, false));
        assert_eq!(wants(None, Some("GROUPS")), (false, false, true));
        assert!(
            Projection::parse(&rt, Some("enrollments"), None)
                .unwrap()
                .wants(&rt, Some(LEARNER), "enrollments")
        );
        assert!(!Projection::standard(&rt).wants(&rt, Some(LEARNER), "enrollments"));
    }

    #[test]
    fn malformed_names_and_contradictions_are_refused() {
        let rt = user();
        let refused = |attributes: &str, excluded: &str| {
            Projection::parse(&rt, Some(attributes), Some(excluded)).map_err(|error| error.kind)
        };
        let many = vec!["title"; 101].join(",");
        let long = "x".repeat(5000);
        for (attributes, excluded) in [
            ("userName", "emails"),
            ("2nd", ""),
            ("user name", ""),
            ("name.", ""),
            ("a.b.c", ""),
            ("emails[type", ""),
            ("", "@"),
            (&many, ""),
            (&long, ""),
        ] {
            assert_eq!(
                refused(attributes, excluded),
                Err(ScimErrorKind::InvalidValue),
                "{attributes} {excluded}"
            );
        }
    }
}
