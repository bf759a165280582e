//! The server under test with a tenant of this run's own, and the server that only answers bytes.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context as _;
use rollcall::app::Running;
use rollcall::auth::permission::TokenKind;
use rollcall::clock::{Clock, Instant};
use rollcall::config::Config;
use rollcall::ids::RequestId;
use rollcall::learning::plan::SubscriptionPlan;
use rollcall::scim::quirks::Client;
use rollcall::service::tokens::{self, NewToken};
use rollcall::service::{Actor, Connection, Scope, ServiceError, connections, tenants};
use rollcall::store::Store;

/// The longest answer the byte server gives.
const BYTES: usize = 4 << 20;

/// A server on a free port over this database, with as many workers as it would have.
pub fn config(database: &str) -> Config {
    Config {
        listen: "127.0.0.1:0".to_owned(),
        database: database.to_owned(),
        allow_unsafe_database: true,
        ..Config::default()
    }
}

/// What everything that measures needs.
pub struct Bench {
    pub address: SocketAddr,
    /// Answers `GET /<n>` with n bytes.
    pub bytes: SocketAddr,
    pub store: Store,
    /// The tenant's SCIM token.
    pub token: String,
    /// The tenant's REST token.
    pub api_token: String,
    scope: Scope,
}

/// The tenant that the searches are measured in; a database that has it is not filled again.
const FILLED: &str = "bench of searches";

impl Bench {
    /// Makes the tenant, or takes the one a run before has `kept`, and starts the byte server.
    pub fn of(server: &Running, kept: bool) -> anyhow::Result<Self> {
        let address = server
            .url
            .strip_prefix("http://")
            .context("the server has no address")?
            .parse()?;
        let store = server.state.store.clone();
        let now = Clock::system().now();
        let name = match kept {
            true => FILLED.to_owned(),
            false => format!("bench {}", RequestId::new()),
        };
        let (scope, token, api_token) = store.write_blocking("bench tenant", move |db| {
            let tenant = match tenants::find(db, &name) {
                Ok(tenant) => tenant,
                Err(_) => tenants::create(db, &name, SubscriptionPlan::Business, "UTC", now)?,
            };
            let label = RequestId::new().to_string();
            let connection: Connection =
                connections::create(db, tenant.id, &label, Client::Generic, now)?;
            let mut scope = Scope::system(tenant.id, "bench", now);
            scope.actor = Actor::Scim {
                jti: "bench".into(),
                label: "bench".into(),
            };
            let scim = NewToken {
                connection: Some(connection.id),
                ..NewToken::of(tenant.id, TokenKind::Scim)
            };
            scope.connection = Some(connection.into());
            let scim = tokens::create(db, &scim, now)?;
            let api = tokens::create(db, &NewToken::of(tenant.id, TokenKind::Api), now)?;
            Ok::<_, ServiceError>((scope, scim.token, api.token))
        })?;
        Ok(Self {
            address,
            bytes: byte_server()?,
            store,
            token,
            api_token,
            scope,
        })
    }

    /// A scope as a request has it: its own id, the present time.
    pub fn scope(&self) -> Scope {
        Scope {
            request: RequestId::new(),
            now: now(),
            ..self.scope.clone()
        }
    }
}

pub fn now() -> Instant {
    Clock::system().now()
}

/// Starts the byte server on threads of its own; it lives as long as the process.
fn byte_server() -> anyhow::Result<SocketAddr> {
    let (announce, announced) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let body = web::Bytes::from(vec![b'x'; BYTES]);
            let answer = move |length: web::Path<usize>| {
                let part = body.slice(..length.into_inner().min(BYTES));
                async move {
                    HttpResponse::Ok()
                        .content_type("application/scim+json")
                        .body(part)
                }
            };
            let workers = std::thread::available_parallelism().map_or(2, usize::from);
            let server = HttpServer::new(move || {
                App::new().route("/{length}", web::get().to(answer.clone()))
            })
            .workers(workers)
            .disable_signals()
            .bind("127.0.0.1:0")?;
            // The other side waits; it is only gone when the whole run is.
            let _ = announce.send(server.addrs().first().copied());
            server.run().await
        })
    });
    announced
        .recv()?
        .context("the byte server is bound to no address")
}
