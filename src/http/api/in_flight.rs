//! Which `Idempotency-Key`s this node is answering just now: a repeat meanwhile is told so instead of waiting.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::TenantId;
use crate::service::{Actor, Scope};

type Key = (TenantId, String, String);

/// The keys. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Key>>>);

/// One key while its request runs.
#[derive(Debug)]
pub struct Running(InFlight, Key);

impl InFlight {
    /// Takes the key, unless a request has it.
    #[must_use]
    pub fn enter(&self, scope: &Scope, key: &str) -> Option<Running> {
        let jti = match &scope.actor {
            Actor::Api { jti, .. } | Actor::Scim { jti, .. } => String::from(&**jti),
            Actor::System(name) => (*name).to_owned(),
        };
        let key = (scope.tenant, jti, key.to_owned());
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone()).then(|| Running(self.clone(), key))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut keys = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.1);
    }
}
