//! The keys that sign tokens: made on first use, rotated, published, sealed again. Requirements B8, B42.
//!
//! A key is *active*, then *retired* (it signs no more, but what it signed is valid), then *removed* (all of that has
//! expired). Not here: the keys that seal these in the database (`store::vault`).

use serde_json::{Value, json};

use crate::auth::mac::mac;
use crate::auth::token::{self, KeyRing, SigningKey};
use crate::clock::Instant;
use crate::store::Db;
use crate::store::queries::keys::{self, KeyRow, StoredKey};

use super::super::ServiceError;

/// The key that signs, made on first use.
pub(super) fn signing_key(db: &mut Db, now: Instant) -> Result<SigningKey, ServiceError> {
    match keys::active(db)? {
        Some(row) => Ok(SigningKey::from_stored(&row.kid, &row.secret)?),
        None => make(db, now),
    }
}

fn make(db: &mut Db, now: Instant) -> Result<SigningKey, ServiceError> {
    let key = SigningKey::generate()?;
    let row = KeyRow {
        kid: key.kid().to_owned(),
        algorithm: token::ALGORITHM.to_owned(),
        secret: key.secret(),
        public: key.public(),
        created_at: now.0,
        retired_at: None,
    };
    keys::insert(db, &row)?;
    Ok(key)
}

/// The keys that verify.
pub fn key_ring(db: &mut Db) -> Result<KeyRing, ServiceError> {
    let rows = in_use(db)?;
    Ok(KeyRing::from_stored(
        rows.iter()
            .map(|row| (row.kid.as_str(), row.public.as_str())),
    )?)
}

fn in_use(db: &mut Db) -> Result<Vec<StoredKey>, ServiceError> {
    let mut rows = keys::all(db)?;
    rows.retain(|row| row.removed_at.is_none());
    Ok(rows)
}

/// The keys that verify, made first where there is none: a server never starts without (A1). Secrets that lie open in a
/// database of before are sealed.
///
/// Errors: the secret of the active key does not open.
pub fn prepare_keys(db: &mut Db, now: Instant) -> Result<KeyRing, ServiceError> {
    signing_key(db, now)?;
    seal_all(db)?;
    key_ring(db)
}

/// The public keys as a JWK set (RFC 7517, RFC 8037).
pub fn published(db: &mut Db) -> Result<Value, ServiceError> {
    let mut set = Vec::new();
    for row in in_use(db)? {
        set.push(json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": row.algorithm, "kid": row.kid,
            "x": token::public_as_jwk(&row.public)?,
        }));
    }
    Ok(json!({ "keys": set }))
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    pub kid: String,
    pub retired: usize,
    pub removed: usize,
}

/// Makes a new key that signs from now on. Tokens of the older ones stay valid; those that can have signed nothing valid
/// any more are removed. Needs no secret of an older key: one whose sealing key is lost is given up like this.
pub fn rotate(db: &mut Db, now: Instant) -> Result<Rotated, ServiceError> {
    let removed = keys::remove_spent(db, now)?;
    let key = make(db, now)?;
    let retired = keys::retire_others(db, key.kid(), now)?;
    Ok(Rotated {
        kid: key.kid().to_owned(),
        retired,
        removed,
    })
}

/// Seals every secret under the first sealing key, those that lie open included; says how many were not so. One that
/// does not open stays as it is unless it is in use to sign.
pub fn seal_all(db: &mut Db) -> Result<usize, ServiceError> {
    let stale: Vec<StoredKey> = keys::all(db)?
        .into_iter()
        .filter(|row| !row.is_current(db))
        .collect();
    if stale.is_empty() {
        return Ok(0);
    }
    let mut sealed = 0;
    keys::overwrite(db, true)?;
    for row in &stale {
        match keys::reseal(db, row) {
            Ok(()) => sealed += 1,
            Err(error) if row.retired_at.is_some() => {
                log::warn!("a retired signing key stays sealed as it is: {error}");
            }
            Err(error) => return Err(error.into()),
        }
    }
    keys::overwrite(db, false)?;
    Ok(sealed)
}

/// A key for another purpose, derived from the oldest signing key that opens: the same on every node of a database.
pub fn derived(db: &mut Db, purpose: &str) -> Result<[u8; 32], ServiceError> {
    for row in keys::all(db)? {
        if let Ok(key) = row.open(db) {
            return Ok(mac(key.secret.as_bytes(), &[purpose.as_bytes()]));
        }
    }
    Err(ServiceError::Bug(anyhow::anyhow!("there is no key")))
}

/// A signing key, as lists show it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    pub kid: String,
    pub created_at: Instant,
    /// `active`, `retired` or `removed`.
    pub state: &'static str,
    /// Why its secret does not open, if it does not.
    pub broken: Option<String>,
    /// Whether its secret lies open in the database.
    pub unsealed: bool,
}

/// All signing keys, oldest first.
pub fn listed(db: &mut Db) -> Result<Vec<ListedKey>, ServiceError> {
    let rows = keys::all(db)?;
    Ok(rows
        .into_iter()
        .map(|row| ListedKey {
            kid: row.kid.clone(),
            created_at: Instant(row.created_at),
            state: match (row.retired_at, row.removed_at) {
                (None, _) => "active",
                (Some(_), None) => "retired",
                (Some(_), Some(_)) => "removed",
            },
            unsealed: !row.is_sealed(),
            broken: row.open(db).err().map(|error| error.to_string()),
        })
        .collect())
}
