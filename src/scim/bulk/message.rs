//! The BulkRequest as it arrives: limits, shape, and what each operation asks. RFC 7644 §3.7, B-02 to B-07, B-30.
//!
//! What is wrong with the message refuses the request; what is wrong with one operation is kept with it and fails it alone.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::references::{self, Found, Shape, bulk_id};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::switches::Switches;

/// Operations of one request (E12), published and enforced.
pub const MAX_OPERATIONS: usize = 1000;
/// Bytes of one request (E2), published and enforced.
pub const MAX_PAYLOAD: usize = 2 << 20;
/// References in one request (E12).
const MAX_REFERENCES: usize = 20_000;

const URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// What may not be called from inside (B-24).
const NOT_INSIDE: [&str; 6] = [
    "Bulk",
    ".search",
    "Me",
    "ServiceProviderConfig",
    "ResourceTypes",
    "Schemas",
];

/// A bulk request.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkRequest {
    /// Stop when so many have failed.
    pub fail_on_errors: Option<usize>,
    pub operations: Vec<BulkOperation>,
}

/// One operation of it.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkOperation {
    /// In upper case, as the answer repeats it.
    pub method: String,
    pub bulk_id: Option<String>,
    /// As it was sent.
    pub path: String,
    pub planned: Result<Planned, Refused>,
}

/// An operation that can be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub action: Action,
    pub resource_type: Arc<ResourceType>,
    /// The precondition, as `If-Match` would hold it (B-07).
    pub version: Option<String>,
    /// `null` for DELETE.
    pub data: Value,
    /// The bulkIds it names, each once.
    pub references: Vec<String>,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Replace(Target),
    Patch(Target),
    Delete(Target),
}

/// Which resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Id(String),
    /// What the operation with this bulkId creates (B-21).
    BulkId(String),
}

/// Why an operation cannot even be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    Scim(ScimError),
    /// The path is no endpoint's (B-04).
    NoEndpoint(String),
}

impl From<ScimError> for Refused {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl Action {
    /// The resource it is about, unless it makes one.
    #[must_use]
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Create => None,
            Self::Replace(target) | Self::Patch(target) | Self::Delete(target) => Some(target),
        }
    }

    /// What its data is.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        match self {
            Self::Patch(_) => Shape::Patch,
            Self::Create | Self::Replace(_) | Self::Delete(_) => Shape::Resource,
        }
    }
}

impl BulkRequest {
    /// Reads a request; `base` is the address that absolute paths may begin with.
    ///
    /// # Errors
    /// `invalidSyntax` for the message's shape or a bulkId given twice, `invalidValue` for `failOnErrors`, `TooLarge`
    /// for too many operations or references.
    pub fn parse(
        body: Value,
        base: &str,
        registry: &Registry,
        switches: &Switches,
    ) -> Result<Self, ScimError> {
        let Value::Object(mut body) = body else {
            return Err(ScimError::invalid_syntax(
                "a bulk request must be a JSON object",
            ));
        };
        check_schemas(take(&mut body, "schemas").as_ref(), switches)?;
        let fail_on_errors = fail_on_errors(take(&mut body, "failOnErrors"))?;
        let operations = match take(&mut body, "Operations") {
            Some(Value::Array(operations)) => operations,
            Some(_) => return Err(ScimError::invalid_syntax("Operations must be an array")),
            None => return Err(ScimError::invalid_syntax("Operations is missing")),
        };
        if operations.len() > MAX_OPERATIONS {
            let count = operations.len();
            let detail = format!("{count} operations exceed maxOperations ({MAX_OPERATIONS})");
            return Err(ScimError::new(ScimErrorKind::TooLarge, detail));
        }
        let mut references = 0;
        let mut seen = HashSet::new();
        let mut read = Vec::with_capacity(operations.len());
        for (index, operation) in operations.into_iter().enumerate() {
            let in_message = |error: ScimError| {
                let detail = format!("operation {}: {}", index + 1, error.detail);
                ScimError::new(error.kind, detail)
            };
            let operation = BulkOperation::read(operation, base, registry, &mut references)
                .map_err(in_message)?;
            if let Some(bulk_id) = &operation.bulk_id
                && !seen.insert(bulk_id.clone())
            {
                return Err(in_message(ScimError::invalid_syntax(format!(
                    "the bulkId {bulk_id} stands twice in the request"
                ))));
            }
            read.push(operation);
        }
        if references > MAX_REFERENCES {
            let detail =
                format!("{references} bulkId references exceed the limit of {MAX_REFERENCES}");
            return Err(ScimError::new(ScimErrorKind::TooLarge, detail));
        }
        Ok(Self {
            fail_on_errors,
            operations: read,
        })
    }
}

