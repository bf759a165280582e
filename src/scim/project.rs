//! Projection: which attributes of a resource a response shows. RFC 7644 §3.4.2.5, §3.9, rows.
//!
//! The `returned` characteristic × `attributes` × `excludedAttributes`. Nothing that is `returned: never` passes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::ScimError;
use super::schema::{AttributeDef, ResourceType, Returned};

/// The wish of a request, resolved against one resource type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    wish: Wish,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Wish {
    #[default]
    Everything,
    Only(Names),
    Without(Names),
}

/// Resolved names, in lower case: `name`, `name.givenname`, `urn:…:department`, `urn:…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    whole: BTreeSet<String>,
    parts: BTreeSet<(String, String)>,
}

impl Names {
    fn parse(resource_type: &ResourceType, list: &str) -> Result<Self, ScimError> {
        let mut names = Self::default();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            // `emails[type eq "work"]` is read as `emails`
            let name = name.split('[').next().unwrap_or_default();
            let well_formed = name.chars().all(|character| character.is_ascii_alphanumeric() || "-_$.:".contains(character));
            if !well_formed || name.is_empty() {
                return Err(ScimError::invalid_value(format!("`{name}` is not an attribute name")));
            }
            if let Some(schema) = resource_type.schema_of(name) {
                names.whole.insert(schema.id.to_ascii_lowercase());
            } else if let Some(attr) = resource_type.attr(name) {
                let mut key = attr.extension.as_ref().map(|schema| format!("{}:", schema.id)).unwrap_or_default();
                key.push_str(&attr.def.name);
                let key = key.to_ascii_lowercase();
                match &attr.sub {
                    Some(sub) => {
                        names.parts.insert((key, sub.name.to_ascii_lowercase()));
                    }
                    None => {
                        names.whole.insert(key);
                    }
                }
            }
        }
        Ok(names)
    }

    fn part(&self, key: &str, sub: &str) -> bool {
        self.parts.contains(&(key.to_owned(), sub.to_ascii_lowercase()))
    }

    fn any_part(&self, key: &str) -> bool {
        self.parts.iter().any(|(attribute, _)| attribute == key)
    }
}

impl Projection {
    /// Reads the two parameters; unknown names are ignored.
    ///
    /// # Errors
    /// `invalidValue` for malformed names and for both at once.
    pub fn parse(resource_type: &ResourceType, attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let wish = match (attributes, excluded) {
            (Some(_), Some(_)) => {
                return Err(ScimError::invalid_value("attributes and excludedAttributes exclude each other; send one of them"));
            }
            (Some(names), None) => Wish::Only(Names::parse(resource_type, names)?),
            (None, Some(names)) => Wish::Without(Names::parse(resource_type, names)?),
            (None, None) => Wish::Everything,
        };
        Ok(Self { wish })
    }

