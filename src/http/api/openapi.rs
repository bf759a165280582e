//! The OpenAPI 3.1 document, collected from the handlers and completed with what every route has in common.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi as _, PartialSchema as _, ToSchema as _};

use super::Operations;
use super::problem::Problem;
use crate::service::dry_run::Plan;

/// The document. Made once.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(describe);

/// `GET /api/v1/openapi.json`
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(&*DOCUMENT)
}

/// The refusals any route can answer with, and when.
fn refusals(method: &str, path: &str, body: bool) -> Vec<(&'static str, &'static str)> {
    let mut list = vec![
        (
            "400",
            "`unknown_parameter`, `invalid_parameter`, `bad_cursor`, `malformed_json`, `invalid_header`",
        ),
        ("401", "`unauthenticated`"),
        (
            "403",
            "`forbidden`, `wrong_token_kind`, `plan_upgrade_required`",
        ),
        ("406", "`not_acceptable`"),
        (
            "503",
            "`unavailable`: try again after `Retry-After` seconds",
        ),
    ];
    if path.contains('{') || method != "get" || path == "/explain" {
        list.push((
            "404",
            "`not_found`, also for what belongs to another tenant",
        ));
    }
    if method != "get" {
        list.push((
            "409",
            if method == "post" {
                "`idempotency_in_progress`, `conflict`"
            } else {
                "`conflict`"
            },
        ));
        list.push((
            "412",
            "`version_conflict`: `If-Match` names another version than the present one",
        ));
        list.push((
            "422",
            if method == "post" {
                "`validation_failed`, `idempotency_mismatch`"
            } else {
                "`validation_failed`"
            },
        ));
    }
    if body {
        list.push(("413", "`too_large`"));
        list.push(("415", "`unsupported_media_type`"));
    }
    list
}

fn describe() -> Value {
    let mut document = serde_json::to_value(Operations::openapi()).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Rollcall REST API",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Learner groups, courses, assignments, enrollments and what the directories pushed.",
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
    });
    document["servers"] = json!([{"url": "/api/v1"}]);
    document["components"]["securitySchemes"] = json!({
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of kind `api`; the scopes stand beside each operation."},
    });
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    Plan::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    schemas.push((Plan::name().into_owned(), Plan::schema()));
    for (name, schema) in schemas {
        document["components"]["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flat_map(Map::iter_mut) {
                complete(method, path, operation);
            }
        }
    }
    document
}

/// Adds what every operation of its kind has: the dry run, refusals.
fn complete(method: &str, path: &str, operation: &mut Value) {
    let writes = method != "get";
    if writes {
        let dry_run = json!({
            "name": "dry_run", "in": "query", "required": false, "schema": {"type": "boolean"},
            "description": "Do it all and take it back: the answer is `200` with the plan of what would happen.",
        });
        match operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
        {
            Some(list) => list.push(dry_run),
            None => operation["parameters"] = json!([dry_run]),
        }
        planned(operation);
    }
    let problem =
        json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    for (status, description) in refusals(method, path, operation.get("requestBody").is_some()) {
        let answer = &mut operation["responses"][status];
        let description = match answer.get("description").and_then(Value::as_str) {
            Some(own) => format!("{own}, {description}"),
            None => description.to_owned(),
        };
        *answer = json!({"description": description});
    }
    if let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    {
        for (status, answer) in responses {
            if status.starts_with(['4', '5']) {
                answer["content"] = problem.clone();
            }
        }
    }
}

/// A write's `200` is also the answer to a dry run.
fn planned(operation: &mut Value) {
    let plan = json!({"$ref": "#/components/schemas/Plan"});
    let answer = &mut operation["responses"]["200"];
    if answer.is_null() {
        *answer = json!({"description": "With `dry_run`: the plan.", "content": {"application/json": {"schema": plan}}});
        return;
    }
    let schema = &mut answer["content"]["application/json"]["schema"];
    *schema = json!({"anyOf": [schema.take(), plan]});
}
