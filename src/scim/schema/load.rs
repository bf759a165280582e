//! JSON → definitions, strictly: a schema file with a mistake stops the start, naming file, attribute and reason.
//!
//! The files are RFC 7643 §7 documents; what they leave out has the defaults of §2.2 (M-20). One key is ours and is
//! never published: `rollcall`, which on an attribute holds `detached` and `derived` (see [`AttributeDef`]), and on an
//! operator's schema `extends` (a resource type's name) and `required`.
//! Not here: the published form (`publish`) and the look-ups (`registry`).

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::attribute::{AttributeDef, Mutability, Returned, Schema, Type, Uniqueness};
use super::node::{LoadError, Node};
use super::registry::Registry;
use super::resource_type::{Extension, ResourceType};

/// The embedded schema files, in the order of `/Schemas`.
const SCHEMA_FILES: [(&str, &str); 8] = [
    ("user.json", include_str!("../../../scim-schemas/user.json")),
    (
        "enterprise-user.json",
        include_str!("../../../scim-schemas/enterprise-user.json"),
    ),
    (
        "learner-user.json",
        include_str!("../../../scim-schemas/learner-user.json"),
    ),
    (
        "group.json",
        include_str!("../../../scim-schemas/group.json"),
    ),
    (
        "learner-group.json",
        include_str!("../../../scim-schemas/learner-group.json"),
    ),
    (
        "service-provider-config.json",
        include_str!("../../../scim-schemas/service-provider-config.json"),
    ),
    (
        "resource-type.json",
        include_str!("../../../scim-schemas/resource-type.json"),
    ),
    (
        "schema.json",
        include_str!("../../../scim-schemas/schema.json"),
    ),
];
const RESOURCE_TYPES_FILE: (&str, &str) = (
    "resource-types.json",
    include_str!("../../../scim-schemas/resource-types.json"),
);
const COMMON_FILE: (&str, &str) = (
    "common.json",
    include_str!("../../../scim-schemas/common.json"),
);

/// Operator schemas per server and attributes per schema (E29).
const MAX_OPERATOR_SCHEMAS: usize = 20;
const MAX_ATTRIBUTES: usize = 100;

impl Registry {
    /// The schemas and resource types the server is built with.
    ///
    /// # Errors
    /// When an embedded file has a mistake; a test keeps that from being shipped.
    pub fn builtin() -> Result<Self, LoadError> {
        let schemas = SCHEMA_FILES
            .iter()
            .map(|(file, text)| Ok(Arc::new(parse_schema(file, text, true)?.schema)))
            .collect::<Result<Vec<_>, LoadError>>()?;
        let common = parse_common(COMMON_FILE.0, COMMON_FILE.1)?;
        let mut registry = Self {
            schemas,
            resource_types: Vec::new(),
        };
        registry.resource_types = parse_resource_types(
            RESOURCE_TYPES_FILE.0,
            RESOURCE_TYPES_FILE.1,
            &registry,
            &common,
        )?;
        registry.check_unique(RESOURCE_TYPES_FILE.0)?;
        Ok(registry)
    }

    /// The built-in registry plus an operator's extension schemas: every `*.json` in the directory, by name.
    ///
    /// # Errors
    /// When the directory cannot be read, or a file has a mistake or claims a URN that is taken.
    pub fn with_directory(dir: &Path) -> Result<Self, LoadError> {
        let mut registry = Self::builtin()?;
        let fault = |file: &str, reason: String| LoadError {
            file: file.to_owned(),
            attribute: None,
            reason,
        };
        let unreadable =
            |error: std::io::Error| fault(&dir.display().to_string(), error.to_string());
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.len() > MAX_OPERATOR_SCHEMAS {
            return Err(fault(
                &dir.display().to_string(),
                format!("more than {MAX_OPERATOR_SCHEMAS} schema files"),
            ));
        }
        for path in paths {
            let file = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let text =
                std::fs::read_to_string(&path).map_err(|error| fault(&file, error.to_string()))?;
            registry.add(&file, &text)?;
        }
        Ok(registry)
    }