    /// Whether the request wished for nothing particular: the stored bytes can go out as they are.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self.wish, Wish::Everything)
    }

    /// Whether a core attribute may be shown, so that it must be read.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        let key = name.to_ascii_lowercase();
        match &self.wish {
            Wish::Everything => true,
            Wish::Only(names) => names.whole.contains(&key) || names.any_part(&key) || names.whole.iter().any(|whole| whole.ends_with(":core:2.0:user") || whole.ends_with(":core:2.0:group")),
            Wish::Without(names) => !names.whole.contains(&key),
        }
    }

    /// The view of a whole document that a response may show.
    #[must_use]
    pub fn apply(&self, resource_type: &ResourceType, document: &Map<String, Value>) -> Map<String, Value> {
        let mut view = Map::new();
        let core_key = resource_type.schema.id.to_ascii_lowercase();
        for (name, value) in document {
            if let Some(schema) = resource_type.extension(name) {
                let Value::Object(inner) = value else { continue };
                let urn = schema.id.to_ascii_lowercase();
                let mut shown = Map::new();
                for (name, value) in inner {
                    let Some(def) = schema.attribute(name) else { continue };
                    let key = format!("{urn}:{}", name.to_ascii_lowercase());
                    if let Some(value) = self.attribute(def, &key, &urn, value) {
                        shown.insert(name.clone(), value);
                    }
                }
                if !shown.is_empty() {
                    view.insert(name.clone(), Value::Object(shown));
                }
            } else if let Some(def) = resource_type.core_attribute(name) {
                if let Some(value) = self.attribute(def, &name.to_ascii_lowercase(), &core_key, value) {
                    view.insert(name.clone(), value);
                }
            }
        }
        view
    }

    /// One attribute's view; `container` is the lower-case URN that selects it as part of a whole schema.
    fn attribute(&self, def: &AttributeDef, key: &str, container: &str, value: &Value) -> Option<Value> {
        match def.returned {
            Returned::Never => return None,
            // `schemas` and `id` come whole whatever is asked (A-04, C-05)
            Returned::Always => return Some(value.clone()),
            Returned::Default | Returned::Request => {}
        }
        let by_default = def.returned == Returned::Default;
        match &self.wish {
            Wish::Everything => by_default.then(|| subs(def, value, |sub| sub.returned == Returned::Default)).flatten(),
            Wish::Only(names) if names.whole.contains(key) || names.whole.contains(container) => {
                subs(def, value, |sub| sub.returned == Returned::Default || names.part(key, &sub.name))
            }
            Wish::Only(names) if names.any_part(key) => subs(def, value, |sub| names.part(key, &sub.name)),
            Wish::Only(_) => None,
            Wish::Without(names) if names.whole.contains(key) || names.whole.contains(container) => None,
            Wish::Without(names) => by_default
                .then(|| subs(def, value, |sub| sub.returned == Returned::Default && !names.part(key, &sub.name)))
                .flatten(),
        }
    }
}

/// A value with the sub-attributes that pass; elements and objects left empty disappear.
fn subs(def: &AttributeDef, value: &Value, passes: impl Fn(&AttributeDef) -> bool + Copy) -> Option<Value> {
    if def.sub_attributes.is_empty() {
        return Some(value.clone());
    }
    match value {
        Value::Array(elements) => {
            let shown: Vec<Value> = elements.iter().filter_map(|element| subs(def, element, passes)).collect();
            (!shown.is_empty()).then_some(Value::Array(shown))
        }
        Value::Object(members) => {
            let shown: Map<String, Value> = members
                .iter()
                .filter(|(name, _)| {
                    def.sub(name).is_some_and(|sub| match sub.returned {
                        Returned::Always => true,
                        Returned::Never => false,
                        Returned::Default | Returned::Request => passes(sub),
                    })
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            (!shown.is_empty()).then_some(Value::Object(shown))
        }
        simple => Some(simple.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::Registry;

    fn view(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let registry = Registry::builtin().expect("builtin");
        let user = registry.resource_type("User").expect("user");
        let document = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u1", "userName": "ada", "password": "x",
            "name": { "givenName": "Ada", "familyName": "Okafor" },
            "emails": [{ "value": "a@x", "type": "work" }, { "type": "home" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Ops" },
            "meta": { "resourceType": "User", "version": "W/\"1\"" },
        });
        let projection = Projection::parse(user, attributes, excluded).expect("parses");
        Value::Object(projection.apply(user, document.as_object().expect("object")))
    }

    #[test]
    fn attributes_names_what_is_shown_beside_what_always_is() {
        let schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
        assert_eq!(view(Some("userName"), None), json!({ "schemas": schemas, "id": "u1", "userName": "ada" }));
        assert_eq!(view(Some("password,nosuch"), None), json!({ "schemas": schemas, "id": "u1" }));
        assert_eq!(
            view(Some("emails.value,name.givenName"), None),
            json!({ "schemas": schemas, "id": "u1", "name": { "givenName": "Ada" }, "emails": [{ "value": "a@x" }] })
        );
        assert_eq!(
            view(Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"), None),
            json!({ "schemas": schemas, "id": "u1", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Ops" } })
        );
    }

    #[test]
    fn excluded_attributes_never_takes_what_always_is_shown() {
        let shown = view(None, Some("id,schemas,emails,name.familyName,meta"));
        assert_eq!(shown["id"], "u1");
        assert!(shown.get("schemas").is_some() && shown.get("emails").is_none() && shown.get("meta").is_none());
        assert_eq!(shown["name"], json!({ "givenName": "Ada" }));
        assert!(shown.get("password").is_none());
    }
}
