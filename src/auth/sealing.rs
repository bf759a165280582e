//! Secrets at rest: sealed under a key that is not in the database, so that a dump alone is worth nothing. Requirement B42.
//!
//! AES-256-GCM with a random nonce; the place of a secret (table, row, tenant) is sealed with it, so that rows cannot be
//! swapped. Several keys open, the first one seals: that is how keys are rotated. Not here: where the keys come from
//! (`store::vault`), and short-lived texts for clients ([`seal`](super::seal)).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What every sealed text begins with.
const PREFIX: &str = "sealed:1:";

/// Base64 as people paste it, with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a secret cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealingError {
    /// The text that should be a key is none.
    NoKey,
    /// Sealed under a key that is not here; its id.
    UnknownKey(String),
    /// The key is here, but the text was changed or belongs to another place.
    Broken,
    /// The system could not seal.
    Unavailable,
}

impl fmt::Display for SealingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str(
                "a sealing key is 32 random bytes in base64, as `openssl rand -base64 32` prints them",
            ),
            Self::UnknownKey(id) => {
                write!(f, "it is sealed under the key {id}, which is not here")
            }
            Self::Broken => f.write_str("it was changed, or moved from another place"),
            Self::Unavailable => f.write_str("the system cannot seal"),
        }
    }
}

impl std::error::Error for SealingError {}

/// One key. Its `Debug` shows the id alone.
#[derive(Clone)]
struct SealingKey {
    id: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl SealingKey {
    fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes);
        Self {
            id: digest.iter().take(4).map(|b| format!("{b:02x}")).collect(),
            bytes: Zeroizing::new(bytes),
        }
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, SealingError> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.bytes).map_err(|_| SealingError::Unavailable)
    }
}

/// The keys of an installation: the first one seals, all of them open.
#[derive(Clone, Default)]
pub struct SealingKeys(Vec<SealingKey>);

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ids()).finish()
    }
}

impl SealingKeys {
    /// Reads keys: one per line or between blanks or commas, lines that begin with `#` aside. At least one.
    pub fn parse(text: &str) -> Result<Self, SealingError> {
        let mut keys = Vec::new();
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            for word in line
                .split([' ', '\t', ',', '\r'])
                .filter(|word| !word.is_empty())
            {
                let bytes = LENIENT
                    .decode(word)
                    .or_else(|_| URL_SAFE_NO_PAD.decode(word))
                    .map_err(|_| SealingError::NoKey)?;
                if bytes.len() != 32 || bytes.iter().all(|byte| Some(byte) == bytes.first()) {
                    return Err(SealingError::NoKey);
                }
                keys.push(SealingKey::new(bytes));
            }
        }
        if keys.is_empty() {
            return Err(SealingError::NoKey);
        }
        Ok(Self(keys))
    }

    /// A new random key, as text.
    pub fn generate() -> Result<Zeroizing<String>, SealingError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| SealingError::Unavailable)?;
        Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice())))
    }

    /// The names of the keys, the sealing one first. They tell nothing about the keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    /// Whether a key of this id is here.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.ids().any(|known| known == id)
    }

    /// Seals a secret at its place; without a key it stays as it is.
    pub fn seal(&self, place: &[&str], secret: &str) -> Result<String, SealingError> {
        let Some(key) = self.0.first() else {
            return Ok(secret.to_owned());
        };
        let mut bytes = secret.as_bytes().to_vec();
        let nonce = key
            .cipher()?
            .seal_in_place_append_tag(Aad::from(context(place)), &mut bytes)
            .map_err(|_| SealingError::Unavailable)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut bytes);
        Ok(format!(
            "{PREFIX}{}:{}",
            key.id,
            URL_SAFE_NO_PAD.encode(sealed)
        ))
    }

    /// The secret of a stored text; one that was stored before there was a key is itself.
    pub fn open(&self, place: &[&str], stored: &str) -> Result<Zeroizing<String>, SealingError> {
        let Some((id, sealed)) = parts(stored) else {
            return Ok(Zeroizing::new(stored.to_owned()));
        };
        let key = self.0.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| SealingError::UnknownKey(id.to_owned()))?;
        let broken = || SealingError::Broken;
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| broken())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let plain = key
            .cipher()?
            .open_in_place(nonce, Aad::from(context(place)), &mut rest)
            .map_err(|_| broken())?;
        let text = std::str::from_utf8(plain).map_err(|_| broken())?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Whether a stored text is sealed as [`SealingKeys::seal`] would seal it now.
    #[must_use]
    pub fn is_current(&self, stored: &str) -> bool {
        match (parts(stored), self.0.first()) {
            (Some((id, _)), Some(key)) => key.id == id,
            (None, None) => true,
            _ => false,
        }
    }
}

