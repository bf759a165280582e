//! Discovery and methods. RFC 7644 §4, §3.2.

use super::custom::folder;
use super::people::people;
use crate::harness::{ENT, GROUP, LEARNER_GROUP, TestApp, USER, Value, json};

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

/// RT-02, RT-03, RT-04, RT-05, RT-07, RT-08: what a resource type says of itself.
#[test]
fn a_resource_type_names_its_endpoint_and_served_schemas() {
    let app = TestApp::with_folder(&folder());
    let scim = app.scim();
    let schemas = scim.get("/Schemas").names("id");
    let types = scim.get("/ResourceTypes").json["Resources"].clone();
    for one in types.as_array().into_iter().flatten() {
        for key in ["name", "endpoint", "schema", "description"] {
            assert!(
                one[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key} of {one}"
            );
        }
        assert_eq!(one["id"], one["name"]);
        // RT-09
        let name = one["name"].as_str().unwrap_or_default();
        let location = format!("{}/ResourceTypes/{name}", app.scim_base());
        assert_eq!(one["meta"]["resourceType"], "ResourceType");
        assert_eq!(one["meta"]["location"], location);
        assert_eq!(
            &scim.get(&format!("/ResourceTypes/{name}")).expect(200).json,
            one
        );
        let endpoint = one["endpoint"].as_str().unwrap_or_default();
        assert!(
            endpoint.starts_with('/') && !endpoint.contains("scim"),
            "{one}"
        );
        scim.get(&format!("{endpoint}?count=0")).expect(200);
        let named = |value: &Value| schemas.iter().any(|urn| value == urn);
        assert!(named(&one["schema"]), "{one}");
        for extension in one["schemaExtensions"].as_array().expect("an array") {
            assert!(
                named(&extension["schema"]) && extension["required"] == false,
                "{extension}"
            );
            assert_eq!(extension.as_object().map(|object| object.len()), Some(2));
        }
    }
    assert!(types[0]["schemaExtensions"].to_string().contains(ENT));
}

/// RT-06: every resource of the type must carry a required extension, with its required attributes.
#[test]
fn a_required_extension_must_be_carried() {
    let here = tempfile::tempdir().expect("a folder");
    let file = r#"{"id": "urn:x:params:Must", "name": "Must", "rollcall": {"extends": "User", "required": true},
        "attributes": [{"name": "contract", "required": true}, {"name": "more"}]}"#;
    std::fs::write(here.path().join("must.json"), file).expect("a file is written");
    let app = TestApp::with_folder(here.path());
    let scim = app.scim();
    let types = scim.get("/ResourceTypes/User");
    assert!(
        types.json["schemaExtensions"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|one| one["schema"] == "urn:x:params:Must" && one["required"] == true)
    );
    let with = |extension: Value| json!({ "schemas": [USER], "userName": "ada", "urn:x:params:Must": extension });
    scim.post("/Users", &crate::harness::user("ada"))
        .scim_error("invalidValue");
    scim.post("/Users", &with(json!({ "more": "x" })))
        .scim_error("invalidValue");
    let made = scim.post("/Users", &with(json!({ "contract": "C1" })));
    assert_eq!(
        made.expect(201).json["schemas"],
        json!([USER, "urn:x:params:Must"])
    );
    let remove = json!([{ "op": "remove", "path": "urn:x:params:Must" }]);
    scim.patch(
        &format!("/Users/{}", made.id()),
        &crate::harness::patch(remove),
    )
    .scim_failure(400);
    scim.put(
        &format!("/Users/{}", made.id()),
        &crate::harness::user("ada"),
    )
    .scim_error("invalidValue");
}

