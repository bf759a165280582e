//! Access tokens: Ed25519-signed JWTs (RFC 7519, RFC 9068 `at+jwt`), made and verified. Requirements B1–B9.
//!
//! Verification is a chain of refusals, each before the next costs anything: size, three parts, a header of exactly
//! `alg`, `typ` and `kid`, a key of ours by `kid`, the key's own algorithm, the signature, all claims, issuer and
//! audience. Validity in time is a separate step ([`Claims::check_time`]) because a cached token must pass it each time.
//! Not here: whether the token was revoked; that is a row, asked by `service::tokens`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::permission::{Permissions, TokenKind};
use crate::clock::Instant;
use crate::ids::TenantId;

/// The `iss` of every token.
pub const ISSUER: &str = "rollcall";
/// The `aud` of every token.
pub const AUDIENCE: &str = "rollcall";
/// The only algorithm, as the header spells it.
pub const ALGORITHM: &str = "EdDSA";
/// How far two clocks may be apart, in seconds.
pub const LEEWAY: i64 = 30;
/// The longest token looked at, in bytes.
pub const MAX_LENGTH: usize = 4096;

/// Why a token is refused. Callers outside see one answer for all of them; logs and tests see the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// Not three base64url parts, too long, or no JSON where JSON belongs.
    Malformed,
    /// A header parameter too many, too few, or with another value than ours.
    Header,
    /// No key of that `kid`.
    UnknownKey,
    /// The signature is not of that key.
    Signature,
    /// A claim is missing or of the wrong type.
    Claims,
    /// Made by or for somebody else.
    Foreign,
    /// `exp` is past.
    Expired,
    /// `nbf` or `iat` is in the future.
    NotYet,
    /// No token of that `jti` was ever recorded for the tenant.
    Unrecorded,
    /// Taken back.
    Revoked,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is not a JWT",
            Self::Header => "the token's header is not one of ours",
            Self::UnknownKey => "the token's key is unknown",
            Self::Signature => "the token's signature is wrong",
            Self::Claims => "a claim of the token is missing or malformed",
            Self::Foreign => "the token is from or for another server",
            Self::Expired => "the token has expired",
            Self::NotYet => "the token is not valid yet",
            Self::Unrecorded => "the token was never recorded here",
            Self::Revoked => "the token was revoked",
        })
    }
}

impl std::error::Error for TokenError {}

/// What a token says. Every claim is required; none may be of another type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The client's label.
    pub sub: String,
    /// 128 random bits, in base64url.
    pub jti: String,
    pub tid: TenantId,
    pub kind: TokenKind,
    /// Permissions between spaces.
    pub scope: String,
    /// Seconds since 1970, like `nbf` and `exp`.
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
}

impl Claims {
    /// Whether the token is valid at an instant, with [`LEEWAY`] on both ends.
    pub fn check_time(&self, now: Instant) -> Result<(), TokenError> {
        let now = now.0.div_euclid(1000);
        if now >= self.exp.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        if self.nbf > now + LEEWAY || self.iat > now + LEEWAY {
            return Err(TokenError::NotYet);
        }
        Ok(())
    }

    /// The permissions it claims.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        Permissions::read(&self.scope)
    }
}

/// The header, exactly: another parameter (`jwk`, `jku`, `x5c`, `crit`, `zip`, …) fails to parse.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// 128 random bits as base64url: a `jti` or `kid`.
pub fn random_id() -> Result<String, KeyError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| KeyError(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A key that cannot be made or read: a broken row or a system without random numbers.
#[derive(Debug)]
pub struct KeyError(String);

impl KeyError {
    /// An error with its sentence.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signing key: {}", self.0)
    }
}

impl std::error::Error for KeyError {}

/// A key pair that signs tokens. Its `Debug` shows the `kid` alone.
pub struct SigningKey {
    kid: String,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key pair.
    pub fn generate() -> Result<Self, KeyError> {
        let pair =
            Ed25519KeyPair::generate().map_err(|_| KeyError("no key could be made".into()))?;
        let pkcs8 = pair
            .to_pkcs8()
            .map_err(|_| KeyError("the key could not be written".into()))?;
        Ok(Self {
            kid: random_id()?,
            pkcs8: Zeroizing::new(pkcs8.as_ref().to_vec()),
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    /// Reads a stored key pair; the public part is computed again, so a swapped one is noticed by its signatures.
    pub fn from_stored(kid: &str, secret: &str) -> Result<Self, KeyError> {
        let broken = || KeyError(format!("`{kid}` is not a PKCS#8 Ed25519 key in base64"));
        let pkcs8 = Zeroizing::new(STANDARD.decode(secret).map_err(|_| broken())?);
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| broken())?;
        Ok(Self {
            kid: kid.to_owned(),
            public: pair.public_key().as_ref().to_vec(),
            pkcs8,
        })
    }

    /// The key's name in token headers.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private part for storage: PKCS#8 in base64.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.pkcs8.as_slice()))
    }

    /// The public part for storage: 32 bytes in base64.
    #[must_use]
    pub fn public(&self) -> String {
        STANDARD.encode(&self.public)
    }

    /// Signs claims into a token.
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        let mut header = jsonwebtoken::Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&self.pkcs8))
            .map_err(|error| KeyError(error.to_string()))
    }
}

