//! What a user's representation shows of its learner and of its manager.

use crate::ids::{TenantId, UserId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

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
