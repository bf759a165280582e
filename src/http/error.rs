//! `ServiceError` → status and body: the only place where an error status is chosen. Exhaustive, without a wildcard.
//!
//! Two faces: the SCIM error body (RFC 7644 §3.12) and `application/problem+json` (RFC 9457).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use serde_json::{Map, Value, json};

use crate::ids::RequestId;
use crate::learning::plan::SubscriptionPlan;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::service::ServiceError;
use crate::service::error::{LearningError, Refusal};
use crate::service::imports::error::ImportError;

/// The media type of every SCIM body, errors included (H-34).
pub const SCIM_JSON: &str = "application/scim+json";

/// What a SCIM error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimFailure {
    pub status: StatusCode,
    pub scim_type: Option<&'static str>,
    pub detail: String,
}

/// The SCIM face of a use case's error.
#[must_use]
pub fn scim(error: &ServiceError, request: RequestId) -> ScimFailure {
    let (status, kind) = match error {
        ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, None),
        ServiceError::Scim(error) => (scim_status(error.kind), error.kind.keyword()),
        ServiceError::Taken { .. } => (StatusCode::CONFLICT, ScimErrorKind::Uniqueness.keyword()),
        ServiceError::Depends(_) => (StatusCode::CONFLICT, None),
        ServiceError::Stale { .. } => (StatusCode::PRECONDITION_FAILED, None),
        ServiceError::Denied(_) | ServiceError::PlanRequired { .. } => {
            (StatusCode::FORBIDDEN, None)
        }
        ServiceError::Learning(_)
        | ServiceError::Import(_)
        | ServiceError::Replay { .. }
        | ServiceError::Invalid { .. } => (
            StatusCode::BAD_REQUEST,
            ScimErrorKind::InvalidValue.keyword(),
        ),
        ServiceError::Refused(refusal) => (refusal_status(*refusal), None),
        ServiceError::Unavailable(_) | ServiceError::Retry => {
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
        ServiceError::Bug(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
    };
    let detail = match error {
        ServiceError::Bug(_) => {
            log::error!("{error} [request {request}]");
            format!("the server made a mistake; request {request} is in its log")
        }
        ServiceError::Unavailable(_) | ServiceError::Retry => {
            log::warn!("{error} [request {request}]");
            "the server is busy; try again in a moment".to_owned()
        }
        told => told.to_string(),
    };
    ScimFailure {
        status,
        scim_type: kind,
        detail,
    }
}

/// The status of each `scimType` (RFC 7644 §3.12; 413 for request limits).
const fn scim_status(kind: ScimErrorKind) -> StatusCode {
    match kind {
        ScimErrorKind::Uniqueness => StatusCode::CONFLICT,
        ScimErrorKind::Sensitive => StatusCode::FORBIDDEN,
        ScimErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ScimErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        ScimErrorKind::InvalidFilter
        | ScimErrorKind::TooMany
        | ScimErrorKind::Mutability
        | ScimErrorKind::InvalidSyntax
        | ScimErrorKind::InvalidPath
        | ScimErrorKind::NoTarget
        | ScimErrorKind::InvalidValue
        | ScimErrorKind::InvalidVers
        | ScimErrorKind::InvalidCursor
        | ScimErrorKind::ExpiredCursor
        | ScimErrorKind::InvalidCount => StatusCode::BAD_REQUEST,
    }
}

impl ScimFailure {
    /// A failure that no use case produced: routing, media types, sizes.
    #[must_use]
    pub fn of(
        status: StatusCode,
        scim_type: Option<ScimErrorKind>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            scim_type: scim_type.and_then(ScimErrorKind::keyword),
            detail: detail.into(),
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.as_u16().to_string(),
            "detail": self.detail,
        });
        if let (Some(kind), Some(object)) = (self.scim_type, body.as_object_mut()) {
            object.insert("scimType".to_owned(), Value::from(kind));
        }
        body.to_string()
    }

    /// The whole answer.
    #[must_use]
    pub fn respond(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        answer.content_type(SCIM_JSON);
        if matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            answer.insert_header((header::RETRY_AFTER, "1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"scim\""));
        }
        answer.body(self.body())
    }
}

impl From<ScimError> for ScimFailure {
    fn from(error: ScimError) -> Self {
        Self {
            status: scim_status(error.kind),
            scim_type: error.kind.keyword(),
            detail: error.detail,
        }
    }
}

/// What a problem says (RFC 9457): status, stable code, sentence, and what a program needs beyond the code.
#[derive(Debug)]
pub struct Told {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
    pub more: Map<String, Value>,
}

/// The REST face of a use case's error (`rest-and-console.md` A1).
#[must_use]
pub fn told(error: &ServiceError, request: RequestId) -> Told {
    let (status, code): (StatusCode, &'static str) = match error {
        ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
        ServiceError::Scim(error) => (scim_status(error.kind), "validation_failed"),
        ServiceError::Taken { attribute, .. } => (
            StatusCode::CONFLICT,
            if *attribute == "displayName" || *attribute == "name" {
                "group_name_taken"
            } else {
                "already_taken"
            },
        ),
        ServiceError::Depends(_) => (StatusCode::CONFLICT, "conflict"),
        ServiceError::Stale { .. } => (StatusCode::PRECONDITION_FAILED, "version_conflict"),
        ServiceError::Denied(_) => (StatusCode::FORBIDDEN, "forbidden"),
        ServiceError::Learning(error) => (learning_status(error), error.code()),
        ServiceError::Import(error) => (import_status(error), error.code()),
        ServiceError::Replay { code, .. } => (StatusCode::CONFLICT, code),
        ServiceError::PlanRequired { .. } => (StatusCode::FORBIDDEN, "plan_upgrade_required"),
        ServiceError::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
        ServiceError::Refused(refusal) => (refusal_status(*refusal), refusal.code()),
        ServiceError::Unavailable(_) | ServiceError::Retry => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
        ServiceError::Bug(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
    };
    Told {
        status,
        code,
        detail: scim(error, request).detail,
        more: particulars(error),
    }
}

/// The status of each refusal of the REST API's own rules.
const fn refusal_status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::IdempotencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::IdempotencyInProgress => StatusCode::CONFLICT,
        Refusal::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
    }
}

