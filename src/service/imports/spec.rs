//! What an import is told and what it has found out: stored with its job.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::ids::{CourseId, GroupId};
use crate::service::ServiceError;
use crate::service::jobs::book::{self, JobRow};

crate::learning::spelled! {
    /// What becomes of whom the file does not name.
    Mode {
        /// Nothing.
        AddOnly = "add_only",
        /// The file is the truth for the groups it names: the others' memberships end.
        Sync = "sync",
    }
}

crate::learning::spelled! {
    /// How far an import is.
    Phase {
        Receiving = "receiving",
        Planning = "planning",
        Planned = "planned",
        Committing = "committing",
        Committed = "committed",
        Failed = "failed",
        Canceled = "canceled",
    }
}

crate::learning::spelled! {
    /// What becomes of a row.
    Outcome {
        /// Read, not classified yet.
        Staged = "staged",
        /// A membership begins.
        Added = "added",
        /// A membership begins that waits for registration or approval.
        Pended = "pended",
        /// A membership ends.
        Removed = "removed",
        /// A learner or a group is made.
        Created = "created",
        /// A course is assigned.
        Assigned = "assigned",
        /// A completion is recorded.
        Recorded = "recorded",
        /// It is so already.
        NoOp = "no_op",
        /// Refused.
        Error = "error",
    }
}

/// So many rows are planned and committed before the answer; more by a job.
pub const AT_ONCE: i64 = 2000;

/// How long a plan can be committed (A4).
pub const PLAN_LIFE: i64 = 24 * 60 * 60 * 1000;

/// How much of the listed groups' membership a `sync` may end without a word from a person, in percent (A4).
pub const MAX_CHANGE_PCT: i64 = 20;

/// What an import is told, and what its plan says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    pub kind: String,
    pub phase: String,
    pub mode: String,
    pub max_change_pct: i64,
    pub atomic: bool,
    pub file_name: Option<String>,
    pub delimiter: u8,
    pub encoding: String,
    pub header: Vec<String>,
    /// Our name of each column and the file's.
    pub columns: Vec<(String, String)>,
    pub ignored: Vec<String>,
    pub notes: Vec<String>,
    /// The SHA-256 of the file.
    pub digest: String,
    pub rows: i64,
    #[serde(default)]
    pub plan: Option<Plan>,
    #[serde(default)]
    pub state_hash: Option<String>,
    /// When the commit was asked for; what it writes bears this instant.
    #[serde(default)]
    pub committed_at: Option<i64>,
}

impl Spec {
    /// Reads a job's.
    pub fn of(job: &JobRow) -> Result<Self, ServiceError> {
        book::read(&job.spec)
    }

    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::parse(&self.kind).unwrap_or(Kind::Members)
    }

    #[must_use]
    pub fn is_sync(&self) -> bool {
        self.mode == Mode::Sync.as_str()
    }

    #[must_use]
    pub fn is(&self, phase: Phase) -> bool {
        self.phase == phase.as_str()
    }

    pub fn enter(&mut self, phase: Phase) {
        phase.as_str().clone_into(&mut self.phase);
    }

    /// When what the commit writes has happened.
    #[must_use]
    pub fn at(&self, job: &JobRow) -> Instant {
        self.committed_at.map_or(job.created_at, Instant)
    }
}

/// The right to import a kind of file. A cohort writes groups, members and assignments; its caller checks the other two.
#[must_use]
pub const fn permissions(kind: Kind) -> &'static [Permission] {
    match kind {
        Kind::Learners => &[Permission::LearnersWrite],
        Kind::Members => &[Permission::MembersWrite],
        Kind::Cohort => &[
            Permission::GroupsWrite,
            Permission::MembersWrite,
            Permission::AssignmentsWrite,
        ],
        Kind::Assignments => &[Permission::AssignmentsWrite],
        Kind::Completions => &[Permission::CompletionsWrite],
    }
}

/// What committing would do, in numbers (A5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Rows by outcome.
    pub rows: BTreeMap<String, i64>,
    pub learners_affected: i64,
    pub learners_created: i64,
    pub groups_created: i64,
    pub assignments_created: i64,
    pub completions_recorded: i64,
    pub memberships_added: i64,
    pub memberships_ended: i64,
    pub memberships_pended: i64,
    pub enrollments_created: i64,
    pub enrollments_kept: i64,
    pub cycles_opened: i64,
    pub becomes_overdue: i64,
    /// Live members of the groups that the file names.
    pub members: i64,
}

impl Plan {
    /// How many rows have an outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> i64 {
        self.rows.get(outcome.as_str()).copied().unwrap_or(0)
    }

    /// Ended memberships in percent of those there are, rounded up.
    #[must_use]
    pub fn change_pct(&self) -> i64 {
        if self.members == 0 {
            0
        } else {
            (self.memberships_ended * 100 + self.members - 1) / self.members
        }
    }
}

/// What the rows of a plan would make, for the rows behind them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Planned {
    /// Groups by folded name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, GroupId>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub assigned: BTreeSet<(GroupId, CourseId)>,
}

/// Where the next step begins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    pub line: i64,
    /// What the rows before would have made.
    pub planned: Planned,
    /// Every row is done; members whom no row names are being ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ending: bool,
}

impl Place {
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
