//! Discovery and methods. RFC 7644 §4, §3.2.

use super::people::people;
use crate::harness::{ENT, GROUP, LEARNER_GROUP, TestApp, USER, json};

#[test]
fn the_service_provider_config_is_public_and_tells_the_truth() {
    let app = TestApp::new();
    let config = app.client("/scim/v2", None).get("/ServiceProviderConfig");
    config.expect(200);
    assert_eq!(
        config.json["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"])
    );
    for (feature, supported) in [
        ("patch", true),
        ("filter", true),
        ("sort", true),
        ("etag", true),
        ("bulk", true),
        ("changePassword", false),
    ] {
        assert_eq!(config.json[feature]["supported"], supported, "{feature}");
    }
    assert!(
        config.json["filter"]["maxResults"]
            .as_i64()
            .is_some_and(|max| max >= 100)
    );
    assert!(
        config.json["bulk"]["maxOperations"].is_i64()
            && config.json["bulk"]["maxPayloadSize"].is_i64()
    );
    assert_eq!(
        config.json["authenticationSchemes"][0]["type"],
        "oauthbearertoken"
    );
    assert!(!config.text.contains("null"));
}

#[test]
fn resource_types_and_schemas_name_each_other() {
    let app = TestApp::new();
    let scim = app.scim();
    let types = scim.get("/ResourceTypes");
    let schemas = scim.get("/Schemas");
    let known = schemas.expect(200).names("id");
    assert_eq!(types.expect(200).json["totalResults"], 2);
    for one in types.json["Resources"].as_array().into_iter().flatten() {
        assert_eq!(one["id"], one["name"]);
        assert!(
            known.contains(&one["schema"].as_str().unwrap_or_default().to_owned()),
            "{one}"
        );
        for extension in one["schemaExtensions"].as_array().into_iter().flatten() {
            assert!(
                known.contains(&extension["schema"].as_str().unwrap_or_default().to_owned()),
                "{extension}"
            );
            assert_eq!(extension["required"], false);
        }
        let alone = scim.get(&format!(
            "/ResourceTypes/{}",
            one["name"].as_str().unwrap_or_default()
        ));
        assert_eq!(&alone.expect(200).json, one);
    }
    for urn in [
        USER,
        GROUP,
        ENT,
        LEARNER_GROUP,
        "urn:rollcall:params:scim:schemas:extension:learner:2.0:User",
    ] {
        assert!(known.contains(&urn.to_owned()), "{urn}");
        let schema = scim.get(&format!("/Schemas/{urn}"));
        assert_eq!(schema.expect(200).json["id"], urn);
        assert_eq!(schema.json["meta"]["resourceType"], "Schema");
    }
    for name in ["ServiceProviderConfig", "ResourceType", "Schema"] {
        assert!(schemas.names("name").contains(&name.to_owned()), "{name}");
    }
}

#[test]
fn hv_24_a_filter_on_a_discovery_document_is_refused() {
    let app = TestApp::new();
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        app.scim()
            .get(&format!("{path}?filter=id pr"))
            .scim_failure(403);
        app.scim()
            .get(&format!("{path}?count=1&sortBy=id&attributes=id"))
            .expect(200);
    }
    assert!(app.scim().get("/Schemas?count=1").names("id").len() > 5);
}

#[test]
fn hv_25_an_unknown_schema_is_404() {
    let app = TestApp::new();
    app.scim().get("/Schemas/urn:none").scim_failure(404);
    app.scim().get("/ResourceTypes/Device").scim_failure(404);
}

#[test]
fn hv_26_a_method_that_is_not_possible_says_which_are() {
    let app = TestApp::new();
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let reply = app.scim().send(method, path, None);
            reply.scim_failure(405);
            assert_eq!(
                reply.header("allow"),
                "GET, HEAD, OPTIONS",
                "{method} {path}"
            );
        }
    }
    for (method, path) in [
        ("DELETE", "/Users"),
        ("PUT", "/Groups"),
        ("PATCH", "/Users"),
        ("POST", "/Users/x"),
        ("GET", "/Users/.search"),
    ] {
        let reply = app.scim().send(method, path, None);
        reply.scim_failure(405);
        assert!(!reply.header("allow").is_empty(), "{method} {path}");
    }
}

#[test]
fn hv_55_another_version_of_the_protocol_is_refused() {
    let app = TestApp::new();
    let token = app.token("scim", None, None);
    for version in ["v1", "v3", "v9"] {
        app.client(&format!("/scim/{version}"), Some(&token))
            .get("/Users")
            .scim_error("invalidVers");
    }
}

#[test]
fn hv_56_what_is_not_there_is_404_in_the_shape_of_scim() {
    let p = people();
    for path in [
        "/nosuch",
        "/users",
        "/Users/not-a-uuid",
        "/Users/a/b",
        "/Users/x/.search",
        "/Schemas/.search/x",
    ] {
        p.app.scim().get(path).scim_failure(404);
    }
    p.app
        .scim()
        .get(&format!("/Users/{}.scim", p.u1))
        .scim_failure(404);
}

#[test]
fn head_answers_as_get_without_a_body() {
    let p = people();
    for path in [
        "/Users".to_owned(),
        format!("/Users/{}", p.u1),
        "/Schemas".to_owned(),
        "/ServiceProviderConfig".to_owned(),
    ] {
        let get = p.app.scim().get(&path);
        let head = p.app.scim().send("HEAD", &path, None);
        head.expect(200);
        assert!(head.text.is_empty());
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
}

#[test]
fn the_answer_is_scim_json_whatever_accept_says() {
    let p = people();
    for accept in [
        "",
        "*/*",
        "application/json",
        "text/html",
        "application/scim+json; charset=utf-8",
        "nonsense",
    ] {
        let reply = p
            .app
            .scim()
            .with_header("Accept", accept)
            .get(&format!("/Users/{}", p.u1));
        assert_eq!(
            reply.expect(200).header("content-type"),
            "application/scim+json",
            "{accept}"
        );
    }
}

#[test]
fn the_base_of_an_endpoint_takes_a_slash_at_its_end() {
    let p = people();
    assert_eq!(
        p.app.scim().get("/Users/").expect(200).json["totalResults"],
        4
    );
}
