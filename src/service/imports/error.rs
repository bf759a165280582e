//! What an import can answer instead of its result. Its status is chosen in `http/error.rs`.

use crate::csv::FileError;

/// Why an import cannot be done as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// The file cannot be read.
    File(FileError),
    /// What the plan was made on has changed, or its day is over; another is being made.
    PlanStale { why: &'static str },
    /// More of the membership would end than was allowed without a word.
    Confirm { pct: i64, most: i64 },
    /// It is not in the phase for that.
    NotReady { phase: String },
}

impl ImportError {
    /// Stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code,
            Self::PlanStale { .. } => "plan_stale",
            Self::Confirm { .. } => "impact_confirmation_required",
            Self::NotReady { .. } => "import_not_ready",
        }
    }
}

impl std::fmt::Display for ImportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::PlanStale { why } => write!(f, "{why}; look at the new plan and commit that"),
            Self::Confirm { pct, most } => write!(
                f,
                "{pct} % of the memberships of these groups would end, more than {most} %; send `\"confirm\": true` if that is meant"
            ),
            Self::NotReady { phase } => write!(f, "the import is {phase}"),
        }
    }
}
