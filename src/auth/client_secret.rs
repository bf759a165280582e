//! Secrets of OAuth 2.0 clients: 256 random bits as text, and the code that is kept of one. Requirements B7, B14.
//!
//! A secret begins with `rollcall_cs_` and ends with a checksum, so that a scanner that finds one in a repository knows it
//! for what it is. What is kept is an HMAC under the client's id: nobody finds 256 random bits by trying.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::mac::mac;
use super::token::KeyError;

/// How every secret begins.
pub const PREFIX: &str = "rollcall_cs_";

/// A new secret.
pub fn random() -> Result<Zeroizing<String>, KeyError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|error| KeyError::new(error.to_string()))?;
    let body = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
    let sum = crc32(body.as_bytes());
    Ok(Zeroizing::new(format!(
        "{PREFIX}{}{sum:08x}",
        body.as_str()
    )))
}

/// What is kept of a client's secret; `None` for a text that cannot be one.
#[must_use]
pub fn code(client: &str, secret: &str) -> Option<String> {
    let rest = secret.strip_prefix(PREFIX)?;
    let (body, sum) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
    let is_whole = body.len() == 43 && sum == format!("{:08x}", crc32(body.as_bytes()));
    is_whole.then(|| {
        URL_SAFE_NO_PAD.encode(mac(client.as_bytes(), &[b"client secret", body.as_bytes()]))
    })
}

/// The checksum of ISO 3309, as scanners know it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_secret_is_known_by_its_code_for_one_client_only() {
        let (one, two) = (random().expect("random"), random().expect("random"));
        assert_ne!(*one, *two);
        let known = code("a", &one).expect("a secret");
        assert_eq!(code("a", &one), Some(known.clone()));
        assert_ne!(code("b", &one), Some(known.clone()));
        assert_ne!(code("a", &two), Some(known.clone()));
        assert!(!known.contains(one.get(12..30).unwrap_or_default()));
    }

    #[test]
    fn what_is_no_secret_has_no_code() {
        let secret = random().expect("random");
        let body = secret.strip_prefix(PREFIX).expect("the prefix");
        for text in [
            "",
            PREFIX,
            body,
            &secret[..secret.len() - 1],
            &format!("{}0", secret.as_str()),
            &format!("{PREFIX}é{}", body),
            &secret.to_uppercase(),
        ] {
            assert_eq!(code("a", text), None, "{text}");
        }
    }
}
