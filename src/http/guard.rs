//! The guard: a bearer token becomes a [`Scope`], or the request ends here. Requirements A1–A3, B7, B11.
//!
//! Deny by default: a handler gets a scope only through [`Provisioner`] or [`ApiCaller`], and both look at the
//! `Authorization` header alone. The answer to a missing, forged, expired or revoked token is the same to the byte.
//! A scope of routes whose other extractors read path, query or body puts [`provisioner`] or [`api_caller`] around
//! itself, so that nothing is parsed for strangers; attached to routes, never to a comparison of paths.

use std::fmt;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError, web,
};
use futures_util::future::{Either, LocalBoxFuture, Ready, ready};

use super::AppState;
use super::error::{self, ScimFailure};
use super::limits::{Class, Passed, TooFast};
use super::refused;
use super::sender;
use crate::auth::permission::TokenKind;
use crate::auth::rate::{Meter, Wait};
use crate::auth::token::Claims;
use crate::clock::Instant;
use crate::ids::RequestId;
use crate::service::sync_log::{Outcome, Sender};
use crate::service::tokens::{self, Answer, Grant, Use};
use crate::service::{Scope, ServiceError};

/// After how many seconds a paused connection may ask again.
const PAUSE: u64 = 60;

/// A provisioning client: the caller of `/scim/v2`.
#[derive(Clone, Debug)]
pub struct Provisioner(pub Scope);

/// A REST client: the caller of `/api/v1`.
#[derive(Clone, Debug)]
pub struct ApiCaller(pub Scope);

/// Why a request ends at the guard, in the shape of the API it wanted.
#[derive(Debug)]
pub struct Refusal {
    door: TokenKind,
    why: Why,
}

/// Somebody without a good token.
#[derive(Debug)]
struct Stranger {
    /// Whether anything stood in the header.
    sent: bool,
    /// What the token says, if it is one of ours that expired or was revoked.
    claims: Option<Arc<Claims>>,
}

#[derive(Debug)]
enum Why {
    /// No token, or one that is not good.
    Unauthenticated(Stranger),
    /// A good token of the other API, and whose it is.
    WrongKind(Box<Scope>),
    /// The token's connection is paused; its name.
    Paused(String),
    /// A wrong token from an address that has sent too many; how long it must wait.
    Guessing(Wait),
    /// A good token that asks too often.
    TooFast(TooFast),
    /// The row could not be asked.
    Failed(ServiceError, RequestId),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Unauthenticated(_) => {
                f.write_str("this needs a valid bearer token in the Authorization header")
            }
            Why::WrongKind(_) => match self.door {
                TokenKind::Scim => {
                    f.write_str("this is a token for the REST API; SCIM needs one of kind `scim`")
                }
                TokenKind::Api => {
                    f.write_str("this is a SCIM token; the REST API needs one of kind `api`")
                }
            },
            Why::Paused(name) => write!(
                f,
                "the connection `{name}` is paused by an administrator; send the request again later"
            ),
            Why::Guessing(Wait(seconds)) => write!(
                f,
                "too many wrong tokens came from this address; try again in {seconds} seconds"
            ),
            Why::TooFast(too_fast) => f.write_str(&too_fast.sentence()),
            Why::Failed(error, _) => error.fmt(f),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = match &self.why {
            Why::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Why::WrongKind(_) => (StatusCode::FORBIDDEN, "wrong_token_kind"),
            Why::Paused(_) => (StatusCode::SERVICE_UNAVAILABLE, "paused"),
            Why::Guessing(_) | Why::TooFast(_) => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Why::Failed(error, request) => {
                return match self.door {
                    TokenKind::Scim => error::scim(error, *request).respond(),
                    TokenKind::Api => error::problem(error, *request),
                };
            }
        };
        let mut answer = match self.door {
            TokenKind::Scim => ScimFailure::of(status, None, self.to_string()).respond(),
            TokenKind::Api => HttpResponse::build(status)
                .content_type("application/problem+json")
                .body(
                    serde_json::json!({
                        "type": format!("https://rollcall.invalid/problems/{code}"),
                        "title": code.replace('_', " "),
                        "status": status.as_u16(),
                        "code": code,
                        "detail": self.to_string(),
                    })
                    .to_string(),
                ),
        };
        let pause = match &self.why {
            Why::Paused(_) => Some(PAUSE),
            Why::Guessing(Wait(seconds)) => Some(*seconds),
            Why::TooFast(too_fast) => Some(too_fast.wait.0),
            Why::Unauthenticated(_) | Why::WrongKind(_) | Why::Failed(..) => None,
        };
        if let Some(seconds) = pause {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Why::Unauthenticated(Stranger { sent, .. }) = &self.why {
            let challenge = match (self.door, sent) {
                (TokenKind::Scim, false) => "Bearer realm=\"scim\"",
                (TokenKind::Scim, true) => "Bearer realm=\"scim\", error=\"invalid_token\"",
                (TokenKind::Api, false) => "Bearer realm=\"api\"",
                (TokenKind::Api, true) => "Bearer realm=\"api\", error=\"invalid_token\"",
            };
            answer.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        answer
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }
}

/// The token of a request: the `Authorization` header with or without the word `Bearer`, if there is exactly one.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let (Some(value), None) = (headers.next(), headers.next()) else {
        return None;
    };
    let text = std::str::from_utf8(value.as_bytes()).ok()?.trim();
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => return None,
        None => text,
    };
    (!token.is_empty() && !token.eq_ignore_ascii_case("bearer")).then_some(token)
}

