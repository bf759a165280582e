//! Bytes in, use cases, bytes out. Every route stands in `routes.rs`; every error status is chosen in `error.rs`.

use std::sync::Arc;

use crate::clock::Clock;
use crate::scim::schema::Registry;
use crate::store::Store;

/// What every handler shares.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub registry: Arc<Registry>,
    pub clock: Clock,
    /// The address clients use, without a trailing slash (`https://scim.acme.test`); `None`: that of the connection (B31).
    pub public_url: Option<String>,
    pub tokens: Arc<crate::service::tokens::Gate>,
    pub log: crate::service::sync_log::SyncLogger,
    pub metrics: Arc<health::Metrics>,
}

pub mod api;
pub mod error;
pub mod guard;
pub mod health;