/// A use case's error as a problem.
#[must_use]
pub fn problem(error: &ServiceError, request: RequestId) -> HttpResponse {
    let mut answer = told(error, request).respond(Some(request));
    if let ServiceError::Stale { current } = error
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{current}\""))
    {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

impl Told {
    /// The body.
    #[must_use]
    pub fn body(&self, request: Option<RequestId>) -> Value {
        let mut body = json!({
            "type": format!("/api/v1/docs#problem-{}", self.code),
            "title": title(self.code),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(object) = body.as_object_mut() {
            if let Some(request) = request {
                object.insert(
                    "instance".to_owned(),
                    Value::from(format!("/api/v1/requests/{request}")),
                );
            }
            object.extend(self.more.clone());
        }
        body
    }

    /// The whole answer.
    #[must_use]
    pub fn respond(self, request: Option<RequestId>) -> HttpResponse {
        let body = self.body(request);
        let mut answer = HttpResponse::build(self.status);
        answer.insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        ));
        answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        // whatever `Accept-Language` prefers: the sentences are there in one language, and the codes in none
        answer.insert_header((header::CONTENT_LANGUAGE, HeaderValue::from_static("en")));
        if matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            answer.insert_header((header::RETRY_AFTER, "1"));
        }
        answer.body(body.to_string())
    }
}

/// A code as a title.
fn title(code: &str) -> String {
    let text = code.replace('_', " ");
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// What a program needs beyond the code to act on a problem.
fn particulars(error: &ServiceError) -> Map<String, Value> {
    let errors = |errors: Value| Map::from_iter([("errors".to_owned(), errors)]);
    match error {
        ServiceError::Invalid { pointer, detail } => errors(json!([{ "pointer": pointer, "detail": detail }])),
        ServiceError::Stale { current } => Map::from_iter([("current_etag".to_owned(), Value::from(format!("\"{current}\"")))]),
        ServiceError::PlanRequired { current } => {
            let plans: Vec<Value> = SubscriptionPlan::WITH_GROUPS.iter().map(|plan| Value::from(plan.as_str())).collect();
            Map::from_iter([
                ("required_plans".to_owned(), Value::Array(plans)),
                ("current_plan".to_owned(), Value::from(current.as_str())),
            ])
        }
        ServiceError::Learning(LearningError::NotEligible(list)) => errors(
            list.iter()
                .map(|one| {
                    let (code, detail) = match &one.blocker {
                        Some(blocker) => (blocker.code(), blocker.sentence()),
                        None => ("not_found", "no learner is named so"),
                    };
                    json!({"pointer": format!("/learners/{}", one.index), "code": code, "learner_id": one.learner, "detail": detail})
                })
                .collect(),
        ),
        ServiceError::Learning(LearningError::ImpactUnconfirmed { learners, token }) => Map::from_iter([
            ("impact_token".to_owned(), Value::from(token.as_str())),
            ("becomes_expired".to_owned(), Value::from(learners.len())),
            ("learners".to_owned(), learners.iter().take(100).map(|id| Value::from(id.to_string())).collect()),
        ]),
        ServiceError::Learning(LearningError::ManagedByDirectory { connection, name }) => {
            Map::from_iter([("connection".to_owned(), json!({"id": connection, "name": name}))])
        }
        ServiceError::Learning(refusal) => match refusal.field() {
            Some(field) => errors(json!([{ "pointer": format!("/{field}"), "code": refusal.code(), "detail": refusal.to_string() }])),
            None => Map::new(),
        },
        ServiceError::NotFound { .. }
        | ServiceError::Scim(_)
        | ServiceError::Taken { .. }
        | ServiceError::Import(_)
        | ServiceError::Replay { .. }
        | ServiceError::Denied(_)
        | ServiceError::Unavailable(_)
        | ServiceError::Bug(_)
        | ServiceError::Depends(_)
        | ServiceError::Refused(_)
        | ServiceError::Retry => Map::new(),
    }
}

/// The status of each refusal of an import.
const fn import_status(error: &ImportError) -> StatusCode {
    match error {
        ImportError::File(_) | ImportError::Confirm { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        ImportError::PlanStale { .. } | ImportError::NotReady { .. } => StatusCode::CONFLICT,
    }
}

/// The status of each refusal of the domain.
const fn learning_status(error: &LearningError) -> StatusCode {
    match error {
        LearningError::GroupNameTaken { .. }
        | LearningError::CourseCodeTaken { .. }
        | LearningError::AlreadyAssigned
        | LearningError::ManagedByDirectory { .. }
        | LearningError::AmbiguousReference { .. }
        | LearningError::AlreadyLinked { .. }
        | LearningError::LegalHold { .. }
        | LearningError::Erased => StatusCode::CONFLICT,
        LearningError::Invalid { .. }
        | LearningError::NotEligible(_)
        | LearningError::CourseNotPublished { .. }
        | LearningError::ImpactUnconfirmed { .. }
        | LearningError::RecertMonthsOutOfRange { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