impl BulkOperation {
    fn read(
        operation: Value,
        base: &str,
        registry: &Registry,
        references: &mut usize,
    ) -> Result<Self, ScimError> {
        let Value::Object(mut operation) = operation else {
            return Err(ScimError::invalid_syntax("an operation must be an object"));
        };
        let method = text(&mut operation, "method")?
            .ok_or_else(|| ScimError::invalid_syntax("method is missing"))?
            .to_ascii_uppercase();
        let bulk_id = text(&mut operation, "bulkId")?;
        let path = text(&mut operation, "path")?.unwrap_or_default();
        let version = text(&mut operation, "version")?;
        let data = take(&mut operation, "data");
        let planned = place(&path, base, registry).and_then(|(resource_type, target)| {
            let action = action(&method, bulk_id.as_deref(), target)?;
            Planned::new(action, resource_type, version, data, references)
        });
        Ok(Self {
            method,
            bulk_id,
            path,
            planned,
        })
    }
}

impl Planned {
    fn new(
        action: Action,
        resource_type: Arc<ResourceType>,
        version: Option<String>,
        data: Option<Value>,
        count: &mut usize,
    ) -> Result<Self, Refused> {
        let mut data = match (&action, data) {
            (Action::Delete(_), _) => Value::Null,
            (_, Some(data)) => data,
            (_, None) => return Err(ScimError::invalid_syntax("data is missing").into()),
        };
        let mut seen = HashSet::new();
        let mut references = Vec::new();
        let mut note = |name: &str| {
            *count += 1;
            if seen.insert(name.to_owned()) {
                references.push(name.to_owned());
            }
        };
        if let Some(Target::BulkId(name)) = action.target() {
            note(name);
        }
        references::visit(&resource_type, action.shape(), &mut data, &mut |name| {
            note(name);
            Found::Keep
        });
        Ok(Self {
            action,
            resource_type,
            version,
            data,
            references,
        })
    }
}

/// B-03, B-05: what the method asks of this place.
fn action(
    method: &str,
    bulk_id: Option<&str>,
    target: Option<Target>,
) -> Result<Action, ScimError> {
    match (method, target) {
        ("POST", None) if bulk_id.is_none() => {
            Err(ScimError::invalid_value("a POST needs a bulkId"))
        }
        ("POST", None) => Ok(Action::Create),
        ("POST", Some(_)) => Err(ScimError::invalid_value(
            "POST goes to the endpoint, not to one resource",
        )),
        ("PUT", Some(target)) => Ok(Action::Replace(target)),
        ("PATCH", Some(target)) => Ok(Action::Patch(target)),
        ("DELETE", Some(target)) => Ok(Action::Delete(target)),
        ("PUT" | "PATCH" | "DELETE", None) => Err(ScimError::invalid_value(format!(
            "{method} needs the path of one resource"
        ))),
        _ => Err(ScimError::invalid_value(
            "a bulk operation is a POST, PUT, PATCH or DELETE",
        )),
    }
}

/// B-04, B-21, B-24: the endpoint of a path, and the resource where it names one.
fn place(
    path: &str,
    base: &str,
    registry: &Registry,
) -> Result<(Arc<ResourceType>, Option<Target>), Refused> {
    let nothing = || Refused::NoEndpoint(path.to_owned());
    if path.is_empty() {
        return Err(ScimError::invalid_syntax("path is missing").into());
    }
    if path.contains(['?', '#']) {
        return Err(ScimError::invalid_value("the path of a bulk operation takes no query").into());
    }
    let relative = path
        .strip_prefix(base)
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path);
    let relative = relative.strip_prefix('/').unwrap_or(relative);
    let relative = relative.strip_suffix('/').unwrap_or(relative);
    if relative
        .split('/')
        .any(|segment| NOT_INSIDE.contains(&segment))
    {
        let detail = format!("{path} cannot be called from inside a bulk request");
        return Err(ScimError::invalid_value(detail).into());
    }
    let mut segments = relative.split('/');
    let endpoint = segments.next().unwrap_or_default();
    let (id, rest) = (segments.next(), segments.next());
    let resource_type = registry
        .resource_types
        .iter()
        .find(|resource_type| resource_type.endpoint.strip_prefix('/') == Some(endpoint))
        .ok_or_else(nothing)?;
    let target = match (id, rest) {
        (None, _) => None,
        (Some("" | "." | ".."), _) | (_, Some(_)) => return Err(nothing()),
        (Some(id), None) => Some(match bulk_id(id) {
            Some(name) => Target::BulkId(name.to_owned()),
            None => Target::Id(id.to_owned()),
        }),
    };
    Ok((resource_type.clone(), target))
}

