//! What every handler of a resource works out first: type, address, projection, permission.

use std::sync::Arc;

use actix_web::{HttpRequest, http::header};

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::message::SearchRequest;
use crate::scim::project::Projection;
use crate::scim::schema::ResourceType;
use crate::service::directory::document::LEARNER_EXTENSION;
use crate::service::directory::{Kind, Parts};
use crate::service::{Scope, ServiceError};

use super::exchange;

/// What every handler works out first.
pub(super) struct Asked {
    pub resource_type: Arc<ResourceType>,
    pub base: Arc<str>,
    pub projection: Projection,
}

pub(super) fn asked(
    state: &AppState,
    request: &HttpRequest,
    scope: &Scope,
    kind: Kind,
) -> Result<Asked, ServiceError> {
    let resource_type = resource_type(state, kind)?;
    let search = SearchRequest::from_query(request.query_string())?;
    let projection = Projection::parse(
        &resource_type,
        search.attributes.as_deref(),
        search.excluded_attributes.as_deref(),
    )?
    .within(&resource_type, scope.rights());
    Ok(Asked {
        resource_type,
        base: exchange::base(state, request),
        projection,
    })
}

pub(super) fn resource_type(
    state: &AppState,
    kind: Kind,
) -> Result<Arc<ResourceType>, ServiceError> {
    kind.resource_type(&state.registry)
        .cloned()
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no {}", kind.name())))
}

/// Only what the answer shows is read (A-19, G-09).
pub(super) fn parts(resource_type: &ResourceType, projection: &Projection) -> Parts {
    let of_learner = |name: &&str| projection.wants(resource_type, Some(LEARNER_EXTENSION), name);
    Parts {
        members: projection.wants(resource_type, None, "members"),
        groups: projection.wants(resource_type, None, "groups"),
        learner: ["registration", "approval", "enrollments"]
            .iter()
            .any(of_learner),
        names: !projection.is_default(),
    }
}

pub(super) fn may(scope: &Scope, permission: Permission) -> Result<(), ServiceError> {
    if scope.permissions.contains(permission) {
        Ok(())
    } else {
        Err(ServiceError::Denied(format!(
            "do this: it lacks the scope `{permission}`"
        )))
    }
}

/// Refuses a part of the protocol that the connection is not offered (SP-02).
pub(super) fn offered(is_offered: bool, part: &str) -> Result<(), ServiceError> {
    if is_offered {
        return Ok(());
    }
    let detail = format!("this connection is not offered {part}; /ServiceProviderConfig says so");
    Err(ScimError::new(ScimErrorKind::Unsupported, detail).into())
}

/// A header that is a list and may stand on several lines (RFC 9110 §5.3): all of them, joined. What is no text counts
/// as a tag that nothing has.
pub(super) fn header_list(request: &HttpRequest, name: &header::HeaderName) -> Option<String> {
    let lines: Vec<&str> = request
        .headers()
        .get_all(name)
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// GE-06: a filter belongs to a list.
pub(super) fn refuse_filter(request: &HttpRequest) -> Result<(), ServiceError> {
    match SearchRequest::from_query(request.query_string())?.filter {
        None => Ok(()),
        Some(_) => Err(ScimError::new(
            ScimErrorKind::InvalidFilter,
            "a filter belongs to a list; reading one resource takes none",
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::Registry;

    #[test]
    fn only_what_is_shown_is_read() {
        // A-19, G-09
        let registry = Registry::builtin().expect("the files load");
        let of = |name: &str, attributes: Option<&str>, excluded: Option<&str>| {
            let rt = registry.resource_type(name).expect("a type");
            let parts = parts(
                rt,
                &Projection::parse(rt, attributes, excluded).expect("names"),
            );
            (parts.members, parts.groups, parts.learner)
        };
        assert_eq!(of("User", None, None), (false, true, false));
        assert_eq!(
            of("User", Some(LEARNER_EXTENSION), None),
            (false, false, true)
        );
        assert_eq!(of("User", Some("userName"), None), (false, false, false));
        assert_eq!(of("User", None, Some("groups")), (false, false, false));
        assert_eq!(of("User", Some("groups.value"), None), (false, true, false));
        assert_eq!(of("Group", None, None), (true, false, false));
        assert_eq!(of("Group", None, Some("members")), (false, false, false));
        assert_eq!(
            of("Group", Some("members.value"), None),
            (true, false, false)
        );
        assert_eq!(
            of("Group", Some("displayName"), None),
            (false, false, false)
        );
    }
}