/// SH-02, SH-03, SH-04, SH-05, SH-06, SH-07, SH-08, SH-11: each schema by its URN in any case, complete, explicit, without a null.
#[test]
fn a_schema_is_found_by_its_urn_in_any_case_and_is_complete() {
    let app = TestApp::with_folder(&folder());
    let scim = app.scim();
    let all = scim.get("/Schemas");
    let types = [
        "string",
        "boolean",
        "decimal",
        "integer",
        "dateTime",
        "reference",
        "binary",
        "complex",
    ];
    for schema in all.json["Resources"].as_array().into_iter().flatten() {
        let urn = schema["id"].as_str().unwrap_or_default();
        assert_eq!(
            &scim
                .get(&format!("/Schemas/{}", urn.to_uppercase()))
                .expect(200)
                .json,
            schema
        );
        assert_eq!(
            schema["schemas"],
            json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"])
        );
        assert_eq!(schema["meta"]["resourceType"], "Schema");
        assert!(
            schema["meta"]["location"]
                .as_str()
                .is_some_and(|at| at.ends_with(&format!("/Schemas/{urn}")))
        );
        assert!(schema["name"].is_string() && schema["description"].is_string());
        let mut left: Vec<(&Value, bool)> = schema["attributes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| (one, false))
            .collect();
        assert!(!left.is_empty(), "{urn}");
        while let Some((attribute, is_sub)) = left.pop() {
            let kind = attribute["type"].as_str().unwrap_or_default();
            assert!(
                types.contains(&kind) && !(is_sub && kind == "complex"),
                "{attribute}"
            );
            assert!(attribute["name"].is_string() && attribute["multiValued"].is_boolean());
            assert_eq!(
                attribute["subAttributes"].is_array(),
                kind == "complex",
                "{attribute}"
            );
            assert_eq!(
                attribute["referenceTypes"].is_array(),
                kind == "reference",
                "{attribute}"
            );
            let plain = kind != "complex" && kind != "boolean";
            assert_eq!(attribute.get("caseExact").is_some(), plain, "{attribute}");
            assert_eq!(attribute.get("uniqueness").is_some(), plain, "{attribute}");
            left.extend(
                attribute["subAttributes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| (one, true)),
            );
        }
    }
    for name in ["ServiceProviderConfig", "ResourceType", "Schema"] {
        assert!(all.names("name").contains(&name.to_owned()));
    }
    assert!(!all.text.contains("null"));
    for method in ["PUT", "PATCH", "DELETE"] {
        scim.send(method, &format!("/Schemas/{USER}"), Some(b"{}"))
            .scim_failure(405);
    }
}

/// SH-09, and what Entra's discovery derives its mappings from: `externalId`, canonical types, none for roles.
#[test]
fn discovery_lists_what_entra_maps() {
    let app = TestApp::new();
    let scim = app.scim();
    let attribute = |urn: &str, name: &str| {
        let schema = scim
            .get(&format!("/Schemas/{urn}"))
            .expect(200)
            .json
            .clone();
        let all = schema["attributes"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("{name} of {urn}"))
    };
    for urn in [USER, GROUP] {
        assert_eq!(attribute(urn, "externalId")["caseExact"], true);
    }
    let types_of = |name: &str| {
        let subs = attribute(USER, name)["subAttributes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        subs.into_iter()
            .find(|sub| sub["name"] == "type")
            .expect("a type")["canonicalValues"]
            .clone()
    };
    assert_eq!(types_of("emails"), json!(["work", "home", "other"]));
    assert_eq!(
        types_of("phoneNumbers"),
        json!(["work", "home", "mobile", "fax", "pager", "other"])
    );
    assert_eq!(types_of("addresses"), json!(["work", "home", "other"]));
    assert_eq!(types_of("roles"), Value::Null);
}

/// DC-01, DC-02, DC-03, DC-04: parameters of lists mean nothing here, a filter is refused, documents have a tag.
#[test]
fn discovery_ignores_what_shapes_lists_and_knows_what_a_client_has() {
    let app = TestApp::new();
    let scim = app.scim();
    for path in [
        "/Schemas",
        "/ResourceTypes",
        "/ServiceProviderConfig",
        "/ResourceTypes/User",
    ] {
        let plain = scim.get(path);
        let shaped = scim.get(&format!("{path}?startIndex=2&count=1&sortBy=id&sortOrder=descending&attributes=id&excludedAttributes=name"));
        assert_eq!(shaped.expect(200).json, plain.json, "{path}");
        scim.get(&format!("{path}?filter=name eq \"User\""))
            .scim_failure(403);
        assert_eq!(plain.header("cache-control"), "private, max-age=60");
        let tag = plain.etag();
        let known = scim
            .with_header("If-None-Match", &format!("W/\"0\", {tag}"))
            .get(path);
        assert!(known.expect(304).text.is_empty() && known.etag() == tag);
        scim.with_header("If-None-Match", "W/\"0\"")
            .get(path)
            .expect(200);
    }
}