/// The id of the key that a text is sealed under; `None` for one that is not sealed.
#[must_use]
pub fn sealed_under(stored: &str) -> Option<&str> {
    parts(stored).map(|(id, _)| id)
}

fn parts(stored: &str) -> Option<(&str, &str)> {
    let rest = stored.strip_prefix(PREFIX)?;
    // a damaged one is still a sealed one
    Some(rest.split_once(':').unwrap_or((rest, "")))
}

/// The place as bytes; each part's length counts, so no two places are alike.
fn context(place: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in place {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> SealingKeys {
        SealingKeys::parse(text).expect("keys")
    }

    #[test]
    fn a_secret_opens_at_its_place_under_its_key_and_nowhere_else() {
        // B42: rows cannot be swapped, keys rotate
        let (old, new) = (
            SealingKeys::generate().expect("a key"),
            SealingKeys::generate().expect("a key"),
        );
        let first = keys(&old);
        let sealed = first.seal(&["keys", "a"], "secret").expect("it seals");
        assert!(!sealed.contains("secret"));
        assert_eq!(
            *first.open(&["keys", "a"], &sealed).expect("it opens"),
            "secret"
        );
        for place in [&["keys", "b"][..], &["key", "sa"], &["keysa"], &[]] {
            assert_eq!(
                first.open(place, &sealed),
                Err(SealingError::Broken),
                "{place:?}"
            );
        }
        let both = keys(&format!("# rotated\n{}\n{}", *new, *old));
        assert_eq!(
            *both.open(&["keys", "a"], &sealed).expect("it opens"),
            "secret"
        );
        assert!(!both.is_current(&sealed) && first.is_current(&sealed));
        let id = sealed_under(&sealed).expect("sealed").to_owned();
        assert!(both.knows(&id));
        assert_eq!(
            keys(&new).open(&["keys", "a"], &sealed),
            Err(SealingError::UnknownKey(id))
        );
        assert_ne!(first.seal(&["keys", "a"], "secret").expect("again"), sealed);
    }

    #[test]
    fn no_changed_character_opens() {
        let keys = keys(&SealingKeys::generate().expect("a key"));
        let sealed = keys.seal(&["x"], "secret").expect("it seals");
        for at in PREFIX.len()..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(keys.open(&["x"], &changed).is_err(), "{at}");
        }
    }

    #[test]
    fn without_a_key_a_secret_stays_as_it_is_and_with_one_it_is_not_current() {
        let none = SealingKeys::default();
        assert_eq!(none.seal(&["x"], "secret").as_deref(), Ok("secret"));
        assert_eq!(
            none.open(&["x"], "secret").as_deref().map(String::as_str),
            Ok("secret")
        );
        assert!(none.is_current("secret"));
        let some = keys(&SealingKeys::generate().expect("a key"));
        assert!(!some.is_current("secret"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let zeros = STANDARD.encode([0; 32]);
        for text in ["", "\n", "# only a word", "secret", "c2hvcnQ=", "ä", &zeros] {
            assert_eq!(
                SealingKeys::parse(text).err(),
                Some(SealingError::NoKey),
                "{text}"
            );
        }
        let key = SealingKeys::generate().expect("a key");
        for text in [
            key.trim_end_matches('=').to_owned(),
            key.replace('+', "-")
                .replace('/', "_")
                .trim_end_matches('=')
                .to_owned(),
            format!("  {}\r\n", *key),
        ] {
            assert!(SealingKeys::parse(&text).is_ok(), "{text}");
        }
        assert!(
            !format!("{:?}", keys(&key)).contains(&key[..8]),
            "Debug tells ids alone"
        );
    }
}
