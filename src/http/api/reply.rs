//! What a write answers, made inside its transaction: it can be stored with it, and shown by a dry run.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::service::ServiceError;
use crate::service::dry_run::Told;
use crate::service::idempotency::KeptRow;

/// Status, headers and body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub version: Option<i64>,
    /// JSON; empty for 204.
    pub body: String,
    /// Shown once and kept nowhere.
    pub secret: bool,
}

fn json<T: Serialize>(body: &T) -> Result<String, ServiceError> {
    serde_json::to_string(body).map_err(|error| ServiceError::Bug(error.into()))
}

impl Reply {
    /// `200` with a body that has no version.
    pub fn ok<T: Serialize>(body: &T) -> Result<Self, ServiceError> {
        Ok(Self {
            status: 200,
            location: None,
            version: None,
            body: json(body)?,
            secret: false,
        })
    }

    /// `200` with a resource and its version.
    pub fn resource<T: Serialize>(version: i64, body: &T) -> Result<Self, ServiceError> {
        Ok(Self {
            version: Some(version),
            ..Self::ok(body)?
        })
    }

    /// `201` with a resource, its address below `/api/v1` and its version.
    pub fn created<T: Serialize>(
        path: &str,
        version: impl Into<Option<i64>>,
        body: &T,
    ) -> Result<Self, ServiceError> {
        Ok(Self {
            status: 201,
            location: Some(format!("/api/v1{path}")),
            version: version.into(),
            ..Self::ok(body)?
        })
    }

    /// The same, never to be stored: it holds a secret.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.secret = true;
        self
    }

    /// `204`.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            status: 204,
            location: None,
            version: None,
            body: String::new(),
            secret: false,
        }
    }

    /// As a dry run shows it.
    #[must_use]
    pub fn into_told(self) -> Told {
        Told {
            status: self.status,
            body: self.told_body(),
        }
    }

    fn told_body(&self) -> Value {
        let mut body: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        if let (true, Some(fields)) = (self.secret, body.as_object_mut()) {
            // It was never made, and must not look as if it were.
            fields.remove("token");
        }
        body
    }

    /// As it is kept for repeats. What holds a secret keeps its place without the secret.
    #[must_use]
    pub fn kept(&self, request_hash: &str) -> KeptRow {
        KeptRow {
            request_hash: request_hash.to_owned(),
            status: i64::from(self.status),
            location: self.location.clone(),
            version: self.version,
            media_type: "application/json".to_owned(),
            body: if self.secret {
                self.told_body().to_string()
            } else {
                self.body.clone()
            },
        }
    }

    /// The HTTP answer.
    #[must_use]
    pub fn respond(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut answer = HttpResponse::build(status);
        if let Some(location) = self.location {
            answer.insert_header((header::LOCATION, location));
        }
        if let Some(version) = self.version {
            answer.insert_header((header::ETAG, format!("\"{version}\"")));
        }
        if self.body.is_empty() {
            return answer.finish();
        }
        answer.content_type("application/json").body(self.body)
    }
}

/// An answer told again.
#[must_use]
pub fn again(kept: &KeptRow) -> HttpResponse {
    let status = u16::try_from(kept.status).ok();
    let status = status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("idempotency-replayed", "true"));
    if let Some(location) = &kept.location {
        answer.insert_header((header::LOCATION, location.as_str()));
    }
    if let Some(version) = kept.version {
        answer.insert_header((header::ETAG, format!("\"{version}\"")));
    }
    if kept.body.is_empty() {
        return answer.finish();
    }
    answer
        .content_type(kept.media_type.as_str())
        .body(kept.body.clone())
}
