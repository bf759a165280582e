//! What a request did not do literally.

use serde::Serialize;

/// What was ignored or rewritten on the way in, for the sync log: a code and the SCIM path it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub code: &'static str,
    pub path: String,
}

impl Note {
    /// A note.
    pub fn new(code: &'static str, path: impl Into<String>) -> Self {
        Self {
            code,
            path: path.into(),
        }
    }
}
