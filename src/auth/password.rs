//! Passwords of console logins: argon2id with the parameters of requirement B21, and random ones for the first start.
//!
//! Hashing takes a fifth of a second and 19 MiB on purpose: run it on a blocking thread, never inside a transaction.

use std::sync::OnceLock;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// The shortest and longest password accepted, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 12..=128;

/// Why a password cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// Outside [`LENGTH`].
    Length(usize),
    /// The system has no random numbers, or the hash function refused its parameters.
    Unavailable(String),
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(n) => {
                write!(
                    f,
                    "a password has {} to {} characters, this one has {n}",
                    LENGTH.start(),
                    LENGTH.end()
                )
            }
            Self::Unavailable(why) => write!(f, "the password cannot be hashed: {why}"),
        }
    }
}

impl std::error::Error for PasswordError {}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(19 * 1024, 2, 1, None)
        .map_err(|error| PasswordError::Unavailable(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password under a fresh salt, as a PHC string.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let length = password.chars().count();
    if !LENGTH.contains(&length) {
        return Err(PasswordError::Length(length));
    }
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(|error| PasswordError::Unavailable(error.to_string()))?;
    let salt = SaltString::encode_b64(&salt)
        .map_err(|error| PasswordError::Unavailable(error.to_string()))?;
    let hash = hasher()?
        .hash_password(password.as_bytes(), &salt)
        .map_err(|error| PasswordError::Unavailable(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password is the one of the stored hash; `stored` is `None` for an unknown login, which takes the same time.
#[must_use]
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    static NOBODY: OnceLock<String> = OnceLock::new();
    if password.chars().count() > *LENGTH.end() {
        return false;
    }
    let hash = match stored {
        Some(stored) => stored,
        None => NOBODY.get_or_init(|| hash("nobody has this password").unwrap_or_default()),
    };
    let (Ok(hash), Ok(hasher)) = (PasswordHash::new(hash), hasher()) else {
        return false;
    };
    hasher.verify_password(password.as_bytes(), &hash).is_ok() && stored.is_some()
}

/// A random password of 20 characters without look-alikes: 100 bits.
pub fn random() -> Result<String, PasswordError> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| PasswordError::Unavailable(error.to_string()))?;
    Ok(bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|&letter| char::from(letter))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let hash = hash("correct horse battery").expect("hashes");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(verify("correct horse battery", Some(&hash)));
        assert!(!verify("correct horse batterz", Some(&hash)));
        assert!(!verify("correct horse battery", None));
        assert!(
            !verify("nobody has this password", None),
            "the stand-in hash opens nothing"
        );
        assert!(!verify("correct horse battery", Some("not a hash")));
    }

    #[test]
    fn the_same_password_hashes_differently_each_time() {
        assert_ne!(hash("correct horse battery"), hash("correct horse battery"));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert_eq!(hash("short"), Err(PasswordError::Length(5)));
        assert_eq!(hash(&"x".repeat(129)), Err(PasswordError::Length(129)));
    }

    #[test]
    fn random_passwords_are_long_and_differ() {
        let (one, two) = (random().expect("random"), random().expect("random"));
        assert_eq!(one.len(), 20);
        assert_ne!(one, two);
        assert!(hash(&one).is_ok());
    }
}
