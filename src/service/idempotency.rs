//! `Idempotency-Key`: the first answer is kept in the transaction of its write and told again to repeats (A1).
//!
//! Kept per token for [`KEPT`]; a key claimed by another request is refused. Not here: what an answer looks like.

use crate::store::Db;
pub use crate::store::queries::idempotency::KeptRow;
use crate::store::queries::idempotency::{self as rows, Key};

use super::error::Refusal;
use super::{Actor, Scope, ServiceError};

/// How long an answer is kept, in milliseconds: a week.
pub const KEPT: i64 = 7 * 24 * 3600 * 1000;
/// How many old answers one write sweeps out.
const SWEEP: i64 = 20;

/// A key a client chose, and the digest of the request it stands for.
#[derive(Clone, Debug)]
pub struct Keyed {
    pub key: String,
    pub hash: String,
}

fn key<'a>(scope: &'a Scope, keyed: &'a Keyed) -> Key<'a> {
    let jti = match &scope.actor {
        Actor::Api { jti, .. } | Actor::Scim { jti, .. } => &**jti,
        Actor::System(name) => *name,
    };
    Key {
        tenant: scope.tenant,
        jti,
        key: &keyed.key,
    }
}

/// Runs a write once per key. The inner error is the answer that an earlier request with the key got.
pub fn once<T>(
    db: &mut Db,
    scope: &Scope,
    keyed: &Keyed,
    job: impl FnOnce(&mut Db) -> Result<T, ServiceError>,
    answer: impl FnOnce(&T) -> KeptRow,
) -> Result<Result<T, KeptRow>, ServiceError> {
    let (key, since) = (key(scope, keyed), scope.now.plus_millis(-KEPT));
    if !rows::claim(db, key, &keyed.hash, scope.now, since)? {
        let kept = rows::find(db, key, since)?
            .ok_or(ServiceError::Refused(Refusal::IdempotencyInProgress))?;
        if kept.request_hash != keyed.hash {
            return Err(ServiceError::Refused(Refusal::IdempotencyMismatch));
        }
        return Ok(Err(kept));
    }
    let done = job(db)?;
    rows::keep(db, key, &answer(&done))?;
    rows::forget(db, since, SWEEP)?;
    Ok(Ok(done))
}

/// The answer that an earlier request with the key got. Errors: the key stands for another request.
pub fn earlier(db: &mut Db, scope: &Scope, keyed: &Keyed) -> Result<Option<KeptRow>, ServiceError> {
    let since = scope.now.plus_millis(-KEPT);
    match rows::find(db, key(scope, keyed), since)? {
        Some(kept) if kept.request_hash != keyed.hash => {
            Err(ServiceError::Refused(Refusal::IdempotencyMismatch))
        }
        found => Ok(found),
    }
}

/// Keeps an answer in a transaction of its own: of a refusal, whose transaction was taken back, or of work that had several.
/// A key that somebody claimed meanwhile stays theirs.
pub fn keep_late(
    db: &mut Db,
    scope: &Scope,
    keyed: &Keyed,
    answer: &KeptRow,
) -> Result<(), ServiceError> {
    let (key, since) = (key(scope, keyed), scope.now.plus_millis(-KEPT));
    if rows::claim(db, key, &keyed.hash, scope.now, since)? {
        rows::keep(db, key, answer)?;
    }
    Ok(())
}
