//! What every REST handler needs: rights, parameters, bodies, versions, pages, problems (`rest-and-console.md` A1).
//!
//! A parameter or field nobody knows is refused, so that a typo does not pass for a filter and `dry_run=true` never
//! writes. Not here: any rule of the domain.

use std::future::Future;
use std::str::FromStr;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::error;
use crate::http::guard::ApiCaller;
use crate::ids::RequestId;
use crate::service::{Scope, ServiceError};
use crate::store::Db;

/// Why a handler cannot answer as asked.
#[derive(Debug)]
pub enum Failure {
    Service(ServiceError),
    /// The body is not JSON by its media type.
    MediaType(String),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> ServiceError {
    ServiceError::Invalid {
        pointer: pointer.into(),
        detail: detail.into(),
    }
}

/// One REST request: who asks and what they share.
pub struct Call {
    pub request: HttpRequest,
    pub scope: Scope,
    pub state: web::Data<AppState>,
}

impl Call {
    /// Checks the right and answers, turning every failure into a problem.
    pub async fn answer<F, R>(
        request: HttpRequest,
        who: ApiCaller,
        state: web::Data<AppState>,
        needed: Permission,
        handle: F,
    ) -> HttpResponse
    where
        F: FnOnce(Self) -> R,
        R: Future<Output = Result<HttpResponse, Failure>>,
    {
        let allowed = who.0.permissions.contains(needed);
        Self::answer_if(request, who, state, (allowed, needed.as_str()), handle).await
    }

    /// Answers whoever has a token of the REST API; what they may see is the use case's to say.
    pub async fn answer_any<F, R>(
        request: HttpRequest,
        who: ApiCaller,
        state: web::Data<AppState>,
        handle: F,
    ) -> HttpResponse
    where
        F: FnOnce(Self) -> R,
        R: Future<Output = Result<HttpResponse, Failure>>,
    {
        Self::answer_if(request, who, state, (true, ""), handle).await
    }

    async fn answer_if<F, R>(
        request: HttpRequest,
        who: ApiCaller,
        state: web::Data<AppState>,
        (allowed, needed): (bool, &str),
        handle: F,
    ) -> HttpResponse
    where
        F: FnOnce(Self) -> R,
        R: Future<Output = Result<HttpResponse, Failure>>,
    {
        let ApiCaller(scope) = who;
        let id: RequestId = scope.request;
        let result = if allowed {
            handle(Self {
                request,
                scope,
                state,
            })
            .await
        } else {
            Err(ServiceError::Denied(format!("do this: it lacks the scope `{needed}`")).into())
        };
        let mut answer = match result {
            Ok(answer) => answer,
            Err(Failure::Service(error)) => error::problem(&error, id),
            Err(Failure::MediaType(what)) => unsupported(&what, id),
        };
        answer.headers_mut().insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static("no-store"),
        );
        answer
    }

    /// Runs a use case that writes.
    pub async fn write<T, F>(&self, name: &'static str, mut job: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnMut(&mut Db, &Scope) -> Result<T, ServiceError> + Send + 'static,
    {
        let scope = self.scope.clone();
        Ok(self
            .state
            .store
            .write(name, move |db| job(db, &scope))
            .await?)
    }

    /// Runs a use case that reads.
    pub async fn read<T, F>(&self, mut job: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnMut(&mut Db, &Scope) -> Result<T, ServiceError> + Send + 'static,
    {
        let scope = self.scope.clone();
        Ok(self.state.store.read(move |db| job(db, &scope)).await?)
    }

    /// An id of the path; one that has not our form names nothing.
    pub fn id<T: FromStr>(&self, kind: &'static str, name: &str) -> Result<T, Failure> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        text.parse()
            .map_err(|_| ServiceError::not_found(kind, text).into())
    }

    /// The query's parameters; any but `known` is refused.
    pub fn parameters(&self, known: &[&str]) -> Result<Parameters, Failure> {
        Parameters::parse(self.request.query_string(), known).map_err(Failure::from)
    }

    /// The body's fields; any but `known` is refused.
    pub fn body(&self, bytes: &[u8], known: &[&str]) -> Result<Fields, Failure> {
        self.parameters(&[])?;
        if let Some(kind) = self.request.headers().get(header::CONTENT_TYPE) {
            let text = kind.to_str().unwrap_or("?").to_ascii_lowercase();
            let essence = text.split(';').next().unwrap_or_default().trim();
            if essence != "application/json" && essence != "application/merge-patch+json" {
                return Err(Failure::MediaType(essence.to_owned()));
            }
        }
        Fields::parse(bytes, known).map_err(Failure::from)
    }

    /// The version a write expects: `If-Match: "7"`. `*` expects any; a weak or foreign tag matches none.
    pub fn expected(&self) -> Option<i64> {
        let text = self
            .request
            .headers()
            .get(header::IF_MATCH)?
            .to_str()
            .unwrap_or_default()
            .trim();
        if text == "*" {
            return None;
        }
        Some(
            text.strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .and_then(|number| number.parse().ok())
                .unwrap_or(-1),
        )
    }

    /// A resource with its version, or 304 when the client has it.
    #[must_use]
    pub fn resource(&self, version: i64, body: &Value) -> HttpResponse {
        let tag = format!("\"{version}\"");
        let known = self
            .request
            .headers()
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        if known.is_some_and(|known| {
            known
                .split(',')
                .any(|one| one.trim() == tag || one.trim() == "*")
        }) {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, tag))
                .finish();
        }
        HttpResponse::Ok()
            .insert_header((header::ETAG, tag))
            .json(body)
    }