/// Whose request this is, as the log will know it.
fn request_id(request: &HttpRequest) -> RequestId {
    request
        .extensions()
        .get::<RequestId>()
        .copied()
        .unwrap_or_else(RequestId::new)
}

/// A good token at the right door becomes a scope.
fn admitted(
    grant: &Grant,
    door: TokenKind,
    request: RequestId,
    now: Instant,
) -> Result<Admitted, Refusal> {
    let refuse = |why| Err(Refusal { door, why });
    let scope = grant.scope(request, now);
    if grant.kind != door {
        return refuse(Why::WrongKind(Box::new(scope)));
    }
    match &grant.connection {
        Some(connection) if connection.paused => refuse(Why::Paused(connection.name.clone())),
        _ => Ok(Admitted(door, scope, Arc::clone(&grant.meter))),
    }
}

/// The answer when memory suffices, which it nearly always does; else what must be waited for.
fn at_once(
    request: &HttpRequest,
    door: TokenKind,
) -> Result<Result<Admitted, Refusal>, Box<Visit>> {
    let stranger = |claims| Refusal {
        door,
        why: Why::Unauthenticated(Stranger {
            sent: request.headers().contains_key(header::AUTHORIZATION),
            claims,
        }),
    };
    let (Some(token), Some(state)) = (bearer(request), request.app_data::<web::Data<AppState>>())
    else {
        return Ok(Err(stranger(None)));
    };
    let now = state.clock.now();
    match state.tokens.ask(token, now) {
        Answer::Good(grant) => Ok(admitted(&grant, door, request_id(request), now)),
        Answer::Bad(error, claims) => {
            let id = request_id(request);
            log::debug!("refused a token: {error} [request {id}]");
            Ok(Err(stranger(claims)))
        }
        // asked once: that a key is unknown is said once a second
        pending @ (Answer::Ask(..) | Answer::Reload) => {
            Err(Box::new(Visit::of(request, door, pending)))
        }
    }
}

/// Everything the answer depends on, taken out of the request so that the answer may be waited for.
struct Visit {
    door: TokenKind,
    /// Whether anything stood in the header.
    sent: bool,
    token: Option<String>,
    request: RequestId,
    state: Option<web::Data<AppState>>,
    sender: Box<Sender>,
    /// What the gate said.
    pending: Answer,
}

impl Visit {
    fn of(request: &HttpRequest, door: TokenKind, pending: Answer) -> Self {
        Self {
            door,
            sent: request.headers().contains_key(header::AUTHORIZATION),
            token: bearer(request).map(str::to_owned),
            request: request_id(request),
            state: request.app_data::<web::Data<AppState>>().cloned(),
            sender: Box::new(sender::of(request)),
            pending,
        }
    }

    fn refuse(&self, why: Why) -> Refusal {
        Refusal {
            door: self.door,
            why,
        }
    }

    fn stranger(&self, claims: Option<Arc<Claims>>) -> Refusal {
        let sent = self.sent;
        self.refuse(Why::Unauthenticated(Stranger { sent, claims }))
    }

    fn admit(&self, grant: &Grant, now: Instant) -> Result<Admitted, Refusal> {
        admitted(grant, self.door, self.request, now)
    }

    /// The answer with a look at the row, and at the keys where the token's is unknown.
    async fn in_time(mut self) -> Result<Admitted, Refusal> {
        let mut answer = std::mem::replace(&mut self.pending, Answer::Reload);
        let (Some(token), Some(state)) = (&self.token, &self.state) else {
            return Err(self.stranger(None));
        };
        let now = state.clock.now();
        if matches!(answer, Answer::Reload) {
            let keys = state
                .store
                .read(tokens::key_ring)
                .await
                .map_err(|error| self.failed(error))?;
            state.tokens.install(keys);
            answer = state.tokens.ask(token, now);
        }
        match answer {
            Answer::Good(grant) => self.admit(&grant, now),
            Answer::Bad(_, claims) => Err(self.stranger(claims)),
            Answer::Reload => Err(self.stranger(None)),
            Answer::Ask(claims, epoch) => {
                let asked = Arc::clone(&claims);
                let row = state
                    .store
                    .read_short(move |db| tokens::grant(db, &asked, now))
                    .await;
                let row = row.map_err(|error| self.failed(error))?;
                let whose = Arc::clone(&claims);
                match state.tokens.learn(token, claims, epoch, row, now) {
                    Ok(grant) => {
                        if grant.touch {
                            touch(state, &grant, &self.sender, now);
                        }
                        self.admit(&grant, now)
                    }
                    Err(error) => {
                        log::debug!("refused a token: {error} [request {}]", self.request);
                        Err(self.stranger(Some(whose)))
                    }
                }
            }
        }
    }

