//! One request of the REST API: who asks, what they send, and the two ways to answer: [`Call::read`] and [`Call::change`].
//!
//! The right stands in the type: `Call<need::GroupsRead>`. [`Call::change`] is the only way to write; it brings the dry
//! run and the stored answers of `Idempotency-Key` with it, so no handler can forget them.

use std::cell::Cell;
use std::marker::PhantomData;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::input::{self, NoParameters};
use super::need::Need;
use super::problem::Failure;
use super::reply::{self, Reply};
use crate::clock::Instant;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::service::dry_run::{self, Rehearsal};
use crate::service::error::Refusal;
use crate::service::idempotency::{self, KeptRow, Keyed};
use crate::service::{Scope, ServiceError};
use crate::service::{groups, settings};
use crate::store::Db;

/// What a handler returns.
pub type Answer = Result<HttpResponse, Failure>;

/// The largest body in bytes (E1).
pub const LARGEST: usize = 2 * 1024 * 1024;

/// One request by a caller who has the right `N`.
pub struct Call<N: Need> {
    pub request: HttpRequest,
    pub scope: Scope,
    pub state: web::Data<AppState>,
    /// Whether the query was read; where it was not, it must be empty.
    read_query: Cell<bool>,
    /// Whether the handler asked for the version its edit is based on.
    versioned: Cell<bool>,
    need: PhantomData<N>,
}

impl<N: Need> FromRequest for Call<N> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = ApiCaller::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let ApiCaller(scope) = caller.await?;
            if let Some(needed) = N::PERMISSION
                && !scope.permissions.contains(needed)
            {
                let why = format!("do this: it lacks the scope `{needed}`");
                return Err(Failure::from(ServiceError::Denied(why)).into());
            }
            let state = request.app_data::<web::Data<AppState>>().cloned();
            let state = state.ok_or_else(|| {
                Failure::from(ServiceError::Bug(anyhow::anyhow!(
                    "the application has no state"
                )))
            })?;
            Ok(Self {
                request,
                scope,
                state,
                read_query: Cell::new(false),
                versioned: Cell::new(false),
                need: PhantomData,
            })
        })
    }
}

/// The parameter of every write.
#[derive(Debug, serde::Deserialize, IntoParams)]
pub struct DryRun {
    /// Do it all and take it back: the answer is the plan of what would happen.
    pub dry_run: Option<bool>,
}

impl<N: Need> Call<N> {
    fn writes(&self) -> bool {
        !matches!(*self.request.method(), Method::GET | Method::HEAD)
    }

    /// The query's parameters as their type; any other is refused.
    pub fn query<T: IntoParams + DeserializeOwned>(&self) -> Result<T, Failure> {
        self.read_query.set(true);
        let also: &[&str] = if self.writes() { &["dry_run"] } else { &[] };
        input::query(self.request.query_string(), also)
    }

    fn no_other_parameters(&self) -> Result<(), Failure> {
        if !self.read_query.get() {
            self.query::<NoParameters>()?;
        }
        Ok(())
    }

    /// Whether the caller asks what would happen (`?dry_run=true`).
    pub fn is_dry_run(&self) -> Result<bool, Failure> {
        let only: String = self
            .request
            .query_string()
            .split('&')
            .filter(|pair| pair.split('=').next() == Some("dry_run"))
            .collect::<Vec<_>>()
            .join("&");
        Ok(input::query::<DryRun>(&only, &[])?.dry_run.unwrap_or(false))
    }

    /// The instant of `as_of`, now unless told.
    #[must_use]
    pub fn as_of(&self, as_of: Option<Instant>) -> Instant {
        as_of.unwrap_or(self.scope.now)
    }

    /// An id of the path; one that has not our form names nothing.
    pub fn id<T: FromStr>(&self, kind: &'static str, name: &str) -> Result<T, Failure> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        text.parse()
            .map_err(|_| ServiceError::not_found(kind, text).into())
    }

    /// The version a write expects: `If-Match: "7"`. `*` expects any; a weak or foreign tag matches none.
    #[must_use]
    pub fn expected(&self) -> Option<i64> {
        self.versioned.set(true);
        let text = self.request.headers().get(header::IF_MATCH)?;
        let text = text.to_str().unwrap_or_default().trim();
        if text == "*" {
            return None;
        }
        let number = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .map(|tag| tag.split_once('-').map_or(tag, |(version, _)| version))
            .and_then(|number| number.parse().ok());
        Some(number.unwrap_or(-1))
    }