    /// Adds one operator schema as an extension of the resource type it names.
    ///
    /// # Errors
    /// As [`Registry::with_directory`].
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), LoadError> {
        let fault = |reason: String| LoadError {
            file: file.to_owned(),
            attribute: None,
            reason,
        };
        let parsed = parse_schema(file, text, false)?;
        let Some(extends) = parsed.extends else {
            return Err(fault(
                "`rollcall.extends` must name the resource type to extend, such as User".to_owned(),
            ));
        };
        let schema = Arc::new(parsed.schema);
        let Some(place) = self
            .resource_types
            .iter_mut()
            .find(|resource_type| resource_type.name == extends)
        else {
            return Err(fault(format!(
                "`rollcall.extends`: there is no resource type {extends}"
            )));
        };
        let mut changed = ResourceType::clone(place);
        changed.extensions.push(Extension {
            schema: schema.clone(),
            required: parsed.required,
        });
        *place = Arc::new(changed);
        self.schemas.push(schema);
        self.check_unique(file)
    }

    /// URNs, resource type names and endpoints are unique, letter case ignored (E8475).
    fn check_unique(&self, file: &str) -> Result<(), LoadError> {
        let fault = |reason: String| {
            Err(LoadError {
                file: file.to_owned(),
                attribute: None,
                reason,
            })
        };
        if let Some(urn) = twice(self.schemas.iter().map(|schema| schema.id.as_str())) {
            return fault(format!("the schema URN {urn} is defined twice"));
        }
        if let Some(name) = twice(
            self.resource_types
                .iter()
                .map(|resource_type| resource_type.name.as_str()),
        ) {
            return fault(format!("the resource type {name} is defined twice"));
        }
        if let Some(endpoint) = twice(
            self.resource_types
                .iter()
                .map(|resource_type| resource_type.endpoint.as_str()),
        ) {
            return fault(format!("the endpoint {endpoint} is defined twice"));
        }
        Ok(())
    }
}

/// The first text that occurs a second time, letter case ignored.
fn twice<'t>(texts: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let mut seen: Vec<&str> = Vec::new();
    for text in texts {
        if seen.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            return Some(text);
        }
        seen.push(text);
    }
    None
}

const TYPES: [(&str, Type); 8] = [
    ("string", Type::String),
    ("boolean", Type::Boolean),
    ("decimal", Type::Decimal),
    ("integer", Type::Integer),
    ("dateTime", Type::DateTime),
    ("binary", Type::Binary),
    ("reference", Type::Reference),
    ("complex", Type::Complex),
];
const MUTABILITIES: [(&str, Mutability); 4] = [
    ("readOnly", Mutability::ReadOnly),
    ("readWrite", Mutability::ReadWrite),
    ("immutable", Mutability::Immutable),
    ("writeOnly", Mutability::WriteOnly),
];
const RETURNS: [(&str, Returned); 4] = [
    ("always", Returned::Always),
    ("never", Returned::Never),
    ("default", Returned::Default),
    ("request", Returned::Request),
];
const UNIQUENESSES: [(&str, Uniqueness); 3] = [
    ("none", Uniqueness::None),
    ("server", Uniqueness::Server),
    ("global", Uniqueness::Global),
];
const ATTRIBUTE_KEYS: [&str; 13] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "canonicalValues",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    "subAttributes",
    "rollcall",
];

/// A name as M-04 and M-05 have it: a letter (or `$`), then letters, digits, `$`, `-`, `_`.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    let rest = name.strip_prefix('$').unwrap_or(name);
    rest.starts_with(|first: char| first.is_ascii_alphabetic())
        && rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_'))
}

struct ParsedSchema {
    schema: Schema,
    extends: Option<String>,
    required: bool,
}

fn parse_json(file: &str, text: &str) -> Result<Value, LoadError> {
    serde_json::from_str(text).map_err(|error| LoadError {
        file: file.to_owned(),
        attribute: None,
        reason: error.to_string(),
    })
}

