//! `/oauth2/token`: short-lived tokens for connections that know a secret; and where that is described. RFC 6749 §2.3.1, §4.4,
//! §5; RFC 8414; requirement B12, row AU-03.
//!
//! Only `client_credentials`; the client says who it is by HTTP Basic or in the form, never in both, never in the URL.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::AppState;
use super::scim::exchange::base;
use crate::auth::permission::TokenKind;
use crate::service::clients::{self, Refused, TOKEN_LIFETIME};

/// More is in no form of ours.
const LARGEST: usize = 8 << 10;

/// An error of RFC 6749 §5.2.
struct Failure {
    status: StatusCode,
    error: &'static str,
    description: String,
    retry_after: Option<u64>,
}

impl Failure {
    fn of(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            retry_after: None,
        }
    }

    fn later(status: StatusCode, seconds: u64, description: impl Into<String>) -> Self {
        Self {
            status,
            retry_after: Some(seconds),
            ..Self::of("temporarily_unavailable", description)
        }
    }

    fn client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::of(
                "invalid_client",
                "the client is unknown, or its secret is wrong, expired or taken back",
            )
        }
    }

    fn respond(&self) -> HttpResponse {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut answer = answer(self.status, &body);
        let headers = answer.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Basic realm=\"oauth2\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        answer
    }
}

fn answer(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .body(body.to_string())
}

/// What a client sends.
#[derive(Default)]
struct Asked {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Zeroizing<String>>,
    scope: Option<String>,
}

/// `POST /oauth2/token`.
pub async fn token(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let asked = match asked(&request, payload).await {
        Ok(asked) => asked,
        Err(failure) => return failure.respond(),
    };
    match given(&request, asked, &state).await {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(failure) => failure.respond(),
    }
}

async fn given(request: &HttpRequest, asked: Asked, state: &AppState) -> Result<Value, Failure> {
    match asked.grant_type.as_deref() {
        Some("client_credentials") => {}
        None => return Err(Failure::of("invalid_request", "grant_type is missing")),
        Some(_) => {
            let description = "the only grant_type is client_credentials";
            return Err(Failure::of("unsupported_grant_type", description));
        }
    }
    let now = state.clock.now();
    let fetched = match (asked.client_id, asked.client_secret) {
        (Some(id), Some(secret)) => {
            let scope = asked.scope;
            let fetch = move |db: &mut crate::store::Db| {
                clients::fetch(db, &id, &secret, scope.as_deref(), now)
            };
            state.store.write("fetch token", fetch).await
        }
        _ => Err(Refused::Client),
    };
    match fetched {
        Ok((minted, permissions)) => Ok(json!({
            "access_token": minted.token,
            "token_type": "Bearer",
            "expires_in": (minted.expires_at.0 - now.0) / 1000,
            "scope": permissions.to_string(),
        })),
        Err(Refused::Client) => {
            let address = request.peer_addr().map(|address| address.ip());
            Err(match state.limits.wrong_token(address) {
                Ok(()) => Failure::client(),
                Err(wait) => Failure::later(
                    StatusCode::TOO_MANY_REQUESTS,
                    wait.0,
                    "too many wrong secrets came from this address",
                ),
            })
        }
        Err(Refused::Scope(why)) => Err(Failure::of("invalid_scope", why)),
        Err(Refused::TooMany(seconds)) => Err(Failure::later(
            StatusCode::TOO_MANY_REQUESTS,
            seconds,
            format!(
                "a client fetches at most {} tokens in a minute; each holds for an hour",
                clients::FETCHES_PER_MINUTE
            ),
        )),
        Err(Refused::Failed(error)) => {
            log::warn!("no token could be given: {error}");
            Err(Failure::later(
                StatusCode::SERVICE_UNAVAILABLE,
                1,
                "no token can be given right now",
            ))
        }
    }
}

/// Reads form and header. Errors: `invalid_request` for another media type, a parameter given twice, two ways to say who it is.
async fn asked(request: &HttpRequest, mut payload: web::Payload) -> Result<Asked, Failure> {
    let invalid = |why: &str| Failure::of("invalid_request", why);
    if request.content_type() != "application/x-www-form-urlencoded" {
        return Err(invalid("send a form: application/x-www-form-urlencoded"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| invalid("the body broke off"))?;
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Failure {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                ..invalid("the body is larger than the limit of 8192 bytes")
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid("the body is not UTF-8"))?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
        .map_err(|_| invalid("the body is not a form"))?;
    let mut asked = Asked::default();
    let twice = |before: bool, name: &str| {
        if before {
            Err(invalid(&format!("{name} stands twice")))
        } else {
            Ok(())
        }
    };
    for (name, value) in pairs.into_inner() {
        match name.as_str() {
            "grant_type" => twice(asked.grant_type.replace(value).is_some(), &name)?,
            "client_id" => twice(asked.client_id.replace(value).is_some(), &name)?,
            "client_secret" => {
                let secret = Zeroizing::new(value);
                twice(asked.client_secret.replace(secret).is_some(), &name)?;
            }
            "scope" => twice(asked.scope.replace(value).is_some(), &name)?,
            _ => {}
        }
    }
    if let Some(header) = request.headers().get(header::AUTHORIZATION) {
        if asked.client_secret.is_some() {
            return Err(invalid(
                "the client says who it is in the Authorization header or in the form, not in both",
            ));
        }
        let (id, secret) = basic(header).ok_or_else(Failure::client)?;
        if asked.client_id.is_some_and(|other| other != id) {
            return Err(invalid("client_id is another in header and form"));
        }
        asked.client_id = Some(id);
        asked.client_secret = Some(secret);
    }
    Ok(asked)
}

/// Id and secret of HTTP Basic. Neither holds a character that RFC 6749 §2.3.1 would have encoded.
fn basic(header: &header::HeaderValue) -> Option<(String, Zeroizing<String>)> {
    let (scheme, text) = header.to_str().ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((id.to_owned(), Zeroizing::new(secret.to_owned())))
}

/// Whatever else is asked of `/oauth2/token`.
pub async fn only_post() -> HttpResponse {
    let failure = Failure {
        status: StatusCode::METHOD_NOT_ALLOWED,
        ..Failure::of("invalid_request", "a token is fetched by POST")
    };
    let mut answer = failure.respond();
    let allow = header::HeaderValue::from_static("POST");
    answer.headers_mut().insert(header::ALLOW, allow);
    answer
}

/// `GET /.well-known/oauth-authorization-server`.
pub async fn metadata(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let scim = base(&state, &request);
    let here = scim.strip_suffix("/scim/v2").unwrap_or(&scim);
    let scopes: Vec<&str> = TokenKind::Scim
        .default_permissions()
        .iter()
        .map(|permission| permission.as_str())
        .collect();
    let body = json!({
        "issuer": here,
        "token_endpoint": format!("{here}/oauth2/token"),
        "jwks_uri": format!("{here}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": scopes,
        "service_documentation": "https://www.rfc-editor.org/info/rfc6749",
    });
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(body.to_string())
}

const _: () = assert!(TOKEN_LIFETIME <= 24 * 3600 * 1000, "E19");
