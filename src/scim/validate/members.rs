//! The detached attribute as it is sent: a list of ids. RFC 7643 §4.2; T-13, M-55, G-05, G-06, E8.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::note::{excerpt, note};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::message::Note;
use crate::scim::schema::AttributeDef;
use crate::scim::switches::Switches;

/// Members in one request (E8).
pub const MAX_MEMBERS: usize = 100_000;
/// Longest id of a member, in bytes; ours are 36 characters, a client's guess may be longer.
const MAX_ID: usize = 512;

/// One member as a client names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberInput {
    pub id: String,
    /// The client says it is a group, which nobody here can be a member as (G-05).
    pub is_group: bool,
}

/// The members of a body, in order, each id once.
pub type MembersInput = Vec<MemberInput>;

/// Reads the whole attribute. An entry that names nobody refuses the request: taken for nothing, it would turn a
/// replacement into "no members".
pub(in crate::scim) fn read(
    def: &AttributeDef,
    value: Value,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<MembersInput, ScimError> {
    let entries = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(entries) => entries,
        entry @ Value::Object(_) if switches.wrap_scalar => vec![entry],
        _ => {
            return Err(ScimError::invalid_value(format!(
                "{} must be an array of objects",
                def.name
            )));
        }
    };
    if entries.len() > MAX_MEMBERS {
        let detail = format!(
            "{} holds more than {MAX_MEMBERS} values; send them in several requests",
            def.name
        );
        return Err(ScimError::new(ScimErrorKind::TooLarge, detail));
    }
    let mut seen = HashSet::with_capacity(entries.len());
    let mut members = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let path = || format!("{}[{index}]", def.name);
        let member = member(entry, switches)
            .map_err(|what| ScimError::invalid_value(format!("{} {what}", path())))?;
        if member.is_group {
            note(
                notes,
                "nested_group_ignored",
                format!("{}[value eq \"{}\"]", def.name, excerpt(&member.id)),
            );
        }
        if seen.insert(member.id.clone()) {
            members.push(member);
        }
    }
    Ok(members)
}

fn member(entry: Value, switches: &Switches) -> Result<MemberInput, &'static str> {
    let object = match entry {
        Value::Object(object) => object,
        Value::String(id) if switches.wrap_scalar => {
            Map::from_iter([("value".to_owned(), Value::String(id))])
        }
        _ => return Err("must be an object with a value"),
    };
    let (referenced, endpoint) = reference(text(&object, "$ref")?);
    let value = text(&object, "value")?;
    let id = if value.is_empty() { referenced } else { value };
    if id.is_empty() {
        return Err("has no value");
    }
    if id.len() > MAX_ID || id.contains('\0') {
        return Err("has a value that is no id");
    }
    let kind = text(&object, "type")?;
    let is_group = if kind.is_empty() {
        endpoint.eq_ignore_ascii_case("Groups")
    } else {
        !kind.eq_ignore_ascii_case("User")
    };
    Ok(MemberInput {
        id: id.to_owned(),
        is_group,
    })
}

/// The id and the endpoint at the end of a `$ref`: `…/Users/{id}`. Empty when there is no such end.
pub(super) fn reference(uri: &str) -> (&str, &str) {
    let mut segments = uri.trim_end_matches('/').rsplit('/');
    match (segments.next(), segments.next()) {
        (Some(id), Some(endpoint)) if !endpoint.is_empty() => (id, endpoint),
        _ => ("", ""),
    }
}

/// A text of an entry; `""` when missing or null.
fn text<'o>(object: &'o Map<String, Value>, name: &str) -> Result<&'o str, &'static str> {
    match object
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
    {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err("has a value, type or $ref that is no string"),
    }
}
