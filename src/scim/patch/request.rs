//! The PATCH message as it arrives: operations in order, nothing resolved yet. RFC 7644 §3.5.2, PA-02..PA-06, PA-28.

use serde_json::{Map, Value};

use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::switches::Switches;
use crate::scim::validate::refuse_twins;

/// The URN every PATCH message carries.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// More operations than this in one message are refused (PA-28).
pub const MAX_OPERATIONS: usize = 1000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    Remove,
    Replace,
}

/// One operation as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub op: Op,
    /// `None` when missing or `null` (PA-05); an empty text stays, and fails as a path.
    pub path: Option<String>,
    /// `None` when missing; `null` is a value, it clears.
    pub value: Option<Value>,
}

/// A PATCH message.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchRequest {
    pub operations: Vec<Operation>,
}

impl PatchRequest {
    /// Reads a request body.
    ///
    /// # Errors
    /// `invalidSyntax` for the message's shape, `TooLarge` for too many operations.
    pub fn parse(body: Value, switches: &Switches) -> Result<Self, ScimError> {
        Self::read(body, switches, !switches.infer_schemas)
    }

    /// Reads the `data` of a bulk operation, where `schemas` may be missing (B-06).
    ///
    /// # Errors
    /// As [`PatchRequest::parse`].
    pub fn parse_in_bulk(body: Value, switches: &Switches) -> Result<Self, ScimError> {
        Self::read(body, switches, false)
    }

    fn read(body: Value, switches: &Switches, schemas_required: bool) -> Result<Self, ScimError> {
        let Value::Object(mut body) = body else {
            return Err(ScimError::invalid_syntax(
                "a PATCH body must be a JSON object",
            ));
        };
        check_schemas(take(&mut body, "schemas")?, schemas_required)?;
        let operations = match take(&mut body, "Operations")? {
            Some(Value::Array(operations)) if !operations.is_empty() => operations,
            Some(Value::Array(_)) => {
                return Err(ScimError::invalid_syntax(
                    "Operations is empty: send at least one operation",
                ));
            }
            Some(_) => return Err(ScimError::invalid_syntax("Operations must be an array")),
            None => return Err(ScimError::invalid_syntax("Operations is missing")),
        };
        if operations.len() > MAX_OPERATIONS {
            let detail = format!(
                "{} operations exceed the limit of {MAX_OPERATIONS} for one PATCH",
                operations.len()
            );
            return Err(ScimError::new(ScimErrorKind::TooLarge, detail));
        }
        let read = |(index, operation)| {
            Operation::read(operation, switches).map_err(|error| in_operation(index + 1, error))
        };
        let operations = operations
            .into_iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, _>>()?;
        Ok(Self { operations })
    }
}

impl Operation {
    fn read(operation: Value, switches: &Switches) -> Result<Self, ScimError> {
        let Value::Object(mut operation) = operation else {
            return Err(ScimError::invalid_syntax("an operation must be an object"));
        };
        let op = match take(&mut operation, "op")? {
            Some(Value::String(name)) => Op::read(&name, switches)?,
            Some(_) => {
                return Err(ScimError::invalid_syntax(
                    "op must be a string: add, remove or replace",
                ));
            }
            None => {
                return Err(ScimError::invalid_syntax(
                    "op is missing: add, remove or replace",
                ));
            }
        };
        let path = match take(&mut operation, "path")? {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) => Some(path),
            Some(_) => return Err(ScimError::invalid_syntax("path must be a string")),
        };
        let value = take(&mut operation, "value")?;
        if let Some(value) = &value {
            refuse_twins(value)?;
        }
        Ok(Self { op, path, value })
    }
}

impl Op {
    fn read(name: &str, switches: &Switches) -> Result<Self, ScimError> {
        let is = |op: &str| {
            if switches.ci_ops {
                name.eq_ignore_ascii_case(op)
            } else {
                name == op
            }
        };
        if is("add") {
            Ok(Self::Add)
        } else if is("remove") {
            Ok(Self::Remove)
        } else if is("replace") {
            Ok(Self::Replace)
        } else {
            let shown: String = name.chars().take(40).collect();
            Err(ScimError::invalid_syntax(format!(
                "unknown op {shown:?}: use add, remove or replace"
            )))
        }
    }
}

/// The same error, naming the operation it came from (the first is 1).
pub(super) fn in_operation(number: usize, error: ScimError) -> ScimError {
    ScimError {
        kind: error.kind,
        detail: format!("operation {number}: {}", error.detail),
    }
}