    /// A page: one row more than the limit was read to see whether there is more.
    #[must_use]
    pub fn page<T>(
        &self,
        mut rows: Vec<T>,
        limit: i64,
        cursor_of: impl Fn(&T) -> String,
        show: impl Fn(&T) -> Value,
    ) -> HttpResponse {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            rows.last()
                .map(|row| URL_SAFE_NO_PAD.encode(cursor_of(row)))
        } else {
            None
        };
        let mut answer = HttpResponse::Ok();
        if let Some(next) = &next {
            let kept: Vec<&str> = self
                .request
                .query_string()
                .split('&')
                .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
                .collect();
            let lead = if kept.is_empty() {
                String::new()
            } else {
                format!("{}&", kept.join("&"))
            };
            answer.insert_header((
                header::LINK,
                format!(
                    "<{}?{lead}cursor={next}>; rel=\"next\"",
                    self.request.path()
                ),
            ));
        }
        let data: Vec<Value> = rows.iter().map(show).collect();
        answer.json(json!({"data": data, "page": {"next_cursor": next, "has_more": more}}))
    }
}

/// `201` with its address and version.
#[must_use]
pub fn created(path: &str, version: i64, body: &Value) -> HttpResponse {
    let mut answer: HttpResponseBuilder = HttpResponse::Created();
    answer
        .insert_header((header::LOCATION, path.to_owned()))
        .insert_header((header::ETAG, format!("\"{version}\"")))
        .json(body)
}

fn unsupported(what: &str, request: RequestId) -> HttpResponse {
    let body = json!({
        "type": "https://rollcall.invalid/problems/unsupported_media_type",
        "title": "unsupported media type",
        "status": 415,
        "code": "unsupported_media_type",
        "detail": format!("content type `{what}` is not taken; send `application/json`"),
        "instance": format!("/api/v1/requests/{request}"),
    });
    HttpResponse::build(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        .content_type("application/problem+json")
        .body(body.to_string())
}

/// The parameters of a query.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(query: &str, known: &[&str]) -> Result<Self, ServiceError> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| invalid("query", "the query cannot be read"))?
            .into_inner();
        for (n, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let list = if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                };
                return Err(invalid(
                    "query",
                    format!("there is no parameter `{name}`; here are: {list}"),
                ));
            }
            if pairs.iter().take(n).any(|(earlier, _)| earlier == name) {
                return Err(invalid(
                    "query",
                    format!("the parameter `{name}` stands twice"),
                ));
            }
        }
        Ok(Self(pairs))
    }

    /// The text of a parameter.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter read by a function; a value it does not know is refused.
    pub fn read<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let wrong = |text: &str| invalid("query", format!("`{name}` cannot be `{text}`"));
        self.text(name)
            .map(|text| parse(text).ok_or_else(|| wrong(text).into()))
            .transpose()
    }

    /// `limit`: 1-200, 50 unless told.
    pub fn limit(&self) -> Result<i64, Failure> {
        let limit = self.read("limit", |text| {
            text.parse().ok().filter(|limit| (1..=200).contains(limit))
        })?;
        Ok(limit.unwrap_or(50))
    }

    /// Where the page before ended.
    pub fn cursor<T: FromStr>(&self) -> Result<Option<T>, Failure> {
        let Some(text) = self.text("cursor") else {
            return Ok(None);
        };
        let key = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|key| key.parse().ok());
        key.map(Some)
            .ok_or_else(|| invalid("cursor", "this is no cursor of ours").into())
    }
}

