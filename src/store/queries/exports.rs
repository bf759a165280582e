//! Lists as they leave: by key, a page at a time.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use uuid::Uuid;

use crate::ids::{EventId, GroupId, TenantId};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};

/// One line: where the next page begins, then texts, instants and truths in the order of its list.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    /// Any id; its type says nothing.
    #[diesel(sql_type = SqlId)]
    key: EventId,
    #[diesel(sql_type = Nullable<Text>)]
    pub a: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub b: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub c: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub d: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub e: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub f: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub g: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub n: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub m: Option<i64>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub t: Option<bool>,
}

impl Line {
    /// What the next page is behind.
    #[must_use]
    pub fn key(&self) -> Uuid {
        self.key.0
    }
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Learners,
    Members(GroupId),
    AllMembers,
    Enrollments,
    SyncRequests,
}

/// The live account of a learner: one of them.
const ACCOUNT: &str = "LEFT JOIN users u ON u.tenant_id = l.tenant_id AND u.id = (SELECT min_user.id FROM users min_user \
     WHERE min_user.tenant_id = l.tenant_id AND min_user.learner_id = l.id AND min_user.deleted_at IS NULL ORDER BY min_user.id LIMIT 1)";

/// The page of a list behind a key.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    list: List,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let member = "SELECT {key} AS key, g.name AS a, u.external_id AS b, u.user_name AS c, l.email AS d, l.display_name AS e, m.source AS f, \
         CASE WHEN l.registration <> 'registered' OR l.approval <> 'approved' THEN 'pending' WHEN l.active AND NOT l.suspended THEN 'active' \
         ELSE 'dormant' END AS g, m.added_at AS n, CAST(NULL AS BIGINT) AS m, l.active AS t FROM memberships m \
         JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
         JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id \
         JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL \
         WHERE m.tenant_id = ? AND m.ended_at IS NULL";
    let mut binds: Vec<Bind> = vec![tenant.into()];
    let (sql, key) = match list {
        List::Learners => (
            format!(
                "SELECT l.id AS key, u.user_name AS a, l.email AS b, u.external_id AS c, l.display_name AS d, l.registration AS e, l.approval AS f, \
                 l.registered_via AS g, l.created_at AS n, l.approved_at AS m, l.active AS t FROM learners l {ACCOUNT} \
                 WHERE l.tenant_id = ? AND l.deleted_at IS NULL"
            ),
            "l.id",
        ),
        List::Members(group) => {
            binds.push(group.into());
            (
                format!(
                    "{} AND m.group_id = ?",
                    member.replace("{key}", "m.learner_id")
                ),
                "m.learner_id",
            )
        }
        List::AllMembers => (member.replace("{key}", "m.id"), "m.id"),
        List::Enrollments => (
            format!(
                "SELECT e.id AS key, u.user_name AS a, l.email AS b, l.display_name AS c, k.code AS d, k.title AS e, \
                 CAST(NULL AS TEXT) AS f, CAST(NULL AS TEXT) AS g, e.created_at AS n, e.withdrawn_at AS m, l.active AS t \
                 FROM enrollments e JOIN learners l ON l.tenant_id = e.tenant_id AND l.id = e.learner_id \
                 JOIN courses k ON k.tenant_id = e.tenant_id AND k.id = e.course_id {ACCOUNT} WHERE e.tenant_id = ?"
            ),
            "e.id",
        ),
        List::SyncRequests => (
            "SELECT s.id AS key, s.method AS a, s.path AS b, s.operation AS c, s.outcome AS d, s.resource_label AS e, s.detail AS f, \
             s.scim_type AS g, s.at AS n, s.http_status AS m, CAST(NULL AS BOOLEAN) AS t FROM sync_requests s WHERE s.tenant_id = ?"
                .to_owned(),
            "s.id",
        ),
    };
    let after = after.unwrap_or(Uuid::nil());
    db.load(
        Stmt::new(format!("{sql} AND {key} > ? ORDER BY {key} LIMIT ?"))
            .binds(binds)
            .bind(after)
            .bind(limit),
    )
}

/// A completion as it leaves.
#[derive(Clone, Debug, QueryableByName)]
pub struct CompletionLine {
    #[diesel(embed)]
    pub completion: super::completions::CompletionRow,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub course_code: Option<String>,
}

/// The completions behind an id, those of former learners and voided ones included.
pub fn completions(
    db: &mut Db,
    tenant: TenantId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<CompletionLine>, StoreError> {
    let select = super::completions::select("l.email, k.code AS course_code, ");
    db.load(
        Stmt::new(format!("{select} AND c.id > ? ORDER BY c.id LIMIT ?"))
            .bind(tenant)
            .bind(after.unwrap_or(Uuid::nil()))
            .bind(limit),
    )
}
