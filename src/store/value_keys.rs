//! The keys by which values are compared and indexed: folded, exact, bytes, numbers; cut where an index needs it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Folded,
    Exact,
    /// Canonical base64 of the bytes.
    Bytes,
    /// Digits in the order of the numbers.
    Integer,
    /// The same of milliseconds.
    Instant,
    /// `true` or `false`.
    Bool,
}

/// The longest key in characters; what is longer is cut, because PostgreSQL's b-trees take 2,700 bytes.
pub const KEY_CHARS: usize = 512;

/// The number of the row that says of a user: some key of theirs that substrings are asked of was cut.
pub const LONG: i64 = 0;

/// A key cut to what an index can hold, and whether it was.
#[must_use]
pub fn cut(mut key: String) -> (String, bool) {
    match key.char_indices().nth(KEY_CHARS) {
        Some((end, _)) => {
            key.truncate(end);
            (key, true)
        }
        None => (key, false),
    }
}

/// The bytes of base64 text, as the text a key holds; empty when it is none.
pub(super) fn canonical_base64(written: &str) -> String {
    use base64::alphabet;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const TOLERANT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    TOLERANT
        .decode(written.replace('-', "+").replace('_', "/"))
        .map_or_else(|_| String::new(), |bytes| bytes_key(&bytes))
}

/// The key of bytes.
#[must_use]
pub fn bytes_key(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