/// The fields of a JSON object body.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    fn parse(bytes: &[u8], known: &[&str]) -> Result<Self, ServiceError> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| invalid("body", format!("the body is not JSON: {error}")))?;
        let Value::Object(fields) = value else {
            return Err(invalid("body", "the body must be a JSON object"));
        };
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(invalid(
                format!("/{name}"),
                format!("there is no field `{name}`; here are: {}", known.join(", ")),
            )),
            None => Ok(Self(fields)),
        }
    }

    /// A field, `null` included; `None` when absent.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text; `null` reads as blank, which clears.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(String::new())),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => {
                Err(invalid(format!("/{name}"), format!("`{name}` must be a string")).into())
            }
        }
    }

    /// A text read by a function.
    pub fn read<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let wrong =
            |text: &str| invalid(format!("/{name}"), format!("`{name}` cannot be `{text}`"));
        self.text(name)?
            .map(|text| parse(&text).ok_or_else(|| wrong(&text).into()))
            .transpose()
    }

    /// A boolean.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(invalid(
                format!("/{name}"),
                format!("`{name}` must be true or false"),
            )
            .into()),
        }
    }

    /// A whole number or `null`; the outer `None` when absent.
    pub fn number(&self, name: &str) -> Result<Option<Option<i64>>, Failure> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(value) => {
                let number = value.as_i64().ok_or_else(|| {
                    invalid(
                        format!("/{name}"),
                        format!("`{name}` must be a whole number"),
                    )
                })?;
                Ok(Some(Some(number)))
            }
        }
    }
}

/// The refusal of one field.
pub fn wrong(pointer: impl Into<String>, detail: impl Into<String>) -> Failure {
    invalid(pointer, detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        assert!(Parameters::parse("q=a&limit=2", &["q", "limit"]).is_ok());
        for query in ["dry_run=true", "q=a&q=b", "Q=a"] {
            assert!(
                matches!(
                    Parameters::parse(query, &["q"]),
                    Err(ServiceError::Invalid { .. })
                ),
                "{query}"
            );
        }
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        let parameters =
            |query: &str| Parameters::parse(query, &["limit", "cursor"]).map_err(Failure::from);
        assert!(matches!(parameters("").and_then(|p| p.limit()), Ok(50)));
        for query in ["limit=0", "limit=201", "limit=x"] {
            assert!(
                parameters(query).and_then(|p| p.limit()).is_err(),
                "{query}"
            );
        }
        let cursor = URL_SAFE_NO_PAD.encode("sales");
        assert!(
            matches!(parameters(&format!("cursor={cursor}")).and_then(|p| p.cursor::<String>()), Ok(Some(key)) if key == "sales")
        );
        assert!(
            parameters("cursor=%21")
                .and_then(|p| p.cursor::<String>())
                .is_err()
        );
    }

    #[test]
    fn fields_are_typed_and_null_clears() {
        let fields = Fields::parse(
            br#"{"a":null,"b":"x","c":3,"d":true}"#,
            &["a", "b", "c", "d"],
        )
        .map_err(Failure::from);
        let Ok(fields) = fields else {
            panic!("the fields are read")
        };
        assert!(matches!(fields.text("a"), Ok(Some(text)) if text.is_empty()));
        assert!(matches!(fields.number("a"), Ok(Some(None))));
        assert!(matches!(fields.number("c"), Ok(Some(Some(3)))));
        assert!(matches!(fields.boolean("d"), Ok(Some(true))));
        assert!(
            fields.text("c").is_err()
                && fields.boolean("b").is_err()
                && fields.number("b").is_err()
        );
        assert!(
            Fields::parse(b"[]", &[]).is_err()
                && Fields::parse(b"{", &[]).is_err()
                && Fields::parse(br#"{"z":1}"#, &["a"]).is_err()
        );
    }
}