fn parse_schema(file: &str, text: &str, builtin: bool) -> Result<ParsedSchema, LoadError> {
    let value = parse_json(file, text)?;
    let node = Node::new(file, None, &value)?;
    node.only(&[
        "schemas",
        "id",
        "name",
        "description",
        "attributes",
        "meta",
        "rollcall",
    ])?;
    let id = node.required_text("id")?;
    if !id
        .get(..4)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"))
    {
        return Err(node.fault("`id` must be a URN"));
    }
    let attributes = parse_attributes(&node, "attributes", "", builtin)?;
    if !builtin && attributes.len() > MAX_ATTRIBUTES {
        return Err(node.fault(format!("more than {MAX_ATTRIBUTES} attributes")));
    }
    let ours = node.ours(&["extends", "required"])?;
    let (extends, required) = match &ours {
        Some(ours) => (
            ours.text("extends")?.map(str::to_owned),
            ours.flag("required")?.unwrap_or(false),
        ),
        None => (None, false),
    };
    let schema = Schema {
        id: id.to_owned(),
        name: node.required_text("name")?.to_owned(),
        description: node.text("description")?.unwrap_or_default().to_owned(),
        attributes,
    };
    Ok(ParsedSchema {
        schema,
        extends,
        required,
    })
}

fn parse_common(file: &str, text: &str) -> Result<Vec<Arc<AttributeDef>>, LoadError> {
    let value = parse_json(file, text)?;
    let node = Node::new(file, None, &value)?;
    node.only(&["attributes"])?;
    parse_attributes(&node, "attributes", "", true)
}

fn parse_attributes(
    node: &Node<'_>,
    key: &str,
    prefix: &str,
    builtin: bool,
) -> Result<Vec<Arc<AttributeDef>>, LoadError> {
    let items = node.array(key)?.unwrap_or_default();
    if items.is_empty() {
        return Err(node.fault(format!("`{key}` must list at least one attribute")));
    }
    let mut attributes: Vec<Arc<AttributeDef>> = Vec::with_capacity(items.len());
    for item in items {
        let name = item
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("(unnamed)");
        let inner = Node::new(node.file, Some(format!("{prefix}{name}")), item)?;
        let attribute = parse_attribute(&inner, prefix, builtin)?;
        if attributes
            .iter()
            .any(|known| known.name.eq_ignore_ascii_case(&attribute.name))
        {
            return Err(inner.fault("is defined twice (letter case does not count)"));
        }
        attributes.push(Arc::new(attribute));
    }
    Ok(attributes)
}

fn parse_attribute(
    node: &Node<'_>,
    prefix: &str,
    builtin: bool,
) -> Result<AttributeDef, LoadError> {
    node.only(&ATTRIBUTE_KEYS)?;
    let name = node.required_text("name")?;
    if !is_attribute_name(name) {
        return Err(
            node.fault("`name` must be a letter followed by letters, digits, `$`, `-` or `_`")
        );
    }
    let attribute_type = node.keyword("type", &TYPES)?.unwrap_or(Type::String);
    let mutability = node
        .keyword("mutability", &MUTABILITIES)?
        .unwrap_or(Mutability::ReadWrite);
    let returned = node
        .keyword("returned", &RETURNS)?
        .unwrap_or(Returned::Default);
    if mutability == Mutability::WriteOnly && returned != Returned::Never {
        return Err(node.fault("`mutability` writeOnly needs `returned` never"));
    }
    check_applicable(node, attribute_type)?;
    let sub_attributes = if attribute_type == Type::Complex {
        if !prefix.is_empty() {
            return Err(node.fault("a sub-attribute cannot be complex"));
        }
        let subs = parse_attributes(node, "subAttributes", &format!("{name}."), builtin)?;
        if mutability == Mutability::ReadOnly
            && let Some(sub) = subs
                .iter()
                .find(|sub| sub.mutability != Mutability::ReadOnly)
        {
            return Err(node.fault(format!(
                "is readOnly, so its sub-attribute {} must be readOnly too",
                sub.name
            )));
        }
        subs
    } else {
        Vec::new()
    };
    let multi_valued = node.flag("multiValued")?.unwrap_or(false);
    let (detached, derived) = match node.ours(&["detached", "derived"])? {
        Some(_) if !builtin => {
            return Err(node.fault("`detached` and `derived` are for built-in schemas only"));
        }
        Some(ours) => (
            ours.flag("detached")?.unwrap_or(false),
            ours.flag("derived")?.unwrap_or(false),
        ),
        None => (false, false),
    };
    if detached && !(multi_valued && attribute_type == Type::Complex) {
        return Err(node.fault("only a multi-valued complex attribute can be detached"));
    }
    Ok(AttributeDef {
        name: name.to_owned(),
        attribute_type,
        multi_valued,
        description: node.text("description")?.unwrap_or_default().to_owned(),
        required: node.flag("required")?.unwrap_or(false),
        canonical_values: node.texts("canonicalValues")?,
        // T-08, T-10: these two are case exact unless a file says otherwise.
        case_exact: node
            .flag("caseExact")?
            .unwrap_or(matches!(attribute_type, Type::Binary | Type::Reference)),
        mutability,
        returned,
        uniqueness: node
            .keyword("uniqueness", &UNIQUENESSES)?
            .unwrap_or(Uniqueness::None),
        reference_types: node.texts("referenceTypes")?,
        sub_attributes,
        detached,
        derived,
    })
}

