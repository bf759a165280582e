//! The gate: a node's memory of verified tokens and of what their rows said. Requirement B5.
//!
//! It never touches the database itself: it says what to ask ([`Answer::Ask`], [`Answer::Reload`]) and is told the answer,
//! so the same code serves an asynchronous guard and a test that moves the clock by hand.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::Grant;
use crate::auth::rate::Meter;
use crate::auth::token::{Cache, Claims, KeyRing, TokenError};
use crate::clock::Instant;
use crate::ids::ConnectionId;

/// How long a row's answer is believed, in milliseconds.
pub const RECHECK: i64 = 5_000;
/// How many tokens a node remembers.
pub const CACHED: usize = 10_000;
/// How often an unknown key may make a node read the keys again, in milliseconds.
const RELOAD: i64 = 1_000;

/// What a [`Gate`] says about a token.
#[derive(Debug)]
pub enum Answer {
    /// Come in.
    Good(Arc<Grant>),
    /// Stay out; the claims of a token that we did sign say whose it was.
    Bad(TokenError, Option<Arc<Claims>>),
    /// Its row must be asked ([`grant`](super::grant)) and the answer brought back ([`Gate::learn`]).
    Ask(Arc<Claims>, Epoch),
    /// Its key is unknown here: another node may have made one, so read the keys ([`key_ring`](super::key_ring), [`Gate::install`]) and ask again.
    Reload,
}

/// Counts revocations: an answer asked for before one is not believed after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

#[derive(Clone)]
struct Known {
    claims: Arc<Claims>,
    /// What the row said and when; `None` right after the signature was verified.
    row: Option<(Instant, Result<Arc<Grant>, TokenError>)>,
    meter: Arc<Meter>,
}

struct Seen {
    cache: Cache<Known>,
    epoch: u64,
    reloaded_at: Instant,
}

/// The node's memory of tokens and keys. Never touches the database itself.
pub struct Gate {
    keys: RwLock<KeyRing>,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate that knows these keys.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        let seen = Seen {
            cache: Cache::new(CACHED),
            epoch: 0,
            reloaded_at: Instant(i64::MIN / 2),
        };
        Self {
            keys: RwLock::new(keys),
            seen: Mutex::new(seen),
        }
    }

    /// What is known about a token now.
    pub fn ask(&self, token: &str, now: Instant) -> Answer {
        let (known, epoch) = {
            let seen = self.seen();
            (seen.cache.find(token).cloned(), Epoch(seen.epoch))
        };
        let known = match known {
            Some(known) => known,
            None => {
                let verified = self
                    .keys
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .verify(token);
                match verified {
                    Ok(claims) => {
                        let known = Known {
                            claims: Arc::new(claims),
                            row: None,
                            meter: Arc::default(),
                        };
                        self.seen().cache.put(token, known.clone());
                        known
                    }
                    Err(TokenError::UnknownKey) if self.may_reload(now) => return Answer::Reload,
                    Err(error) => return Answer::Bad(error, None),
                }
            }
        };
        if let Err(error) = known.claims.check_time(now) {
            return Answer::Bad(error, Some(known.claims));
        }
        match known.row {
            Some((at, row)) if (0..RECHECK).contains(&(now.0 - at.0)) => match row {
                Ok(grant) => Answer::Good(grant),
                Err(error) => Answer::Bad(error, Some(known.claims)),
            },
            _ => Answer::Ask(known.claims, epoch),
        }
    }

    /// Takes in what the row said, unless a token was revoked meanwhile; says what the request gets.
    pub fn learn(
        &self,
        token: &str,
        claims: Arc<Claims>,
        epoch: Epoch,
        row: Result<Grant, TokenError>,
        now: Instant,
    ) -> Result<Arc<Grant>, TokenError> {
        let mut seen = self.seen();
        // the same bucket as before: reading the row again gives nobody more
        let meter = seen.cache.find(token).map(|known| &known.meter);
        let meter = meter.cloned().unwrap_or_default();
        let row = row.map(|grant| {
            Arc::new(Grant {
                meter: Arc::clone(&meter),
                ..grant
            })
        });
        if Epoch(seen.epoch) == epoch {
            seen.cache.put(
                token,
                Known {
                    claims,
                    row: Some((now, row.clone())),
                    meter,
                },
            );
        }
        row
    }

    /// Takes in keys read again.
    pub fn install(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Forgets a token at once, after its revocation was committed.
    pub fn forget(&self, jti: &str) {
        let mut seen = self.seen();
        seen.epoch += 1;
        seen.cache.retain(|known| known.claims.jti != jti);
    }

    /// Forgets every token of a connection at once, after a change of the connection was committed.
    pub fn forget_connection(&self, id: ConnectionId) {
        let mut seen = self.seen();
        seen.epoch += 1;
        seen.cache.retain(|known| match &known.row {
            Some((_, Ok(grant))) => grant.connection.as_ref().is_none_or(|one| one.id != id),
            Some((_, Err(_))) | None => true,
        });
    }

    fn may_reload(&self, now: Instant) -> bool {
        let mut seen = self.seen();
        if now.0 - seen.reloaded_at.0 < RELOAD {
            return false;
        }
        seen.reloaded_at = now;
        true
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