/// Takes a member of the message out, letter case ignored (PA-03); twice the same name is an error (M-10).
fn take(object: &mut Map<String, Value>, name: &str) -> Result<Option<Value>, ScimError> {
    let mut names = object.keys().filter(|key| key.eq_ignore_ascii_case(name));
    let Some(key) = names.next().cloned() else {
        return Ok(None);
    };
    if names.next().is_some() {
        return Err(ScimError::invalid_syntax(format!("{name} is given twice")));
    }
    Ok(object.shift_remove(&key))
}

fn check_schemas(schemas: Option<Value>, required: bool) -> Result<(), ScimError> {
    let schemas = match schemas {
        Some(Value::Array(schemas)) => schemas,
        None | Some(Value::Null) => Vec::new(),
        Some(_) => {
            return Err(ScimError::invalid_syntax(
                "schemas must be an array of strings",
            ));
        }
    };
    if schemas.is_empty() {
        return if required {
            Err(ScimError::invalid_syntax(format!(
                "schemas must name {PATCH_OP}"
            )))
        } else {
            Ok(())
        };
    }
    let mut named = false;
    for schema in &schemas {
        match schema {
            Value::String(urn) => named |= urn.eq_ignore_ascii_case(PATCH_OP),
            _ => {
                return Err(ScimError::invalid_syntax(
                    "schemas must be an array of strings",
                ));
            }
        }
    }
    if named {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!(
            "schemas must name {PATCH_OP}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: Value) -> Result<PatchRequest, ScimErrorKind> {
        PatchRequest::parse(body, &Switches::default()).map_err(|error| error.kind)
    }

    #[test]
    fn names_of_the_message_ignore_case_and_extra_members_are_skipped() {
        let body = json!({"Schemas": [PATCH_OP], "operations": [{"name": "x", "OP": "Add", "Path": null, "Value": {"title": "x"}}]});
        let operation = Operation {
            op: Op::Add,
            path: None,
            value: Some(json!({"title": "x"})),
        };
        assert_eq!(
            parse(body),
            Ok(PatchRequest {
                operations: vec![operation]
            })
        );
    }

    #[test]
    fn a_null_value_is_not_a_missing_value() {
        let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": null}, {"op": "remove", "path": "x"}]});
        let values: Vec<_> = parse(body)
            .unwrap()
            .operations
            .into_iter()
            .map(|operation| operation.value)
            .collect();
        assert_eq!(values, vec![Some(Value::Null), None]);
    }

    #[test]
    fn a_message_of_the_wrong_shape_is_a_syntax_error() {
        for body in [
            json!([]),
            json!({"schemas": [PATCH_OP]}),
            json!({"schemas": [PATCH_OP], "Operations": []}),
            json!({"schemas": [PATCH_OP], "Operations": {}}),
            json!({"schemas": [PATCH_OP], "Operations": ["x"]}),
            json!({"schemas": [PATCH_OP], "Operations": [{"path": "title"}]}),
            json!({"schemas": [PATCH_OP], "Operations": [{"op": 1}]}),
            json!({"schemas": [PATCH_OP], "Operations": [{"op": "move"}]}),
            json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "OP": "add"}]}),
            json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": 5}]}),
            json!({"schemas": ["urn:x"], "Operations": [{"op": "add"}]}),
            json!({"schemas": PATCH_OP, "Operations": [{"op": "add"}]}),
            json!({"Operations": [{"op": "add"}]}),
        ] {
            assert_eq!(
                parse(body.clone()),
                Err(ScimErrorKind::InvalidSyntax),
                "{body}"
            );
        }
    }

    #[test]
    fn schemas_may_be_missing_in_bulk_and_where_they_are_inferred() {
        let body = json!({"Operations": [{"op": "remove", "path": "title"}]});
        assert!(PatchRequest::parse_in_bulk(body.clone(), &Switches::default()).is_ok());
        let switches = Switches {
            infer_schemas: true,
            ..Switches::default()
        };
        assert!(PatchRequest::parse(body, &switches).is_ok());
    }

    #[test]
    fn too_many_operations_are_refused_by_a_sentence_that_names_the_limit() {
        let many = vec![json!({"op": "remove", "path": "title"}); MAX_OPERATIONS + 1];
        let body = json!({"schemas": [PATCH_OP], "Operations": many});
        let error = PatchRequest::parse(body, &Switches::default()).unwrap_err();
        assert_eq!(error.kind, ScimErrorKind::TooLarge);
        assert!(error.detail.contains("1000"), "{}", error.detail);
    }

    #[test]
    fn strict_operations_are_lower_case() {
        let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "Add", "value": {}}]});
        assert!(PatchRequest::parse(body, &Switches::strict()).is_err());
    }
}
