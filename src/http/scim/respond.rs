//! A use case's result as a SCIM answer: media type, status, `Location`, `ETag`, projection. RFC 7644 §3.1, §3.14.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::Stream;
use serde_json::{Map, Value};

use crate::http::error::SCIM_JSON;
use crate::scim::project::Projection;
use crate::scim::schema::ResourceType;
use crate::scim::version::Version;
use crate::service::ServiceError;
use crate::service::directory::Resource;

/// An answer before it becomes bytes on the wire; also what the sync log keeps of it.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Option<String>,
    pub version: Option<Version>,
    pub location: Option<String>,
    /// Discovery documents may be kept for a minute (DC-04); resources never (SE-08).
    pub cacheable: bool,
}

impl Reply {
    /// A body with 200.
    #[must_use]
    pub const fn ok(body: String) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body),
            version: None,
            location: None,
            cacheable: false,
        }
    }

    /// No body.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: None,
            version: None,
            location: None,
            cacheable: false,
        }
    }

    /// The same with a status.
    #[must_use]
    pub const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The HTTP response.
    #[must_use]
    pub fn respond(mut self) -> HttpResponse {
        let body = self.body.take();
        let mut answer = self.headers();
        match body {
            Some(body) => answer.content_type(SCIM_JSON).body(body),
            None => answer.finish(),
        }
    }

    /// The HTTP response with a body that is made while it is sent.
    #[must_use]
    pub fn respond_in_chunks<S>(self, chunks: S) -> HttpResponse
    where
        S: Stream<Item = Result<Bytes, actix_web::Error>> + 'static,
    {
        self.headers().content_type(SCIM_JSON).streaming(chunks)
    }

    fn headers(self) -> HttpResponseBuilder {
        let mut answer = HttpResponse::build(self.status);
        answer.insert_header((
            header::CACHE_CONTROL,
            if self.cacheable {
                "private, max-age=60"
            } else {
                "no-store"
            },
        ));
        if let Some(version) = self.version {
            answer.insert_header((header::ETAG, version.to_string()));
        }
        if let Some(location) = self.location {
            answer.insert_header((header::LOCATION, location));
        }
        answer
    }
}

/// The resource as the caller wants to see it.
pub fn projected(
    resource_type: &ResourceType,
    projection: &Projection,
    whole: String,
) -> Result<String, ServiceError> {
    if projection.is_raw() {
        return Ok(whole);
    }
    let document: Map<String, Value> = serde_json::from_str(&whole).map_err(|error| {
        ServiceError::Bug(anyhow::Error::new(error).context("projecting a resource"))
    })?;
    Ok(Value::Object(projection.apply(resource_type, &document)).to_string())
}

/// An answer that carries a resource.
pub fn resource(
    resource_type: &ResourceType,
    projection: &Projection,
    base: &str,
    resource: Resource,
) -> Result<Reply, ServiceError> {
    Ok(Reply {
        status: StatusCode::OK,
        location: Some(format!("{base}{}/{}", resource_type.endpoint, resource.id)),
        body: Some(projected(resource_type, projection, resource.body)?),
        version: Some(resource.version),
        cacheable: false,
    })
}
