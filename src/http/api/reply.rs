//! What a write answers, made inside its transaction: it can be stored with it, and shown by a dry run.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::service::ServiceError;
use crate::service::dry_run::Told;

/// Status, headers and body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub version: Option<i64>,
    /// JSON; empty for 204.
    pub body: String,
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

    /// `204`.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            status: 204,
            location: None,
            version: None,
            body: String::new(),
        }
    }

    /// As a dry run shows it.
    #[must_use]
    pub fn into_told(self) -> Told {
        Told {
            status: self.status,
            body: serde_json::from_str(&self.body).unwrap_or(Value::Null),
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
