//! HMAC-SHA-256 over several parts: proof that a text is ours. Not here: what is proven.

use aws_lc_rs::hmac;

/// The code of these parts under a key; each part's length counts, so no two lists of parts have the same.
#[must_use]
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    let mut code = [0; 32];
    for (to, from) in code.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    code
}

/// Whether two codes are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0_u8, |different, (a, b)| different | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_parts_and_their_borders_all_count() {
        let code = mac(b"key", &[b"ab", b"c"]);
        assert_eq!(code, mac(b"key", &[b"ab", b"c"]));
        assert!(!same(&code, &mac(b"key", &[b"a", b"bc"])));
        assert!(!same(&code, &mac(b"yek", &[b"ab", b"c"])));
        assert!(!same(&code, &code[..31]) && same(&code, &code));
    }
}