fn check_schemas(sent: Option<&Value>, switches: &Switches) -> Result<(), ScimError> {
    let urns = sent
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let named = urns.iter().any(|urn| {
        urn.as_str()
            .is_some_and(|urn| urn.eq_ignore_ascii_case(URN))
    });
    if named || (sent.is_none() && switches.infer_schemas) {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!(
            "schemas must name {URN}"
        )))
    }
}

/// B-14.
fn fail_on_errors(sent: Option<Value>) -> Result<Option<usize>, ScimError> {
    let Some(sent) = sent else { return Ok(None) };
    sent.as_u64()
        .filter(|limit| *limit >= 1)
        .map(|limit| Some(usize::try_from(limit).unwrap_or(usize::MAX)))
        .ok_or_else(|| ScimError::invalid_value("failOnErrors must be an integer of 1 or more"))
}

/// A member, letter case ignored; `null` counts as absent.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))?
        .clone();
    object.remove(&key).filter(|value| !value.is_null())
}

/// A text member; an empty one counts as absent.
fn text(object: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ScimError> {
    match take(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(ScimError::invalid_syntax(format!(
            "{name} must be a string"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BASE: &str = "https://scim.acme.test/scim/v2";

    fn parse(body: Value) -> Result<BulkRequest, ScimError> {
        BulkRequest::parse(
            body,
            BASE,
            &Registry::builtin().unwrap(),
            &Switches::default(),
        )
    }

    fn one(operation: Value) -> BulkOperation {
        let mut request = parse(json!({"schemas": [URN], "Operations": [operation]})).unwrap();
        request.operations.remove(0)
    }

    #[test]
    fn what_is_wrong_with_the_message_refuses_the_request() {
        use ScimErrorKind::{InvalidSyntax, InvalidValue, TooLarge};
        let post = json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": {}});
        for (body, kind) in [
            (json!([]), InvalidSyntax),
            (json!({"Operations": []}), InvalidSyntax),
            (json!({"schemas": [URN]}), InvalidSyntax),
            (json!({"schemas": [URN], "Operations": {}}), InvalidSyntax),
            (json!({"schemas": [URN], "Operations": [1]}), InvalidSyntax),
            (
                json!({"schemas": [URN], "Operations": [{"path": "/Users"}]}),
                InvalidSyntax,
            ),
            (
                json!({"schemas": [URN], "Operations": [post, post]}),
                InvalidSyntax,
            ),
            (
                json!({"schemas": [URN], "failOnErrors": 0, "Operations": []}),
                InvalidValue,
            ),
            (
                json!({"schemas": [URN], "failOnErrors": "1", "Operations": []}),
                InvalidValue,
            ),
            (
                json!({"schemas": [URN], "Operations": vec![post; MAX_OPERATIONS + 1]}),
                TooLarge,
            ),
        ] {
            assert_eq!(parse(body).unwrap_err().kind, kind);
        }
        let empty =
            parse(json!({"schemas": [URN], "operations": [], "failOnErrors": null})).unwrap();
        assert_eq!((empty.operations.len(), empty.fail_on_errors), (0, None));
    }

    #[test]
    fn a_path_is_an_endpoint_and_perhaps_an_id() {
        let target = |path: &str| {
            one(json!({"method": "delete", "path": path}))
                .planned
                .map(|planned| planned.action)
        };
        let u1 = Action::Delete(Target::Id("u1".to_owned()));
        for path in [
            "/Users/u1",
            "Users/u1",
            "/Users/u1/",
            &format!("{BASE}/Users/u1"),
        ] {
            assert_eq!(target(path), Ok(u1.clone()), "{path}");
        }
        assert_eq!(
            target("/Users/bulkId:a"),
            Ok(Action::Delete(Target::BulkId("a".to_owned())))
        );
        for path in [
            "/Pets/u1",
            "/Users/u1/name",
            "/Users/..",
            "https://evil.test/scim/v2/Users/u1",
            "//Users/u1",
        ] {
            assert!(
                matches!(target(path), Err(Refused::NoEndpoint(_))),
                "{path}"
            );
        }
        for path in [
            "/Users",
            "/Bulk",
            "/Users/.search",
            "/Me",
            "/Schemas/x",
            "",
            "/Users/u1?attributes=x",
        ] {
            assert!(matches!(target(path), Err(Refused::Scim(_))), "{path}");
        }
    }

    #[test]
    fn an_operation_that_asks_for_nothing_possible_fails_alone() {
        for operation in [
            json!({"method": "GET", "path": "/Users/u1"}),
            json!({"method": "POST", "path": "/Users", "data": {}}),
            json!({"method": "POST", "path": "/Users/u1", "bulkId": "a", "data": {}}),
            json!({"method": "PATCH", "path": "/Users/u1"}),
            json!({"method": "PUT", "path": "/Users", "data": {}}),
        ] {
            assert!(one(operation.clone()).planned.is_err(), "{operation}");
        }
    }
}
