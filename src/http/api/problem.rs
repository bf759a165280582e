//! Why a route of the REST API does not answer as asked, and how that is told: RFC 9457 (`rest-and-console.md` A1).

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::conform::FieldError;
use crate::http::error::{self, Told};
use crate::ids::RequestId;
use crate::service::ServiceError;

/// Why a handler cannot answer as asked.
#[derive(Debug)]
pub enum Failure {
    /// The use case refuses.
    Service(ServiceError),
    /// Parameters are wrong; the pointers are their names.
    Query(Vec<FieldError>),
    /// The cursor is none of ours.
    Cursor,
    /// A header is wrong.
    Header(&'static str, String),
    /// The body is not JSON.
    NotJson(String),
    /// Fields of the body are wrong.
    Body(Vec<FieldError>),
    /// The body's media type is none of ours.
    MediaType(String),
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The client accepts no media type of ours.
    NotAcceptable,
    /// There is no such route.
    NoRoute(String),
    /// The route knows only these methods.
    Method(String),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl Failure {
    /// One wrong parameter.
    #[must_use]
    pub fn query(name: &str, code: &'static str, detail: String) -> Self {
        Self::Query(vec![FieldError {
            pointer: name.to_owned(),
            code,
            detail,
        }])
    }

    /// One wrong field.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Body(vec![FieldError {
            pointer: pointer.into(),
            code: "invalid",
            detail: detail.into(),
        }])
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            other => f.write_str(&other.told().detail),
        }
    }
}

/// A placeholder that the middleware of the API replaces, which knows the request's id.
impl ResponseError for Failure {}

impl Failure {
    fn told(&self) -> Told {
        let told = |status, code, detail: String, more| Told {
            status,
            code,
            detail,
            more,
        };
        match self {
            Self::Service(error) => error::told(error, RequestId::new()),
            Self::Query(errors) => {
                let code = match errors.first().map(|error| error.code) {
                    Some("unknown_parameter") => "unknown_parameter",
                    _ => "invalid_parameter",
                };
                let list = errors
                    .iter()
                    .map(|error| json!({"parameter": error.pointer, "code": error.code, "detail": error.detail}));
                told(
                    StatusCode::BAD_REQUEST,
                    code,
                    sentences(errors),
                    listed(list.collect()),
                )
            }
            Self::Cursor => told(
                StatusCode::BAD_REQUEST,
                "bad_cursor",
                "`cursor` is none that this list gave out".to_owned(),
                listed(vec![
                    json!({"parameter": "cursor", "code": "bad_cursor", "detail": "start again without it"}),
                ]),
            ),
            Self::Header(name, detail) => told(
                StatusCode::BAD_REQUEST,
                "invalid_header",
                detail.clone(),
                listed(vec![
                    json!({"header": name, "code": "invalid_header", "detail": detail}),
                ]),
            ),
            Self::NotJson(detail) => told(
                StatusCode::BAD_REQUEST,
                "malformed_json",
                detail.clone(),
                Map::new(),
            ),
            Self::Body(errors) => {
                let list = errors
                    .iter()
                    .map(|error| json!({"pointer": error.pointer, "code": error.code, "detail": error.detail}));
                told(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "validation_failed",
                    sentences(errors),
                    listed(list.collect()),
                )
            }
            Self::MediaType(what) => told(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!("content type `{what}` is not taken; send `application/json`"),
                Map::new(),
            ),
            Self::TooLarge(limit) => told(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than {limit} bytes"),
                Map::from_iter([("limit".to_owned(), Value::from(*limit))]),
            ),
            Self::NotAcceptable => told(
                StatusCode::NOT_ACCEPTABLE,
                "not_acceptable",
                "the answer is `application/json`, which `Accept` does not admit".to_owned(),
                Map::new(),
            ),
            Self::NoRoute(path) => told(
                StatusCode::NOT_FOUND,
                "not_found",
                format!("there is nothing at {path}"),
                Map::new(),
            ),
            Self::Method(allowed) => told(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("possible here: {allowed}"),
                Map::new(),
            ),
        }
    }

    /// The whole answer.
    #[must_use]
    pub fn respond(&self, request: RequestId) -> HttpResponse {
        let mut answer = match self {
            Self::Service(error) => return error::problem(error, request),
            other => other.told().respond(Some(request)),
        };
        if let Self::Method(allowed) = self
            && let Ok(allowed) = HeaderValue::from_str(allowed)
        {
            answer.headers_mut().insert(header::ALLOW, allowed);
        }
        answer
    }
}

fn listed(errors: Vec<Value>) -> Map<String, Value> {
    Map::from_iter([("errors".to_owned(), Value::Array(errors))])
}

fn sentences(errors: &[FieldError]) -> String {
    match errors {
        [one] if one.pointer.is_empty() || one.detail.contains('`') => one.detail.clone(),
        [one] => format!("{}: {}", one.pointer, one.detail),
        many => format!("{} things are wrong; `errors` names each", many.len()),
    }
}

/// A refused request (RFC 9457). `code` is stable; programs go by it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "/api/v1/docs#problem-not_found", "title": "Not found", "status": 404, "code": "not_found", "detail": "Group 0199a2c4-0000-7000-8000-000000000001 not found", "instance": "/api/v1/requests/0199a2c4-0000-7000-8000-000000000002"}))]
pub struct Problem {
    /// Where the code is explained.
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// The stable name of the problem.
    pub code: String,
    /// What is wrong here, for people.
    pub detail: String,
    /// The request, as the server's log names it.
    pub instance: Option<String>,
    /// Each wrong field or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Value>>,
}
