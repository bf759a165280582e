//! Case folding: one function for comparison, uniqueness and sorting (F-50, A16, U-02).

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The comparison key of a string whose case does not matter: NFKC, full case folding, NFKC.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().default_case_fold().nfkc().collect()
}