    /// A condition that nobody would look at is refused: its sender believes to be safe.
    fn no_unread_version(&self) -> Result<(), Failure> {
        let given = self.request.headers().get(header::IF_MATCH);
        match given {
            Some(given) if !self.versioned.get() && given.as_bytes() != b"*" => {
                Err(Failure::Header(
                    "If-Match",
                    "`If-Match` is compared by edits of groups, assignments, courses and settings; leave it out here"
                        .to_owned(),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Runs a use case that reads.
    pub async fn read<T, F>(&self, mut job: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnMut(&mut Db, &Scope) -> Result<T, ServiceError> + Send + 'static,
    {
        self.no_other_parameters()?;
        let scope = self.scope.clone();
        let read = move |db: &mut Db| {
            if N::GROUPS {
                groups::require_plan_or_past(db, &scope)?;
            }
            job(db, &scope)
        };
        Ok(self.state.store.read(read).await?)
    }

    /// Runs a use case that writes, in one transaction with the making of its answer; or shows what it would do.
    pub async fn change<F>(&self, name: &'static str, mut job: F) -> Answer
    where
        F: FnMut(&mut Db, &Scope) -> Result<Reply, ServiceError> + Send + 'static,
    {
        self.no_other_parameters()?;
        self.no_unread_version()?;
        let blind = self.versioned.get()
            && *self.request.method() == Method::PATCH
            && !self.request.headers().contains_key(header::IF_MATCH);
        let mut job = move |db: &mut Db, scope: &Scope| {
            if N::GROUPS {
                groups::require_plan_or_past(db, scope)?;
            }
            if blind {
                settings::require_version(db, scope)?;
            }
            job(db, scope)
        };
        if self.is_dry_run()? {
            return self.rehearse(name, job).await;
        }
        let scope = self.scope.clone();
        let Some(keyed) = self.keyed()? else {
            let reply = self
                .state
                .store
                .write(name, move |db| job(db, &scope))
                .await?;
            return Ok(reply.respond());
        };
        let Some(_running) = self.state.in_flight.enter(&self.scope, &keyed.key) else {
            return Err(ServiceError::Refused(Refusal::IdempotencyInProgress).into());
        };
        let once = keyed.clone();
        let done = self
            .state
            .store
            .write(name, move |db| {
                let answer = |reply: &Reply| reply.kept(&once.hash);
                idempotency::once(db, &scope, &once, |db| job(db, &scope), answer)
            })
            .await;
        match done {
            Ok(Ok(reply)) => Ok(reply.respond()),
            Ok(Err(kept)) => Ok(reply::again(&kept)),
            Err(error) => {
                self.keep_refusal(&keyed, &error).await?;
                Err(error.into())
            }
        }
    }

    /// A use case's refusal is an answer, too; what was our fault, or is not decided, is not kept.
    async fn keep_refusal(&self, keyed: &Keyed, error: &ServiceError) -> Result<(), Failure> {
        let told = crate::http::error::told(error, self.scope.request);
        if told.status.is_server_error() || matches!(error, ServiceError::Refused(_)) {
            return Ok(());
        }
        let kept = KeptRow {
            request_hash: keyed.hash.clone(),
            status: i64::from(told.status.as_u16()),
            location: None,
            version: None,
            media_type: "application/problem+json".to_owned(),
            body: told.body(Some(self.scope.request)).to_string(),
        };
        let (scope, keyed) = (self.scope.clone(), keyed.clone());
        Ok(self
            .state
            .store
            .write("keep refusal", move |db| {
                idempotency::keep_late(db, &scope, &keyed, &kept)
            })
            .await?)
    }

    /// Work in several transactions, done once per `Idempotency-Key`: its answer is kept when it is there. A refusal is not,
    /// for it has done nothing.
    pub async fn once<F>(&self, body: Option<[u8; 32]>, work: F) -> Answer
    where
        F: Future<Output = Result<Reply, Failure>>,
    {
        self.no_unread_version()?;
        let Some(keyed) = self.keyed_by(body)? else {
            return Ok(work.await?.respond());
        };
        let Some(_running) = self.state.in_flight.enter(&self.scope, &keyed.key) else {
            return Err(ServiceError::Refused(Refusal::IdempotencyInProgress).into());
        };
        let (scope, asked) = (self.scope.clone(), keyed.clone());
        let find = move |db: &mut Db| idempotency::earlier(db, &scope, &asked);
        if let Some(kept) = self.state.store.read(find).await? {
            return Ok(reply::again(&kept));
        }
        let reply = work.await?;
        let (scope, kept) = (self.scope.clone(), reply.kept(&keyed.hash));
        self.state
            .store
            .write("keep answer", move |db| {
                idempotency::keep_late(db, &scope, &keyed, &kept)
            })
            .await?;
        Ok(reply.respond())
    }

    fn keyed(&self) -> Result<Option<Keyed>, Failure> {
        let extensions = self.request.extensions();
        let body = extensions.get::<BodyDigest>().map(|body| body.0);
        drop(extensions);
        self.keyed_by(body)
    }

    /// The `Idempotency-Key` of a POST, with the digest of everything that makes the request what it is.
    fn keyed_by(&self, body: Option<[u8; 32]>) -> Result<Option<Keyed>, Failure> {
        let Some(key) = self.request.headers().get("idempotency-key") else {
            return Ok(None);
        };
        if *self.request.method() != Method::POST {
            return Ok(None);
        }
        let key = key
            .to_str()
            .ok()
            .filter(|key| {
                (1..=255).contains(&key.len())
                    && key.bytes().all(|byte| (0x21..0x7f).contains(&byte))
            })
            .ok_or_else(|| {
                Failure::Header(
                    "Idempotency-Key",
                    "`Idempotency-Key` has 1 to 255 printable characters without blanks".to_owned(),
                )
            })?;
        let mut digest = Sha256::new();
        for part in [self.request.path(), self.request.query_string()] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        digest.update(body.unwrap_or_default());
        let hash = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Some(Keyed {
            key: key.to_owned(),
            hash,
        }))
    }

    /// Shows what a use case would do, and takes it back.
    pub async fn rehearse<F>(&self, name: &'static str, mut job: F) -> Answer
    where
        F: FnMut(&mut Db, &Scope) -> Result<Reply, ServiceError> + Send + 'static,
    {
        self.no_other_parameters()?;
        self.no_unread_version()?;
        let scope = self.scope.clone();
        let rehearsed = self
            .state
            .store
            .write(name, move |db| {
                Err::<(), _>(dry_run::rehearse(db, &scope, |db, scope| {
                    job(db, scope).map(Reply::into_told)
                }))
            })
            .await;
        match rehearsed {
            Err(Rehearsal::Plan(plan)) => Ok(HttpResponse::Ok().json(plan)),
            Err(Rehearsal::Failed(error)) => Err(error.into()),
            Ok(()) => Err(ServiceError::Bug(anyhow::anyhow!("a dry run was committed")).into()),
        }
    }

    /// A resource with its version, or 304 when the client has it.
    pub fn resource<T: Serialize>(&self, version: i64, body: &T) -> HttpResponse {
        self.tagged(&format!("\"{version}\""), body)
    }

    /// A resource that tells more than its version covers, such as figures that change by themselves: its tag is the
    /// version, if there is one, and a digest of all that is told. `If-Match` compares the version alone.
    pub fn shown<T: Serialize>(&self, version: Option<i64>, body: &T) -> HttpResponse {
        let text = serde_json::to_vec(body).unwrap_or_default();
        let digest = Sha256::digest(text);
        let digest: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let tag = match version {
            Some(version) => format!("\"{version}-{digest}\""),
            None => format!("\"{digest}\""),
        };
        self.tagged(&tag, body)
    }

    fn tagged<T: Serialize>(&self, tag: &str, body: &T) -> HttpResponse {
        let known = self
            .request
            .headers()
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        let matches = |known: &str| {
            known.split(',').any(|one| {
                let one = one.trim();
                one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
            })
        };
        if known.is_some_and(matches) {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, tag))
                .finish();
        }
        HttpResponse::Ok()
            .insert_header((header::ETAG, tag))
            .json(body)
    }
}

/// What the body was, for `Idempotency-Key`.
struct BodyDigest([u8; 32]);

/// A request's body, up to [`LARGEST`] bytes, of a JSON media type.
#[derive(Debug)]
pub struct Body(web::Bytes);

impl Body {
    /// What tells this body from others.
    #[must_use]
    pub fn digest(&self) -> Option<[u8; 32]> {
        Some(Sha256::digest(&self.0).into())
    }

    /// The body as its type; unknown fields are refused, everything wrong is told at once.
    pub fn read<T: ToSchema + DeserializeOwned>(&self) -> Result<T, Failure> {
        input::body(&self.0)
    }
}

impl FromRequest for Body {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.map(|kind| kind.to_str().unwrap_or("?").to_ascii_lowercase());
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<usize>().ok());
        let mut payload = payload.take();
        let extensions = request.clone();
        Box::pin(async move {
            if let Some(kind) = kind {
                let essence = kind.split(';').next().unwrap_or_default().trim();
                if essence != "application/json" && essence != "application/merge-patch+json" {
                    return Err(Failure::MediaType(essence.to_owned()).into());
                }
            }
            if announced.is_some_and(|length| length > LARGEST) {
                return Err(Failure::TooLarge(LARGEST).into());
            }
            let mut bytes = web::BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk?;
                if bytes.len() + chunk.len() > LARGEST {
                    return Err(Failure::TooLarge(LARGEST).into());
                }
                bytes.extend_from_slice(&chunk);
            }
            extensions
                .extensions_mut()
                .insert(BodyDigest(Sha256::digest(&bytes).into()));
            Ok(Self(bytes.freeze()))
        })
    }
}

impl<N: Need> std::fmt::Debug for Call<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
