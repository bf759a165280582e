//! What is shown of learners beside their own rows: in a user's representation, in reports.

use std::collections::HashMap;

use serde::Deserialize;

use crate::ids::{LearnerId, TenantId, UserId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::memberships::{CHUNK, padded};

/// The person behind an account, in a few words.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct LearnerOfUser {
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub display_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub registration: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub approval: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub enrollments: i64,
}

/// The learners of these live accounts (at most a page of them). `count` asks for the enrollments too.
pub fn learners_of(
    db: &mut Db,
    tenant: TenantId,
    users: &[UserId],
    count: bool,
) -> Result<Vec<LearnerOfUser>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    const COUNT: &str = "(SELECT count(*) FROM enrollments e WHERE e.tenant_id = u.tenant_id AND e.learner_id = u.learner_id \
         AND e.withdrawn_at IS NULL) AS enrollments";
    const NO_COUNT: &str = "CAST(0 AS BIGINT) AS enrollments";
    db.load(
        Stmt::new(format!(
            "SELECT u.id AS user_id, l.display_name, l.registration, l.approval, {} \
             FROM users u JOIN learners l ON l.tenant_id = u.tenant_id AND l.id = u.learner_id \
             WHERE u.tenant_id = ? AND u.id IN ({}) AND u.deleted_at IS NULL",
            if count { COUNT } else { NO_COUNT },
            marks(users.len())
        ))
        .once(users.len() > 16)
        .bind(tenant)
        .binds(users.iter().map(|id| Bind::from(*id))),
    )
}

#[derive(diesel::QueryableByName)]
struct Contact {
    #[diesel(sql_type = SqlId)]
    id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    display_name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    email: Option<String>,
}

/// What these learners are called and how they are written to, ended ones included.
pub fn contacts(
    db: &mut Db,
    tenant: TenantId,
    learners: &[LearnerId],
) -> Result<HashMap<LearnerId, (String, Option<String>)>, StoreError> {
    let mut found = HashMap::with_capacity(learners.len());
    for chunk in learners.chunks(CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT id, display_name, email FROM learners WHERE tenant_id = ? AND id IN ({})",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        let rows = db.load::<Contact>(stmt)?;
        found.extend(
            rows.into_iter()
                .map(|row| (row.id, (row.display_name, row.email))),
        );
    }
    Ok(found)
}

#[derive(diesel::QueryableByName)]
struct AccountName {
    #[diesel(sql_type = SqlId)]
    id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    display_name: String,
}

/// What the people of these accounts are called, ended ones included.
pub fn account_names(
    db: &mut Db,
    tenant: TenantId,
    users: &[UserId],
) -> Result<HashMap<UserId, String>, StoreError> {
    let mut found = HashMap::with_capacity(users.len());
    for chunk in users.chunks(CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT u.id, l.display_name FROM users u JOIN learners l ON l.tenant_id = u.tenant_id AND l.id = u.learner_id \
             WHERE u.tenant_id = ? AND u.id IN ({})",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        let rows = db.load::<AccountName>(stmt)?;
        found.extend(rows.into_iter().map(|row| (row.id, row.display_name)));
    }
    Ok(found)
}

#[derive(Default, Deserialize)]
struct Organization {
    #[serde(
        default,
        rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    )]
    enterprise: Enterprise,
}

#[derive(Default, Deserialize)]
struct Enterprise {
    department: Option<String>,
    #[serde(default)]
    manager: Manager,
}

#[derive(Default, Deserialize)]
struct Manager {
    value: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Document {
    #[diesel(sql_type = SqlId)]
    learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    doc: String,
}

/// The department of each learner behind one id up to another, or their manager's account; of the first live account that
/// has one.
pub fn organization(
    db: &mut Db,
    tenant: TenantId,
    (after, upto): (Option<LearnerId>, LearnerId),
    manager: bool,
) -> Result<HashMap<LearnerId, String>, StoreError> {
    let rows = db.load::<Document>(
        Stmt::new(
            "SELECT u.learner_id, u.doc FROM users u WHERE u.tenant_id = ? AND u.learner_id > ? AND u.learner_id <= ? \
             AND u.deleted_at IS NULL ORDER BY u.learner_id, u.id",
        )
        .bind(tenant)
        .bind(after.unwrap_or(LearnerId(uuid::Uuid::nil())))
        .bind(upto),
    )?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let Organization { enterprise } = serde_json::from_str(&row.doc).unwrap_or_default();
        let text = if manager {
            enterprise.manager.value
        } else {
            enterprise.department
        };
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            found.entry(row.learner_id).or_insert(text);
        }
    }
    Ok(found)
}
