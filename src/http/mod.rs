//! Bytes in, use cases, bytes out. Every route stands in `routes.rs`; every error status is chosen in `error.rs`.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::clock::Clock;
use crate::scim::schema::Registry;
use crate::service::sync_log::SyncLogger;
use crate::service::tokens::Gate;
use crate::store::Store;

pub mod api;
pub mod compress;
pub mod envelope;
pub mod error;
pub mod guard;
pub mod health;
pub mod limits;
pub mod oauth;
pub mod refused;
pub mod routes;
pub mod scim;
pub mod tidy;

/// The address of `/scim/v2` for the requests of one connection: configured, else the address of ours it reached (B31).
#[derive(Clone, Debug)]
pub struct Reached(pub Arc<str>);

impl Reached {
    /// Worked out once for each connection, not for each request.
    #[must_use]
    pub fn new(public_url: Option<&str>, here: SocketAddr) -> Self {
        Self(match public_url {
            Some(url) => format!("{url}/scim/v2").into(),
            None => format!("http://{here}/scim/v2").into(),
        })
    }
}

/// What every handler shares.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub registry: Arc<Registry>,
    pub clock: Clock,
    /// The address clients use, without a trailing slash (`https://scim.acme.test`); `None`: that of the connection (B31).
    pub public_url: Option<String>,
    pub tokens: Arc<Gate>,
    pub log: SyncLogger,
    pub metrics: Arc<health::Metrics>,
    /// What this node lets through.
    pub limits: Arc<limits::Limits>,
    /// REST writes with an `Idempotency-Key` that this node is answering.
    pub in_flight: api::in_flight::InFlight,
    /// What pages' cursors are sealed with, the same on every node of a database.
    pub cursor_key: Arc<[u8; 32]>,
}
