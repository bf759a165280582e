//! What a use case can answer instead of its result. `http/error.rs` turns each into a status, exhaustively.

use std::fmt;

use super::imports::error::ImportError;
pub use crate::learning::error::LearningError;
use crate::scim::error::ScimError;
use crate::store::{StoreError, TransactionError};

/// The error of a use case.
#[derive(Debug)]
pub enum ServiceError {
    /// No such thing in this tenant; a foreign id is answered the same (A6).
    NotFound { kind: &'static str, id: String },
    /// The protocol refuses the request.
    Scim(ScimError),
    /// A unique value is taken.
    Taken {
        attribute: &'static str,
        detail: String,
    },
    /// The version the client expected is not the present one.
    Stale { current: i64 },
    /// An operation of the same bulk request stands in the way (B-18, B-20).
    Depends(String),
    /// The actor lacks a right.
    Denied(String),
    /// The domain refuses the request.
    Learning(LearningError),
    /// The tenant's plan does not include groups.
    PlanRequired { current: String },
    /// A rule of the REST API itself stands against the request.
    Refused(Refusal),
    /// A parameter or body of the REST API is wrong.
    Invalid { pointer: String, detail: String },
    /// A CSV file or its import cannot be done as asked.
    Import(ImportError),
    /// A request of the sync log cannot run again.
    Replay { code: &'static str, detail: String },
    /// Not now: full queue, lock not had, database away.
    Unavailable(String),
    /// Ours. Logged with its chain, shown as a request id.
    Bug(anyhow::Error),
    /// The database wants the whole transaction again; never leaves the store's retry loop but when retries ran out.
    Retry,
}

/// Refusals that belong to the REST API's own rules, not to the domain (`rest-and-console.md` A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The `Idempotency-Key` was used for another request.
    IdempotencyMismatch,
    /// The first request with this `Idempotency-Key` still runs.
    IdempotencyInProgress,
    /// The tenant wants `If-Match` on edits.
    PreconditionRequired,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::IdempotencyInProgress => "idempotency_in_progress",
            Self::PreconditionRequired => "precondition_required",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::IdempotencyMismatch => {
                "this `Idempotency-Key` was used for another request; take a new one"
            }
            Self::IdempotencyInProgress => {
                "the first request with this `Idempotency-Key` has not been answered yet; try again in a moment"
            }
            Self::PreconditionRequired => {
                "`If-Match` is wanted here, with the version that the change is based on"
            }
        }
    }
}

impl ServiceError {
    /// `Invalid` at a JSON pointer of the request.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }

    /// `NotFound` of a kind.
    pub fn not_found(kind: &'static str, id: impl fmt::Display) -> Self {
        Self::NotFound {
            kind,
            id: id.to_string(),
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { kind, id } => write!(f, "{kind} {id} not found"),
            Self::Scim(error) => error.fmt(f),
            Self::Taken { detail, .. } => f.write_str(detail),
            Self::Stale { current } => write!(
                f,
                "the resource has changed: its version is W/\"{current}\""
            ),
            Self::Depends(why) => f.write_str(why),
            Self::Denied(what) => write!(f, "this token may not {what}"),
            Self::Learning(error) => error.fmt(f),
            Self::Import(error) => error.fmt(f),
            Self::Replay { detail, .. } => f.write_str(detail),
            Self::PlanRequired { current } => {
                write!(
                    f,
                    "learner groups are part of the Professional and Business plans; this tenant is on {current}"
                )
            }
            Self::Refused(refusal) => f.write_str(refusal.sentence()),
            Self::Invalid { detail, .. } => f.write_str(detail),
            Self::Unavailable(why) => write!(f, "try again shortly: {why}"),
            Self::Bug(error) => write!(f, "{error:#}"),
            Self::Retry => {
                f.write_str("try again shortly: the request met too many others on the same data")
            }
        }
    }
}

impl std::error::Error for ServiceError {}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(why) => Self::Unavailable(why),
            StoreError::Retry => Self::Retry,
            StoreError::Conflict => Self::Bug(anyhow::anyhow!(
                "a unique key was taken where no use case expects it"
            )),
            other @ (StoreError::Broken(_) | StoreError::Unusable(_) | StoreError::Panicked(_)) => {
                Self::Bug(other.into())
            }
        }
    }
}

impl From<ScimError> for ServiceError {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl From<LearningError> for ServiceError {
    fn from(error: LearningError) -> Self {
        Self::Learning(error)
    }
}

impl TransactionError for ServiceError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Retry => Some(&StoreError::Retry),
            _ => None,
        }
    }
}