/// Refuses characteristics that mean nothing for a type (M-35, M-37, SH-11).
fn check_applicable(node: &Node<'_>, attribute_type: Type) -> Result<(), LoadError> {
    let refused: &[&str] = match attribute_type {
        Type::Complex => &[
            "caseExact",
            "uniqueness",
            "canonicalValues",
            "referenceTypes",
        ],
        Type::Boolean => &[
            "caseExact",
            "uniqueness",
            "canonicalValues",
            "referenceTypes",
            "subAttributes",
        ],
        Type::Reference => &["subAttributes"],
        _ => &["referenceTypes", "subAttributes"],
    };
    if let Some(key) = refused.iter().find(|key| node.object.contains_key(**key)) {
        return Err(node.fault(format!("`{key}` does not apply to this type")));
    }
    if attribute_type == Type::Complex && !node.object.contains_key("subAttributes") {
        return Err(node.fault("a complex attribute must list `subAttributes`"));
    }
    if attribute_type == Type::Reference && node.texts("referenceTypes")?.is_empty() {
        return Err(node.fault("a reference must list `referenceTypes`"));
    }
    Ok(())
}

fn parse_resource_types(
    file: &str,
    text: &str,
    registry: &Registry,
    common: &[Arc<AttributeDef>],
) -> Result<Vec<Arc<ResourceType>>, LoadError> {
    let value = parse_json(file, text)?;
    let fault = |reason: String| LoadError {
        file: file.to_owned(),
        attribute: None,
        reason,
    };
    let items = value
        .as_array()
        .ok_or_else(|| fault("must be an array of resource types".to_owned()))?;
    let find = |urn: &str| {
        registry
            .schema(urn)
            .cloned()
            .ok_or_else(|| fault(format!("no schema file defines {urn}")))
    };
    let mut resource_types = Vec::with_capacity(items.len());
    for item in items {
        let node = Node::new(file, None, item)?;
        node.only(&[
            "id",
            "name",
            "endpoint",
            "description",
            "schema",
            "schemaExtensions",
        ])?;
        let name = node.required_text("name")?;
        if node.text("id")?.is_some_and(|id| id != name) {
            return Err(fault(format!(
                "resource type {name}: `id` must equal `name`"
            )));
        }
        let endpoint = node.required_text("endpoint")?;
        if !endpoint.starts_with('/') {
            return Err(fault(format!(
                "resource type {name}: `endpoint` must start with a slash"
            )));
        }
        let mut extensions = Vec::new();
        for extension in node.array("schemaExtensions")?.unwrap_or_default() {
            let extension = Node::new(file, None, extension)?;
            extension.only(&["schema", "required"])?;
            extensions.push(Extension {
                schema: find(extension.required_text("schema")?)?,
                required: extension.flag("required")?.unwrap_or(false),
            });
        }
        resource_types.push(Arc::new(ResourceType {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            description: node.text("description")?.unwrap_or_default().to_owned(),
            schema: find(node.required_text("schema")?)?,
            extensions,
            common: common.to_vec(),
        }));
    }
    Ok(resource_types)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(attribute: &str) -> LoadError {
        let text = format!(
            r#"{{"id":"urn:x:1","name":"X","attributes":[{attribute}],"rollcall":{{"extends":"User"}}}}"#
        );
        Registry::builtin()
            .unwrap()
            .add("x.json", &text)
            .expect_err(attribute)
    }

    #[test]
    fn the_embedded_files_load() {
        let registry = Registry::builtin().unwrap();
        assert_eq!(registry.schemas.len(), 8);
        let user = registry.resource_type("User").unwrap();
        assert_eq!(user.extensions.len(), 2);
        assert!(user.core_attribute("ID").unwrap().case_exact);
        assert!(user.attr("manager.displayname").unwrap().leaf().derived);
        let group = registry.resource_type("Group").unwrap();
        assert!(group.core_attribute("members").unwrap().detached);
        assert!(group.core_attribute("displayName").unwrap().required);
    }

    #[test]
    fn an_attribute_with_only_a_name_has_the_defaults() {
        let mut registry = Registry::builtin().unwrap();
        let text = r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"User","required":true}}"#;
        registry.add("x.json", text).unwrap();
        let user = registry.resource_type("User").unwrap();
        let def = user.attr("URN:X:1:X").unwrap().def;
        assert_eq!(def.attribute_type, Type::String);
        assert!(
            !def.multi_valued && !def.required && !def.case_exact && !def.detached && !def.derived
        );
        assert_eq!(def.mutability, Mutability::ReadWrite);
        assert_eq!(def.returned, Returned::Default);
        assert_eq!(def.uniqueness, Uniqueness::None);
        assert!(def.canonical_values.is_empty());
        assert!(user.extensions.last().unwrap().required);
    }

    #[test]
    fn a_mistake_is_refused_with_file_attribute_and_reason() {
        let cases = [
            (r#"{"name":"a","type":"text"}"#, "a", "unknown type"),
            (r#"{"name":"a"},{"name":"A"}"#, "A", "twice"),
            (r#"{"name":"a","type":"complex"}"#, "a", "subAttributes"),
            (
                r#"{"name":"a","type":"complex","subAttributes":[]}"#,
                "a",
                "at least one",
            ),
            (
                r#"{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}"#,
                "a.b",
                "cannot be complex",
            ),
            (
                r#"{"name":"a","subAttributes":[{"name":"b"}]}"#,
                "a",
                "does not apply",
            ),
            (r#"{"name":"a","mutability":"writeOnly"}"#, "a", "never"),
            (
                r#"{"name":"a","mutable":true}"#,
                "a",
                "unknown key `mutable`",
            ),
            (r#"{"name":"2a"}"#, "2a", "letter"),
            (r#"{"type":"string"}"#, "(unnamed)", "`name` is missing"),
            (r#"{"name":"a","required":"yes"}"#, "a", "true or false"),
            (
                r#"{"name":"a","type":"boolean","caseExact":true}"#,
                "a",
                "does not apply",
            ),
            (r#"{"name":"a","type":"reference"}"#, "a", "referenceTypes"),
            (
                r#"{"name":"a","referenceTypes":["User"]}"#,
                "a",
                "does not apply",
            ),
            (
                r#"{"name":"a","rollcall":{"derived":true}}"#,
                "a",
                "built-in",
            ),
            (
                r#"{"name":"a","returned":"sometimes"}"#,
                "a",
                "unknown returned",
            ),
            (
                r#"{"name":"a","type":"complex","mutability":"readOnly","subAttributes":[{"name":"b"}]}"#,
                "a",
                "readOnly too",
            ),
        ];
        for (attribute, name, reason) in cases {
            let error = refusal(attribute);
            assert_eq!(error.file, "x.json");
            assert_eq!(error.attribute.as_deref(), Some(name), "{attribute}");
            assert!(
                error.reason.contains(reason),
                "{attribute}: {}",
                error.reason
            );
        }
    }

    #[test]
    fn a_schema_with_a_taken_urn_or_nothing_to_extend_is_refused() {
        let registry = Registry::builtin().unwrap();
        let cases = [
            (
                r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x"}]}"#,
                "extends",
            ),
            (
                r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"Car"}}"#,
                "Car",
            ),
            (
                r#"{"id":"x","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"User"}}"#,
                "URN",
            ),
            (
                r#"{"id":"URN:ietf:params:scim:schemas:core:2.0:User","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"User"}}"#,
                "twice",
            ),
            ("{", "EOF"),
        ];
        for (text, reason) in cases {
            let error = registry.clone().add("x.json", text).expect_err(text);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
