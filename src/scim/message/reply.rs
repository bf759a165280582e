//! Messages that go out: lists, errors, the provider's configuration. RFC 7644 §3.4.2, §3.12, §4; RFC 9865 §2, §4.

use serde_json::{Value, json};

use super::search::{CURSOR_TIMEOUT, DEFAULT_COUNT, MAX_RESULTS};
use crate::scim::bulk;
use crate::scim::error::ScimErrorKind;
use crate::scim::switches::Switches;

/// Where a page lies in its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The index of its first resource (P-05).
    Index(i64),
    /// What leads to its neighbors (K-04, K-05, K-11).
    Cursor {
        next: Option<String>,
        previous: Option<String>,
    },
}

/// A `ListResponse` around resources that are serialized already (Q-01, Q-02, P-05).
#[must_use]
pub fn list_response(total: i64, page: &Page, resources: &[String]) -> String {
    let mut out = String::with_capacity(
        512 + resources
            .iter()
            .map(|resource| resource.len() + 1)
            .sum::<usize>(),
    );
    out.push_str(
        "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"totalResults\":",
    );
    out.push_str(&total.to_string());
    let mut member = |name: &str, value: &str| {
        for part in [",\"", name, "\":", value] {
            out.push_str(part);
        }
    };
    match page {
        Page::Index(start_index) => member("startIndex", &start_index.to_string()),
        Page::Cursor { next, previous } => {
            for (name, cursor) in [("nextCursor", next), ("previousCursor", previous)] {
                if let Some(cursor) = cursor {
                    member(name, &Value::from(cursor.as_str()).to_string());
                }
            }
        }
    }
    member("itemsPerPage", &resources.len().to_string());
    out.push_str(",\"Resources\":[");
    for (position, resource) in resources.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(resource);
    }
    out.push_str("]}");
    out
}

/// `/ServiceProviderConfig`: what the server does for whom these switches are, no more (SP-02).
#[must_use]
pub fn service_provider_config(base: &str, offered: &Switches) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": offered.patch },
        "bulk": { "supported": offered.bulk, "maxOperations": bulk::MAX_OPERATIONS, "maxPayloadSize": bulk::MAX_PAYLOAD },
        "filter": { "supported": offered.filter, "maxResults": MAX_RESULTS },
        "pagination": {
            "cursor": offered.cursors,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_RESULTS,
            "cursorTimeout": CURSOR_TIMEOUT,
        },
        "changePassword": { "supported": false },
        "sort": { "supported": offered.sort },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A JSON Web Token made by the server, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }, {
            "type": "oauth2",
            "name": "OAuth 2.0 client credentials",
            "description": "Short-lived tokens from /oauth2/token, for connections that have a client secret",
            "specUri": "https://www.rfc-editor.org/info/rfc6749",
            "primary": false,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
}

/// The error body without its status line; HTTP knows the status.
#[must_use]
pub fn error_body(status: u16, kind: Option<ScimErrorKind>, detail: &str) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.to_string(),
        "detail": detail,
    });
    if let (Some(keyword), Some(object)) =
        (kind.and_then(ScimErrorKind::keyword), body.as_object_mut())
    {
        object.insert("scimType".to_owned(), Value::from(keyword));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_one_json_object_however_many_resources_it_has() {
        for resources in [
            vec![],
            vec!["{\"id\":\"1\"}".to_owned()],
            vec!["{}".to_owned(), "{\"id\":\"2\"}".to_owned()],
        ] {
            let list: Value = serde_json::from_str(&list_response(12, &Page::Index(3), &resources))
                .expect("JSON");
            assert_eq!(
                (&list["totalResults"], &list["startIndex"]),
                (&json!(12), &json!(3))
            );
            assert_eq!(list["itemsPerPage"], json!(resources.len()));
            assert_eq!(
                list["Resources"].as_array().map(Vec::len),
                Some(resources.len())
            );
        }
    }

    #[test]
    fn a_page_of_cursors_names_them_and_no_index() {
        let page = |next: Option<&str>, previous: Option<&str>| {
            let page = Page::Cursor {
                next: next.map(str::to_owned),
                previous: previous.map(str::to_owned),
            };
            let list = list_response(2, &page, &["{}".to_owned()]);
            serde_json::from_str::<Value>(&list).expect("JSON")
        };
        let middle = page(Some("a-1"), Some("b_2"));
        assert_eq!(
            (&middle["nextCursor"], &middle["previousCursor"]),
            (&json!("a-1"), &json!("b_2"))
        );
        assert_eq!(middle["itemsPerPage"], json!(1));
        let only = page(None, None);
        for name in ["nextCursor", "previousCursor", "startIndex"] {
            assert_eq!(only.get(name), None, "{name}");
        }
    }

    #[test]
    fn an_error_carries_its_status_as_a_string() {
        let body = error_body(400, Some(ScimErrorKind::InvalidFilter), "no");
        assert_eq!(
            (&body["status"], &body["scimType"]),
            (&json!("400"), &json!("invalidFilter"))
        );
        assert!(
            error_body(413, Some(ScimErrorKind::TooLarge), "no")
                .get("scimType")
                .is_none()
        );
    }

    #[test]
    fn the_provider_configuration_has_what_its_schema_requires() {
        let registry = crate::scim::schema::Registry::builtin().expect("the files load");
        let schema = registry
            .schema("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig")
            .expect("it is served");
        let config = service_provider_config("https://x.test/scim/v2", &Switches::default());
        for def in schema.attributes.iter().filter(|def| def.required) {
            let value = config.get(&def.name).unwrap_or(&Value::Null);
            let parts = value
                .as_array()
                .and_then(|all| all.first())
                .unwrap_or(value);
            for sub in def.sub_attributes.iter().filter(|sub| sub.required) {
                assert!(parts.get(&sub.name).is_some(), "{}.{}", def.name, sub.name);
            }
        }
    }
}
