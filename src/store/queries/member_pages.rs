//! Members as lists show them: of a group, of a learner; today and as of an instant.

use diesel::QueryableByName;

use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, MembershipId, RequestId, TenantId, UserId};
use crate::learning::learner::Facts;
use crate::learning::membership::{Source, State};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

use super::memberships::facts;

/// A live membership with what a list shows.
#[derive(Debug, Clone, QueryableByName)]
pub struct MemberRow {
    #[diesel(sql_type = SqlId)]
    pub id: MembershipId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub group_name: String,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub display_name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub source: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub added_by: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub added_at: i64,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
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

impl MemberRow {
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

    /// The state of the membership.
    #[must_use]
    pub fn state(&self) -> State {
        State::of(self.facts())
    }

    /// When the period began.
    #[must_use]
    pub const fn since(&self) -> Instant {
        Instant(self.added_at)
    }
}

/// A live membership of a live group, to be narrowed.
pub(super) const MEMBER: &str = "SELECT m.id, m.group_id, g.name AS group_name, m.learner_id, m.user_id, l.display_name, l.email, m.source, m.added_by, \
     m.added_at, m.request_id, l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) AS deleted \
     FROM memberships m JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
     JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL";

/// The condition on the learner `l` that makes a membership be in a state.
const fn state_condition(state: State) -> &'static str {
    match state {
        State::Pending => {
            "(l.registration <> 'registered' OR l.approval <> 'approved' OR l.deleted_at IS NOT NULL)"
        }
        State::Active => {
            "(l.registration = 'registered' AND l.approval = 'approved' AND l.deleted_at IS NULL AND l.active AND NOT l.suspended)"
        }
        State::Dormant => {
            "(l.registration = 'registered' AND l.approval = 'approved' AND l.deleted_at IS NULL AND (l.suspended OR NOT l.active))"
        }
    }
}

/// What a page of members is narrowed to; all conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    /// One of these; empty: any.
    pub states: Vec<State>,
    /// One of these; empty: any.
    pub sources: Vec<Source>,
    /// Part of the name, exactly as written.
    pub name_part: Option<String>,
}

impl MemberFilter {
    /// Narrows a list with the learners `l`, in which `source` says how a member came.
    fn narrow(&self, db: &Db, list: &mut Listing, source: &str) {
        let sources: Vec<&str> = self.sources.iter().map(|one| one.as_str()).collect();
        list.and_one_of(source, &sources);
        list.and_contains(db.dialect(), "l.display_name", self.name_part.as_deref());
        if !self.states.is_empty() {
            let states: Vec<&str> = self
                .states
                .iter()
                .map(|one| state_condition(*one))
                .collect();
            list.fixed(&format!("({})", states.join(" OR ")));
        }
    }
}

/// A page of a group's live members, in the order of their learner's id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    filter: &MemberFilter,
    paging: &Paging,
) -> Result<Found<MemberRow>, StoreError> {
    let sql = format!("{MEMBER} WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL");
    let mut list = Listing::of(sql, vec![tenant.into(), group.into()]);
    filter.narrow(db, &mut list, "m.source");
    list.find(db, Order::id("m.learner_id"), paging)
}

/// A page of who was a member of a group at an instant, with the facts of that time, in the order of their learner's id.
pub fn page_as_of(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    filter: &MemberFilter,
    at: Instant,
    paging: &Paging,
) -> Result<Found<MemberRow>, StoreError> {
    // Each half by its own index; of the facts, the first period that ends behind the instant, or what they are today.
    let half = |ended: &str| {
        format!(
            "SELECT m.tenant_id, m.id, m.group_id, m.learner_id, m.user_id, m.source, m.added_by, m.added_at, m.request_id \
             FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND {ended} AND m.added_at <= ? AND m.learner_id > ?"
        )
    };
    let sql = format!(
        "SELECT l.id, l.group_id, l.group_name, l.learner_id, l.user_id, l.display_name, l.email, l.source, l.added_by, l.added_at, \
         l.request_id, l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) AS deleted \
         FROM (SELECT m.*, g.name AS group_name, p.display_name, p.email, \
             COALESCE(x.registration, p.registration) AS registration, COALESCE(x.approval, p.approval) AS approval, \
             COALESCE(x.active, p.active) AS active, COALESCE(x.suspended, p.suspended) AS suspended, \
             CASE WHEN x.deleted IS NULL THEN p.deleted_at WHEN x.deleted THEN p.created_at END AS deleted_at \
             FROM ({live} UNION ALL {over}) m CROSS JOIN learners p CROSS JOIN learner_groups g \
             LEFT JOIN learner_periods x ON x.tenant_id = m.tenant_id AND x.learner_id = m.learner_id \
             AND x.ended_at = (SELECT min(y.ended_at) FROM learner_periods y WHERE y.tenant_id = m.tenant_id \
                 AND y.learner_id = m.learner_id AND y.ended_at > ?) \
             WHERE p.tenant_id = m.tenant_id AND p.id = m.learner_id AND g.tenant_id = m.tenant_id AND g.id = m.group_id) l WHERE true",
        live = half("m.ended_at IS NULL"),
        over = half("m.ended_at IS NOT NULL AND m.ended_at > ?"),
    );
    // Where the page before ended stands in the halves, for their indexes.
    let list = |db: &Db, after: LearnerId| {
        let binds = vec![
            tenant.into(),
            group.into(),
            at.into(),
            after.into(),
            tenant.into(),
            group.into(),
            at.into(),
            at.into(),
            after.into(),
            at.into(),
        ];
        let mut list = Listing::of(sql.as_str(), binds);
        filter.narrow(db, &mut list, "l.source");
        list
    };
    let begin = LearnerId(uuid::Uuid::nil());
    let total = if paging.total {
        Some(list(db, begin).count(db)?)
    } else {
        None
    };
    let after = paging
        .after
        .as_ref()
        .map_or(begin, |place| LearnerId(place.id));
    let page = list(db, after).find(db, Order::id("l.learner_id"), &Paging::first(paging.limit))?;
    Ok(Found {
        rows: page.rows,
        total,
    })
}

/// A learner's live memberships.
pub fn of_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<MemberRow>, StoreError> {
    db.load(
        Stmt::new(format!("{MEMBER} WHERE m.tenant_id = ? AND m.learner_id = ? AND m.ended_at IS NULL ORDER BY m.id"))
            .bind(tenant)
            .bind(learner),
    )
}

/// One learner's live membership of a group.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    learner: LearnerId,
) -> Result<Option<MemberRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{MEMBER} WHERE m.tenant_id = ? AND m.group_id = ? AND m.learner_id = ? AND m.ended_at IS NULL"))
            .bind(tenant)
            .bind(group)
            .bind(learner),
    )
}
