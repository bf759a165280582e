//! What the domain refuses: a closed list with stable codes (`rest-and-console.md` A1).
//!
//! Not here: the HTTP status, which `http` chooses by matching every variant.

use std::fmt;

use super::course_status::CourseStatus;
use super::owed::Blocker;
use crate::ids::{ConnectionId, LearnerId};

/// A rule of the learning domain that a request breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LearningError {
    /// A field's value is not acceptable.
    Invalid { field: &'static str, detail: String },
    /// Another live group has the name.
    GroupNameTaken { name: String },
    /// Another course has the code.
    CourseCodeTaken { code: String },
    /// Learners that are not registered and approved; nobody was added (S-08).
    NotEligible(Vec<Ineligible>),
    /// The course cannot be assigned.
    CourseNotPublished { status: CourseStatus },
    /// The group has the course already.
    AlreadyAssigned,
    /// Certificates of these learners would lapse at once; the token confirms it.
    ImpactUnconfirmed {
        learners: Vec<LearnerId>,
        token: String,
    },
    /// Recertification outside 1-120 months.
    RecertMonthsOutOfRange { months: i64 },
    /// Name and members belong to a directory (§2.3).
    ManagedByDirectory {
        connection: ConnectionId,
        name: String,
    },
    /// A reference such as an external id names several learners.
    AmbiguousReference { reference: String },
    /// The learner's accounts were given to another learner (§7.13).
    AlreadyLinked { learner: LearnerId, to: LearnerId },
    /// A legal hold stands against erasing the person (7.25).
    LegalHold { reason: String },
    /// The person was erased on request: nobody can say any more who they were.
    Erased,
}

/// One learner that cannot be added, and where the request named them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ineligible {
    /// Position in the request's list.
    pub index: usize,
    /// The learner; `None` when the reference names nobody.
    pub learner: Option<LearnerId>,
    /// Why not; `None` when the reference names nobody.
    pub blocker: Option<Blocker>,
}

impl LearningError {
    /// The stable machine key.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "validation_failed",
            Self::GroupNameTaken { .. } => "group_name_taken",
            Self::CourseCodeTaken { .. } => "course_code_taken",
            Self::NotEligible(_) => "learner_not_eligible",
            Self::CourseNotPublished { .. } => "course_not_published",
            Self::AlreadyAssigned => "already_assigned",
            Self::ImpactUnconfirmed { .. } => "impact_confirmation_required",
            Self::RecertMonthsOutOfRange { .. } => "recert_months_out_of_range",
            Self::ManagedByDirectory { .. } => "managed_by_directory",
            Self::AmbiguousReference { .. } => "ambiguous_reference",
            Self::AlreadyLinked { .. } => "already_linked",
            Self::LegalHold { .. } => "legal_hold",
            Self::Erased => "erased",
        }
    }

    /// Whether the request is fine in itself and only meets something that stands in its way.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        match self {
            Self::GroupNameTaken { .. }
            | Self::CourseCodeTaken { .. }
            | Self::AlreadyAssigned
            | Self::ManagedByDirectory { .. }
            | Self::AmbiguousReference { .. }
            | Self::AlreadyLinked { .. }
            | Self::LegalHold { .. }
            | Self::Erased => true,
            Self::Invalid { .. }
            | Self::NotEligible(_)
            | Self::CourseNotPublished { .. }
            | Self::ImpactUnconfirmed { .. }
            | Self::RecertMonthsOutOfRange { .. } => false,
        }
    }

    /// The field of the request at fault, for a JSON pointer.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::GroupNameTaken { .. } => Some("name"),
            Self::CourseCodeTaken { .. } => Some("code"),
            Self::NotEligible(_) | Self::AmbiguousReference { .. } => Some("learners"),
            Self::CourseNotPublished { .. } | Self::AlreadyAssigned => Some("course_id"),
            Self::RecertMonthsOutOfRange { .. } => Some("recert_months"),
            Self::ManagedByDirectory { .. }
            | Self::ImpactUnconfirmed { .. }
            | Self::AlreadyLinked { .. }
            | Self::LegalHold { .. }
            | Self::Erased => None,
        }
    }
}

impl fmt::Display for LearningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { detail, .. } => f.write_str(detail),
            Self::GroupNameTaken { name } => write!(f, "another group is named `{name}`"),
            Self::CourseCodeTaken { code } => write!(f, "another course has the code `{code}`"),
            Self::NotEligible(list) => {
                write!(
                    f,
                    "{} of the learners cannot be added; nobody was added",
                    list.len()
                )
            }
            Self::CourseNotPublished { status } => {
                write!(f, "a {status} course cannot be assigned; publish it first")
            }
            Self::AlreadyAssigned => f.write_str("the course is assigned to this group already"),
            Self::ImpactUnconfirmed { learners, .. } => {
                write!(
                    f,
                    "the certificates of {} learners would lapse at once; send `confirm` or the `impact_token` to give them time to renew",
                    learners.len()
                )
            }
            Self::RecertMonthsOutOfRange { months } => {
                write!(
                    f,
                    "recertification is every 1 to 120 months, not every {months}"
                )
            }
            Self::ManagedByDirectory { name, .. } => {
                write!(
                    f,
                    "name and members of this group are managed by `{name}`; change them there, or release the group"
                )
            }
            Self::AmbiguousReference { reference } => {
                write!(f, "{reference} names more than one learner; use `id`")
            }
            Self::LegalHold { reason } => {
                write!(
                    f,
                    "a legal hold stands against it ({reason}); lift it first"
                )
            }
            Self::Erased => f.write_str("the learner was erased on request"),
            Self::AlreadyLinked { learner, to } => {
                write!(
                    f,
                    "the accounts of learner `{learner}` belong to learner `{to}`; unlink the first, or take the second"
                )
            }
        }
    }
}

impl std::error::Error for LearningError {}
