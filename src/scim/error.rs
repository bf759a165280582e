//! The engine's one error: a `scimType` and a sentence for the person who must act. RFC 7644 §3.12.
//!
//! HTTP status codes are chosen in `http/error.rs`, not here.

use std::fmt;

/// The `scimType` keywords of RFC 7644 §3.12 and RFC 9865 §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScimErrorKind {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    InvalidCursor,
    ExpiredCursor,
    InvalidCount,
    /// A limit of the request's size (E8, E11, E12): answered 413, without a `scimType`.
    TooLarge,
    /// A part of the protocol that this connection is not offered (SP-02): answered 501, without a `scimType`.
    Unsupported,
}

impl ScimErrorKind {
    /// The keyword as it stands in an error body; `None` where the RFC has none.
    #[must_use]
    pub const fn keyword(self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
            Self::TooLarge | Self::Unsupported => return None,
        })
    }
}

/// What is wrong with a request, in the protocol's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimError {
    pub kind: ScimErrorKind,
    /// Names the attribute, operation or id at fault and what to do; never a secret value.
    pub detail: String,
}

impl ScimError {
    /// An error of a kind with its sentence.
    pub fn new(kind: ScimErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// `invalidValue`, the most frequent one.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::new(ScimErrorKind::InvalidValue, detail)
    }

    /// `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::new(ScimErrorKind::InvalidSyntax, detail)
    }
}

impl fmt::Display for ScimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ScimError {}
