//! Lists as CSV lines, a page at a time. What an import reads has the same column names.

use uuid::Uuid;

use crate::clock::Instant;
use crate::store::Db;
use crate::store::queries::exports as rows;
pub use crate::store::queries::exports::List as What;

use super::{Scope, ServiceError};

/// How many lines a page has.
const PAGE: i64 = 1000;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    pub key: Uuid,
    pub cells: Vec<String>,
}

impl What {
    /// The first line.
    #[must_use]
    pub const fn header(self) -> &'static [&'static str] {
        match self {
            Self::Learners => &[
                "user_name",
                "email",
                "external_id",
                "display_name",
                "active",
                "registration",
                "approval",
                "registered_via",
                "created_at",
                "approved_at",
                "learner_id",
            ],
            Self::Members(_) | Self::AllMembers => &[
                "group",
                "external_id",
                "user_name",
                "email",
                "display_name",
                "state",
                "source",
                "since",
            ],
            Self::Enrollments => &[
                "user_name",
                "email",
                "display_name",
                "course_code",
                "course_title",
                "enrolled_at",
                "withdrawn_at",
                "enrollment_id",
            ],
            Self::SyncRequests => &[
                "at",
                "method",
                "path",
                "operation",
                "outcome",
                "http_status",
                "scim_type",
                "resource",
                "detail",
                "request_id",
            ],
        }
    }
}

/// The page of a list behind a key; empty at the end.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    what: What,
    after: Option<Uuid>,
) -> Result<Vec<Line>, ServiceError> {
    let rows = rows::page(db, scope.tenant, what, after, PAGE)?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            key: row.key(),
            cells: cells(what, row),
        })
        .collect())
}

fn cells(what: What, row: rows::Line) -> Vec<String> {
    let at = |millis: Option<i64>| millis.map(|at| Instant(at).to_string()).unwrap_or_default();
    let key = row.key().to_string();
    let truth = row.t.unwrap_or(false).to_string();
    let number = row.m.map(|m| m.to_string()).unwrap_or_default();
    let [a, b, c, d, e, f, g] =
        [row.a, row.b, row.c, row.d, row.e, row.f, row.g].map(Option::unwrap_or_default);
    match what {
        What::Learners => vec![a, b, c, d, truth, e, f, g, at(row.n), at(row.m), key],
        What::Members(_) | What::AllMembers => vec![a, b, c, d, e, g, f, at(row.n)],
        What::Enrollments => vec![a, b, c, d, e, at(row.n), at(row.m), key],
        What::SyncRequests => vec![at(row.n), a, b, c, d, number, g, e, f, key],
    }
}
