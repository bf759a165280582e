//! What the client's rights let of a write pass (AU-08). The rights themselves are [`crate::scim::rights`].

use serde_json::Map;

use crate::scim::resource::Resource as Document;
use crate::scim::schema::ResourceType;
use crate::scim::validate::Accepted;

use super::super::{Scope, ServiceError};

/// Refuses a create that sets what the client may not write; what the server sets by default is not its doing.
pub(super) fn check_created(
    scope: &Scope,
    rt: &ResourceType,
    accepted: &Accepted,
) -> Result<(), ServiceError> {
    let mut defaults = Map::new();
    for (name, value) in accepted.resource.document() {
        if !value.is_object() && !accepted.named.contains(name) {
            defaults.insert(name.clone(), value.clone());
        }
    }
    let nothing = Document::from_valid(defaults);
    check(scope, rt, &nothing, &accepted.resource)
}

/// Refuses a change of what the client may not write; naming it as it is changes nothing.
pub(super) fn check(
    scope: &Scope,
    rt: &ResourceType,
    before: &Document,
    after: &Document,
) -> Result<(), ServiceError> {
    let Some(rights) = scope.rights() else {
        return Ok(());
    };
    let forbidden = rights.forbidden(rt, before, after);
    if forbidden.is_empty() {
        return Ok(());
    }
    Err(denied(&forbidden.join(", ")))
}

/// Refuses a change of a group's members by who may not write them.
pub(super) fn check_members(
    scope: &Scope,
    group: &ResourceType,
    changed: bool,
) -> Result<(), ServiceError> {
    match (scope.rights(), group.core_attribute("members")) {
        (Some(rights), Some(def)) if changed && !rights.may_write(group, None, def) => {
            Err(denied("members"))
        }
        _ => Ok(()),
    }
}

/// Whether a PUT that leaves `members` out may mean that there are none: the client must be able to see and to write them.
pub(super) fn empties_members(scope: &Scope, group: &ResourceType) -> bool {
    match (scope.rights(), group.core_attribute("members")) {
        (Some(rights), Some(def)) => {
            rights.may_write(group, None, def) && rights.may_read(group, None, def)
        }
        _ => true,
    }
}

/// The document a PUT leads to: what the client may not touch, or could not see, stays where it is left out.
pub(super) fn kept(scope: &Scope, rt: &ResourceType, before: &Document, accepted: &mut Accepted) {
    if let Some(rights) = scope.rights() {
        let after = std::mem::take(&mut accepted.resource);
        accepted.resource = rights.kept(rt, before, after, &accepted.named);
    }
}

fn denied(what: &str) -> ServiceError {
    ServiceError::Denied(format!(
        "change {what}: its connection lets it write other attributes only"
    ))
}