    fn failed(&self, error: ServiceError) -> Refusal {
        self.refuse(Why::Failed(error, self.request))
    }
}

/// Notes the token's use in the background: no request waits for it or fails with it.
fn touch(state: &web::Data<AppState>, grant: &Grant, sender: &Sender, now: Instant) {
    let used = Use {
        at: now,
        ip: sender.ip.clone(),
        user_agent: sender
            .user_agent
            .as_ref()
            .map(|agent| agent.chars().take(256).collect()),
    };
    let (store, tenant, jti) = (state.store.clone(), grant.tenant, grant.jti.clone());
    actix_web::rt::spawn(async move {
        if let Err(error) = store
            .write("touch token", move |db| {
                tokens::touch(db, tenant, &jti, &used)
            })
            .await
        {
            log::warn!("a token's last use was not noted: {error}");
        }
    });
}

type Waiting<T> = Either<Ready<Result<T, Error>>, LocalBoxFuture<'static, Result<T, Error>>>;

fn extract<T: 'static>(request: &HttpRequest, door: TokenKind, make: fn(Scope) -> T) -> Waiting<T> {
    if let Some(Admitted(kind, scope, _)) = request.extensions().get::<Admitted>()
        && *kind == door
    {
        return Either::Left(ready(Ok(make(scope.clone()))));
    }
    match at_once(request, door) {
        Ok(answer) => Either::Left(ready(
            answer
                .map(|Admitted(_, scope, _)| make(scope))
                .map_err(Error::from),
        )),
        Err(visit) => Either::Right(Box::pin(async move {
            let Admitted(_, scope, _) = visit.in_time().await?;
            Ok(make(scope))
        })),
    }
}

impl FromRequest for Provisioner {
    type Error = Error;
    type Future = Waiting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, TokenKind::Scim, Self)
    }
}

impl FromRequest for ApiCaller {
    type Error = Error;
    type Future = Waiting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, TokenKind::Api, Self)
    }
}

/// What the middleware leaves for the extractors.
struct Admitted(TokenKind, Scope, Arc<Meter>);

/// What the caller's token has used up on this node; for what costs more than one request does.
#[must_use]
pub fn meter(request: &HttpRequest) -> Option<Arc<Meter>> {
    let extensions = request.extensions();
    let admitted = extensions.get::<Admitted>();
    admitted.map(|Admitted(_, _, meter)| Arc::clone(meter))
}

async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    door: TokenKind,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answer = match at_once(request.request(), door) {
        Ok(answer) => answer,
        Err(visit) => visit.in_time().await,
    };
    let passed = answer.and_then(|admitted| {
        let passed = within_rate(request.request(), &admitted)?;
        request.extensions_mut().insert(admitted);
        Ok(passed)
    });
    match passed {
        Ok(passed) => {
            let mut answer = next.call(request).await?.map_into_boxed_body();
            // an identity provider reads no such header, and its requests are the ones that must be cheap
            if let (TokenKind::Api, Some(passed)) = (door, passed) {
                passed.tell(answer.headers_mut());
            }
            Ok(answer)
        }
        Err(refusal) => {
            let refusal = noted(request.request(), refusal);
            Ok(request.into_response(refusal.error_response()))
        }
    }
}

/// Whether the token may send one more request now.
fn within_rate(
    request: &HttpRequest,
    Admitted(door, _, meter): &Admitted,
) -> Result<Option<Passed>, Refusal> {
    let Some(state) = request.app_data::<web::Data<AppState>>() else {
        return Ok(None);
    };
    let class = Class::of(request.method(), request.path());
    let taken = state.limits.take(meter, class, 1);
    taken.map_err(|too_fast| Refusal {
        door: *door,
        why: Why::TooFast(too_fast),
    })
}

/// Counts a wrong token of an address, and tells the sync log of a refusal that concerns one of our own.
fn noted(request: &HttpRequest, refusal: Refusal) -> Refusal {
    let Some(state) = request.app_data::<web::Data<AppState>>() else {
        return refusal;
    };
    let door = refusal.door;
    match &refusal.why {
        Why::Unauthenticated(Stranger { sent: true, claims }) => {
            let address = request.peer_addr().map(|address| address.ip());
            if let Err(wait) = state.limits.wrong_token(address) {
                let why = Why::Guessing(wait);
                return Refusal { door, why };
            }
            if let (TokenKind::Scim, Some(claims)) = (door, claims)
                && claims.kind == door
            {
                let now = state.clock.now();
                refused::note(state, request, claims, request_id(request), now);
            }
        }
        Why::WrongKind(scope) if door == TokenKind::Scim => {
            let mut entry = refused::entry(request, scope).finish(Outcome::Rejected, 403, None);
            entry.detail = Some(refusal.to_string());
            state.log.log(scope.tenant, entry);
        }
        _ => {}
    }
    refusal
}

/// Middleware for a scope of routes that are all SCIM: authenticates before anything is parsed.
pub async fn provisioner(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    admit(request, next, TokenKind::Scim).await
}

/// Middleware for a scope of routes that are all REST: authenticates before anything is parsed.
pub async fn api_caller(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    admit(request, next, TokenKind::Api).await
}
