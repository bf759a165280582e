//! The `schemas` array and the `urn:` containers of a body. W-02 to W-05, W-10, D-07, D-08.

use std::sync::Arc;

use serde_json::Value;

use super::note::{excerpt, note};
use crate::scim::error::ScimError;
use crate::scim::message::Note;
use crate::scim::schema::{ResourceType, Schema};
use crate::scim::switches::Switches;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// As it stands in samples of Entra's documentation, a colon short.
const MISSPELLED_ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
/// SCIM 1.1, and the mixture of both that OneLogin's templates carry.
const LEGACY: &str = "urn:scim:schemas:";

/// Checks `schemas` as it was sent.
pub(super) fn check(
    rt: &ResourceType,
    sent: Option<&Value>,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<(), ScimError> {
    let shape = || ScimError::invalid_syntax("schemas must be an array of URNs");
    let urns = match sent {
        None | Some(Value::Null) => &[],
        Some(Value::Array(urns)) => urns.as_slice(),
        Some(_) => return Err(shape()),
    };
    if urns.is_empty() {
        if switches.infer_schemas {
            note(notes, "schemas_inferred", "schemas");
            return Ok(());
        }
        return Err(ScimError::invalid_syntax(format!(
            "schemas is missing; it must name {}",
            rt.schema.id
        )));
    }
    let mut has_base = false;
    for urn in urns {
        let urn = urn.as_str().ok_or_else(shape)?;
        let meant = renamed(rt, urn);
        if meant.is_some() {
            note(notes, "legacy_schema", excerpt(urn));
        }
        let meant = meant.as_deref().unwrap_or(urn);
        if meant.eq_ignore_ascii_case(&rt.schema.id) {
            has_base = true;
        } else if rt.extension(meant).is_some() {
        } else if meant
            .get(..CORE.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(CORE))
        {
            let detail = format!(
                "schemas names {}, which is not for {}",
                excerpt(urn),
                rt.endpoint
            );
            return Err(ScimError::invalid_value(detail));
        } else {
            unknown(urn, switches, notes)?;
        }
    }
    if has_base {
        Ok(())
    } else {
        Err(ScimError::invalid_value(format!(
            "schemas must name {}",
            rt.schema.id
        )))
    }
}

/// The extension a container key stands for. A legacy or misspelled key counts when the right one is absent.
pub(super) fn container<'r>(
    rt: &'r ResourceType,
    key: &str,
    present: &[String],
    notes: &mut Vec<Note>,
) -> Option<&'r Arc<Schema>> {
    if let Some(schema) = rt.extension(key) {
        return Some(schema);
    }
    let meant = renamed(rt, key)?;
    let schema = rt.extension(&meant)?;
    if present
        .iter()
        .any(|other| other.eq_ignore_ascii_case(&schema.id))
    {
        return None;
    }
    note(notes, "legacy_schema", excerpt(key));
    Some(schema)
}

/// A URN nobody here knows: left out and noted (W-10), or refused under a strict switch.
pub(super) fn unknown(
    urn: &str,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<(), ScimError> {
    if !switches.ignore_unknown_schemas {
        return Err(ScimError::invalid_value(format!(
            "the schema {} is not known here",
            excerpt(urn)
        )));
    }
    note(notes, "unknown_schema", excerpt(urn));
    Ok(())
}

/// The present form of an old or misspelled URN (W-04); `None` for all others.
fn renamed(rt: &ResourceType, urn: &str) -> Option<String> {
    if urn.eq_ignore_ascii_case(MISSPELLED_ENTERPRISE) {
        return Some(ENTERPRISE.to_owned());
    }
    let lower = urn.to_ascii_lowercase();
    let rest = lower.strip_prefix(LEGACY)?;
    match rest {
        "core:1.0" | "core:2.0" => Some(rt.schema.id.clone()),
        "core:1.0:user" | "core:2.0:user" => Some(format!("{CORE}User")),
        "core:1.0:group" | "core:2.0:group" => Some(format!("{CORE}Group")),
        "extension:enterprise:1.0"
        | "extension:enterprise:2.0"
        | "extension:enterprise:1.0:user"
        | "extension:enterprise:2.0:user" => Some(ENTERPRISE.to_owned()),
        _ => None,
    }
}
