//! Operations on the detached `members`: what they come to, without a look at who is a member.
//!
//! `idp-behavior.md` §12.5: identity of an entry is its `value`; an entry without a readable one refuses the whole
//! PATCH; the absence of members in an operation never means "no members". G-03: a member's parts never change.

use serde_json::Value;

use super::changes::MembersChange;
use super::request::Op;
use super::target::{ElementFilter, Place};
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::checked::{CheckedFilter, Literal, Operator, Predicate};
use crate::scim::message::Note;
use crate::scim::switches::Switches;
use crate::scim::validate::{MemberInput, read_members};

/// `add` or `replace` on members; `None` when it comes to nothing.
pub(super) fn write(
    op: Op,
    place: &Place,
    value: Value,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<Option<MembersChange>, ScimError> {
    if place.attr.sub.is_some() {
        return Err(fixed(place));
    }
    if let Some(filter) = &place.filter {
        return write_filtered(op, place, filter, value, switches, notes);
    }
    let members = read_members(&place.attr.def, value, switches, notes)?;
    Ok(match (op, members.is_empty()) {
        (Op::Replace, true) => Some(MembersChange::RemoveAll),
        (Op::Replace, false) => Some(MembersChange::ReplaceAll(members)),
        (_, true) => None,
        (_, false) => Some(MembersChange::Add(members)),
    })
}

/// `members[value eq "x"]` as the object of `add` or `replace`: adding the same id is an `add` of it (PA-36),
/// replacing by nothing removes it (PA-42), everything else would change a member.
fn write_filtered(
    op: Op,
    place: &Place,
    filter: &ElementFilter,
    value: Value,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<Option<MembersChange>, ScimError> {
    let nothing = matches!(&value, Value::Null) || value.as_array().is_some_and(Vec::is_empty);
    if nothing {
        return Ok(if op == Op::Replace {
            Some(removal(&filter.checked))
        } else {
            None
        });
    }
    let named = ids(&filter.checked);
    let entries = match &value {
        Value::Object(object)
            if !object
                .keys()
                .any(|key| key.eq_ignore_ascii_case("value") || key == "$ref") =>
        {
            Vec::new()
        }
        _ => read_members(&place.attr.def, value, switches, notes)?,
    };
    match named.as_deref() {
        Some([id]) if op == Op::Add && entries.iter().all(|entry| entry.id == *id) => {
            let new = entries.into_iter().next().unwrap_or_else(|| MemberInput {
                id: id.clone(),
                is_group: false,
            });
            Ok(Some(MembersChange::Add(vec![new])))
        }
        _ => Err(fixed(place)),
    }
}

/// `remove` on members; `None` when it comes to nothing. A `null` value has been taken for none.
pub(super) fn remove(
    place: &Place,
    value: Option<Value>,
    switches: &Switches,
) -> Result<Option<MembersChange>, ScimError> {
    if place.attr.sub.is_some() {
        return Err(fixed(place));
    }
    if let Some(filter) = &place.filter {
        return Ok(Some(removal(&filter.checked)));
    }
    match value {
        Some(value) if switches.remove_value_list => {
            // What a removal names need not be a user: nothing to note.
            let listed = read_members(&place.attr.def, value, switches, &mut Vec::new())?;
            let ids: Vec<String> = listed.into_iter().map(|member| member.id).collect();
            Ok(if ids.is_empty() {
                None
            } else {
                Some(MembersChange::Remove(ids))
            })
        }
        _ => Ok(Some(MembersChange::RemoveAll)),
    }
}

fn removal(filter: &CheckedFilter) -> MembersChange {
    match ids(filter) {
        Some(ids) => MembersChange::Remove(ids),
        None => MembersChange::RemoveWhere(filter.clone()),
    }
}

/// The ids of `value eq "x"`, and of several joined by `or`.
fn ids(filter: &CheckedFilter) -> Option<Vec<String>> {
    match filter {
        CheckedFilter::Or(terms) => {
            let mut all = Vec::with_capacity(terms.len());
            for term in terms {
                all.extend(ids(term)?);
            }
            Some(all)
        }
        CheckedFilter::Test(test)
            if test
                .attr
                .sub
                .as_ref()
                .is_some_and(|sub| sub.name == "value") =>
        {
            match &test.predicate {
                Predicate::Compare(Operator::Eq, Literal::Exact(id)) => Some(vec![id.clone()]),
                _ => None,
            }
        }
        _ => None,
    }
}

fn fixed(place: &Place) -> ScimError {
    let detail = format!(
        "{}: a member cannot be edited; remove it and add another",
        place.shown()
    );
    ScimError::new(ScimErrorKind::Mutability, detail)
}
