//! Sealed text: what the server hands out and takes back, readable by nobody else and changed by nobody. RFC 9865 §5.2.
//!
//! AES-256-GCM-SIV under a key derived from a stored signing key, so every server on the database opens what another
//! sealed, and nothing more has to be kept. Not here: what is sealed, and for how long it holds.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::token::KeyError;

/// The longest sealed text looked at, in characters.
pub const MAX_SEALED: usize = 4096;

/// The length of a sealing key, for the derivation.
struct SealingKey;

impl KeyType for SealingKey {
    fn len(&self) -> usize {
        AES_256_GCM_SIV.key_len()
    }
}

fn key(secret: &str) -> Option<RandomizedNonceKey> {
    let mut bytes = vec![0; SealingKey.len()];
    Salt::new(HKDF_SHA256, b"rollcall sealed text")
        .extract(secret.as_bytes())
        .expand(&[b"cursor 1"], SealingKey)
        .ok()?
        .fill(&mut bytes)
        .ok()?;
    RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes).ok()
}

/// Seals bytes under a secret; only the same `context` opens them. The text is of `A-Z a-z 0-9 - _` alone (K-06).
pub fn seal(secret: &str, context: &[u8], plain: &[u8]) -> Result<String, KeyError> {
    let failed = || KeyError::new("a text could not be sealed");
    let mut bytes = plain.to_vec();
    let nonce = key(secret)
        .ok_or_else(failed)?
        .seal_in_place_append_tag(Aad::from(context), &mut bytes)
        .map_err(|_| failed())?;
    let mut sealed = nonce.as_ref().to_vec();
    sealed.append(&mut bytes);
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// What was sealed under one of the secrets in this context; `None` for everything else.
pub fn open<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    context: &[u8],
    sealed: &str,
) -> Option<Vec<u8>> {
    if sealed.len() > MAX_SEALED {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_LEN)?;
    secrets.into_iter().find_map(|secret| {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let plain = key(secret)?
            .open_in_place(nonce, Aad::from(context), &mut rest)
            .ok()?;
        Some(plain.to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_context_under_one_of_the_keys() {
        let sealed = seal("new", b"a", b"text").expect("it seals");
        assert_eq!(
            open(["old", "new"], b"a", &sealed).as_deref(),
            Some(&b"text"[..])
        );
        assert_eq!(open(["old"], b"a", &sealed), None);
        assert_eq!(open(["new"], b"b", &sealed), None);
        assert_ne!(seal("new", b"a", b"text").expect("again"), sealed);
    }

    #[test]
    fn no_changed_character_and_no_other_length_opens() {
        let sealed = seal("key", b"", b"0123456789").expect("it seals");
        assert!(
            sealed
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            // The last character carries bits that no byte has; then the text is no base64.
            assert_eq!(open(["key"], b"", &changed), None, "{at}");
            assert_eq!(open(["key"], b"", &sealed[..at]), None, "{at}");
        }
        assert_eq!(open(["key"], b"", &format!("{sealed}A")), None);
        assert_eq!(open(["key"], b"", &"A".repeat(MAX_SEALED + 1)), None);
        assert_eq!(open(["key"], b"", "ä"), None);
    }
}
