//! Accounts that somebody names as members, with the facts of their learners.

use std::collections::HashMap;

use diesel::QueryableByName;

use crate::ids::{LearnerId, TenantId, UserId};
use crate::learning::learner::{Approval, Facts, Registration};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::{CHUNK, afresh, padded};

/// An account that exists, with the facts of its learner.
#[derive(Debug, Clone, QueryableByName)]
pub struct KnownUser {
    #[diesel(sql_type = SqlId)]
    pub id: UserId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    registration: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    approval: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    active: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    suspended: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    deleted: bool,
}

impl KnownUser {
    /// The facts of the learner.
    #[must_use]
    pub fn facts(&self) -> Facts {
        facts(
            &self.registration,
            &self.approval,
            self.active,
            self.suspended,
            self.deleted,
        )
    }
}

/// Facts from their columns. The table's CHECKs admit no other spelling; an unknown one counts as the most careful.
#[must_use]
pub(in super::super) fn facts(
    registration: &str,
    approval: &str,
    active: bool,
    suspended: bool,
    deleted: bool,
) -> Facts {
    Facts {
        registration: Registration::parse(registration).unwrap_or(Registration::Invited),
        approval: Approval::parse(approval).unwrap_or(Approval::Pending),
        active,
        suspended,
        deleted,
    }
}

/// Which of these accounts exist and have not ended.
pub fn known_users(
    db: &mut Db,
    tenant: TenantId,
    users: &[UserId],
) -> Result<HashMap<UserId, KnownUser>, StoreError> {
    let mut known = HashMap::with_capacity(users.len());
    for chunk in users.chunks(CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT u.id, u.learner_id, l.registration, l.approval, l.active, l.suspended, \
             (l.deleted_at IS NOT NULL) AS deleted \
             FROM users u JOIN learners l ON l.tenant_id = u.tenant_id AND l.id = u.learner_id \
             WHERE u.tenant_id = ? AND u.id IN ({}) AND u.deleted_at IS NULL",
            marks(ids.len())
        ))
        .once(afresh(db, ids.len()))
        .bind(tenant)
        .binds(ids);
        known.extend(
            db.load::<KnownUser>(stmt)?
                .into_iter()
                .map(|user| (user.id, user)),
        );
    }
    Ok(known)
}

/// An account that a REST reference may name, with the labels it may be named by.
#[derive(Debug, Clone, QueryableByName)]
pub struct Candidate {
    #[diesel(embed)]
    pub user: KnownUser,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub user_name_key: String,
}

/// What a REST request calls learners by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    LearnerId,
    ExternalId,
    /// Folded.
    UserName,
}

/// The live accounts that any of these values names.
pub fn candidates(
    db: &mut Db,
    tenant: TenantId,
    label: Label,
    values: Vec<Bind>,
) -> Result<Vec<Candidate>, StoreError> {
    let column = match label {
        Label::LearnerId => "learner_id",
        Label::ExternalId => "external_id",
        Label::UserName => "user_name_key",
    };
    let mut found = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let stmt = Stmt::new(format!(
            "SELECT u.id, u.learner_id, u.external_id, u.user_name_key, l.registration, l.approval, l.active, l.suspended, \
             (l.deleted_at IS NOT NULL) AS deleted \
             FROM users u JOIN learners l ON l.tenant_id = u.tenant_id AND l.id = u.learner_id \
             WHERE u.tenant_id = ? AND u.{column} IN ({}) AND u.deleted_at IS NULL ORDER BY u.id",
            marks(chunk.len())
        ))
        .once(afresh(db, chunk.len()))
        .bind(tenant)
        .binds(chunk.iter().cloned());
        found.extend(db.load::<Candidate>(stmt)?);
    }
    Ok(found)
}