/// A stored public part as JSON Web Keys spell it (RFC 8037 §2).
pub fn public_as_jwk(public: &str) -> Result<String, KeyError> {
    let bytes = STANDARD
        .decode(public)
        .map_err(|_| KeyError("a public part is no base64".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A public key that verifies tokens, with the one algorithm it may be used for.
struct VerifyingKey {
    key: DecodingKey,
    validation: Validation,
}

/// The public keys of this installation by `kid`.
#[derive(Default)]
pub struct KeyRing {
    keys: HashMap<String, VerifyingKey>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl KeyRing {
    /// Builds a ring from stored rows of `(kid, public part in base64)`.
    pub fn from_stored<'a>(
        rows: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, KeyError> {
        let mut ring = Self::default();
        for (kid, public) in rows {
            let bytes = STANDARD
                .decode(public)
                .ok()
                .filter(|bytes| bytes.len() == 32);
            let bytes =
                bytes.ok_or_else(|| KeyError(format!("`{kid}` has no 32-byte public part")))?;
            let mut validation = Validation::new(Algorithm::EdDSA);
            validation.set_issuer(&[ISSUER]);
            validation.set_audience(&[AUDIENCE]);
            validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
            // Time comes from our clock, in `Claims::check_time`; the crate would read the system's.
            validation.validate_exp = false;
            validation.validate_nbf = false;
            ring.keys.insert(
                kid.to_owned(),
                VerifyingKey {
                    key: DecodingKey::from_ed_der(&bytes),
                    validation,
                },
            );
        }
        Ok(ring)
    }

    /// Whether no key is known; such a ring refuses every token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Verifies everything about a token but time and revocation.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let key = self
            .keys
            .get(&kid_of(token)?)
            .ok_or(TokenError::UnknownKey)?;
        let data =
            jsonwebtoken::decode::<Claims>(token, &key.key, &key.validation).map_err(|error| {
                use jsonwebtoken::errors::ErrorKind as Kind;
                match error.kind() {
                    Kind::InvalidSignature | Kind::InvalidAlgorithm | Kind::InvalidKeyFormat => {
                        TokenError::Signature
                    }
                    Kind::InvalidIssuer | Kind::InvalidAudience => TokenError::Foreign,
                    Kind::InvalidToken | Kind::Base64(_) | Kind::Utf8(_) => TokenError::Malformed,
                    _ => TokenError::Claims,
                }
            })?;
        let claims = data.claims;
        if claims.iss != ISSUER || claims.aud != AUDIENCE {
            return Err(TokenError::Foreign);
        }
        Ok(claims)
    }
}

/// Reads the header strictly and returns its `kid`.
fn kid_of(token: &str) -> Result<String, TokenError> {
    if token.len() > MAX_LENGTH {
        return Err(TokenError::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    if claims.is_empty() || signature.is_empty() {
        return Err(TokenError::Malformed);
    }
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| TokenError::Malformed)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| TokenError::Header)?;
    if header.alg != ALGORITHM || header.typ != "at+jwt" || header.kid.len() > 64 {
        return Err(TokenError::Header);
    }
    Ok(header.kid)
}

/// The verified-token cache: bounded, keyed by the whole token, so that a signature is checked once and a row asked
/// at most every few seconds. `T` is what the caller found out about the token.
///
/// Two halves: when the young one is full it becomes the old one and the old one is forgotten, which keeps what is in
/// use without a list to maintain.
pub struct Cache<T> {
    capacity: usize,
    young: HashMap<Arc<str>, T>,
    old: HashMap<Arc<str>, T>,
}

impl<T: Clone> Cache<T> {
    /// An empty cache of at most `capacity` tokens.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(2),
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// What is known about a token.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<&T> {
        self.young.get(token).or_else(|| self.old.get(token))
    }

    /// Remembers something about a token.
    pub fn put(&mut self, token: &str, value: T) {
        if self.young.len() >= self.capacity / 2 && !self.young.contains_key(token) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token.into(), value);
    }

    /// Forgets what does not pass.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.young.retain(|_, value| keep(value));
        self.old.retain(|_, value| keep(value));
    }

    /// How many tokens it holds, one in both halves counted twice.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
