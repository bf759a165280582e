//! The owed relation as one text, and the statements that write what it holds (§4).
//!
//! Owed is a live membership × a live assignment of the same group whose six predicates hold. [`enroll`] inserts
//! enrollments, events, cycles and reasons, set-based: nothing here loops over people. The reasons come last, because
//! the relation excludes what has one; so every statement before them still sees what is owed.

use chrono::NaiveDate;

use crate::ids::{
    AssignmentId, ConnectionId, CourseId, GroupId, LearnerId, MembershipId, TenantId,
};
use crate::learning::owed::Effects;
use crate::store::db::Dialect;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, StoreError};

use super::events::By;
use super::invariants::Broken;
use super::memberships::padded;
use super::written;
use uuid::Uuid;

/// What an `enroll` is narrowed to: the thing that was touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrollScope {
    /// These membership periods, at most a few hundred; for more take the group.
    Memberships(Vec<MembershipId>),
    Group(GroupId),
    Learner(LearnerId),
    /// A few hundred learners at most.
    Learners(Vec<LearnerId>),
    Course(CourseId),
    Assignment(AssignmentId),
    /// A few hundred assignments at most.
    Assignments(Vec<AssignmentId>),
    /// The members of an assignment's group behind one learner up to another: one step of a scope too large for one transaction.
    Range {
        assignment: AssignmentId,
        after: LearnerId,
        upto: LearnerId,
    },
    /// Everything that hangs on one connection: groups it manages and memberships it wrote in groups nobody manages.
    Connection(ConnectionId),
    Tenant,
}

/// The relation after its two driving tables: two `?` for the tenant; a scope is appended with ` AND …`.
const OWED: &str = "JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id \
     JOIN courses c ON c.tenant_id = a.tenant_id AND c.id = a.course_id \
     JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
     JOIN tenants t ON t.tenant_id = m.tenant_id \
     LEFT JOIN connections k ON k.tenant_id = m.tenant_id AND k.id = COALESCE(g.managed_by, m.connection_id) \
     WHERE m.tenant_id = ? AND m.ended_at IS NULL \
     AND a.tenant_id = ? AND a.group_id = m.group_id AND a.ended_at IS NULL AND g.deleted_at IS NULL \
     AND l.deleted_at IS NULL AND l.registration = 'registered' AND l.approval = 'approved' \
     AND l.active AND NOT l.suspended \
     AND c.status = 'published' \
     AND t.plan IN ('professional', 'business') \
     AND (k.id IS NULL OR k.mode = 'live') \
     AND NOT EXISTS (SELECT 1 FROM enrollment_reasons r \
         WHERE r.tenant_id = m.tenant_id AND r.membership_id = m.id AND r.assignment_id = a.id)";

/// Where SQLite begins: it keeps the order of a CROSS JOIN. PostgreSQL reads both alike and decides by its statistics.
const FROM_MEMBERSHIPS: &str = "FROM memberships m CROSS JOIN assignments a";
const FROM_ASSIGNMENTS: &str = "FROM assignments a CROSS JOIN memberships m";

/// The enrollment of an owed pair, to be joined into the relation.
const ENROLLMENT: &str = "JOIN enrollments e ON e.tenant_id = o.tenant_id AND e.learner_id = o.learner_id AND e.course_id = o.course_id";

const DAY: i64 = 24 * 60 * 60 * 1000;

/// What the tenant's settings and the trigger say about the reasons that are recorded.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long somebody may be away and still resume the old clock (§7.2).
    pub rejoin_resume_days: u16,
    /// No due date before this day (§7.15).
    pub due_floor: Option<NaiveDate>,
    /// Who begins now is late by a fixed date before this day (§7.8); absent where they are given more time.
    pub today: Option<NaiveDate>,
}

/// The relation narrowed to a scope, and its binds.
#[derive(Debug, Clone)]
struct Owed {
    sql: String,
    binds: Vec<Bind<'static>>,
    /// Whether it is planned afresh each time: see [`Owed::new`].
    afresh: bool,
}

impl Owed {
    /// A set of many is planned for the tables as they are: what was planned while they were nearly empty, at a first push or
    /// an early step of a job, would walk all that has been written since for each of its rows.
    fn new(dialect: &Dialect, tenant: TenantId, scope: &EnrollScope) -> Self {
        let afresh = dialect.plans_once && is_wide(scope);
        let mut binds: Vec<Bind> = vec![tenant.into(), tenant.into()];
        let narrowed = match scope {
            EnrollScope::Memberships(ids) => {
                let ids = padded(ids);
                let condition = format!(" AND m.id IN ({})", marks(ids.len()));
                binds.extend(ids);
                condition
            }
            EnrollScope::Group(id) => {
                binds.push((*id).into());
                " AND a.group_id = ?".to_owned()
            }
            EnrollScope::Learner(id) => {
                binds.push((*id).into());
                " AND m.learner_id = ?".to_owned()
            }
            EnrollScope::Learners(ids) => {
                let ids = padded(ids);
                let condition = format!(" AND m.learner_id IN ({})", marks(ids.len()));
                binds.extend(ids);
                condition
            }
            EnrollScope::Assignments(ids) => {
                let ids = padded(ids);
                let condition = format!(" AND a.id IN ({})", marks(ids.len()));
                binds.extend(ids);
                condition
            }
            EnrollScope::Range {
                assignment,
                after,
                upto,
            } => {
                binds.extend([(*assignment).into(), (*after).into(), (*upto).into()]);
                " AND a.id = ? AND m.learner_id > ? AND m.learner_id <= ?".to_owned()
            }
            EnrollScope::Course(id) => {
                binds.push((*id).into());
                " AND a.course_id = ?".to_owned()
            }
            EnrollScope::Assignment(id) => {
                binds.push((*id).into());
                " AND a.id = ?".to_owned()
            }
            EnrollScope::Connection(id) => {
                binds.push((*id).into());
                " AND COALESCE(g.managed_by, m.connection_id) = ?".to_owned()
            }
            EnrollScope::Tenant => String::new(),
        };
        let from = match scope {
            EnrollScope::Group(_)
            | EnrollScope::Course(_)
            | EnrollScope::Assignment(_)
            | EnrollScope::Assignments(_)
            | EnrollScope::Range { .. } => FROM_ASSIGNMENTS,
            _ => FROM_MEMBERSHIPS,
        };
        Self {
            sql: format!("{from} {OWED}{narrowed}"),
            binds,
            afresh,
        }
    }

    /// The owed pairs, each once.
    fn pairs(&self) -> String {
        format!(
            "(SELECT DISTINCT m.tenant_id, m.learner_id, a.course_id {}) o",
            self.sql
        )
    }

    fn bind<'a>(&self, stmt: Stmt<'a>) -> Stmt<'a> {
        stmt.binds(self.binds.iter().cloned()).once(self.afresh)
    }

    /// What is owed, how many of the pairs are enrolled, how many of those were withdrawn, and the earliest fixed date.
    fn survey(&self) -> Stmt<'_> {
        self.bind(Stmt::new(format!(
            "SELECT count(*) AS pairs, count(e.id) AS enrolled, count(e.withdrawn_at) AS withdrawn, min(o.due_date) AS earliest \
             FROM (SELECT m.tenant_id, m.learner_id, a.course_id, min(a.due_date) AS due_date {} \
             GROUP BY m.tenant_id, m.learner_id, a.course_id) o LEFT {ENROLLMENT}",
            self.sql
        )))
    }

    /// Whether somebody who is owed a course with a date before `today` has not completed it.
    fn late(&self, today: NaiveDate) -> Stmt<'_> {
        self.bind(Stmt::new(format!(
            "SELECT count(*) AS n FROM (SELECT 1 AS one {} AND a.due_date < ? AND NOT EXISTS (SELECT 1 FROM completions x \
             WHERE x.tenant_id = m.tenant_id AND x.learner_id = m.learner_id AND x.course_id = a.course_id AND x.voided_at IS NULL) \
             LIMIT 1) s",
            self.sql
        )))
        .bind(today.to_string())
    }

    fn enrollments(&self, new_id: &str, by: &By) -> Stmt<'_> {
        self.bind(
            Stmt::new(format!(
                "INSERT INTO enrollments (tenant_id, id, learner_id, course_id, created_at) \
                 SELECT o.tenant_id, {new_id}, o.learner_id, o.course_id, ? FROM {} \
                 WHERE true ON CONFLICT (tenant_id, learner_id, course_id) DO NOTHING",
                self.pairs()
            ))
            .bind(by.at),
        )
    }

    /// One event per enrollment that has no cycle yet (it is new), or that is about to be re-opened.
    fn events<'a>(&self, new_id: &str, event_type: &str, condition: &str, by: &'a By) -> Stmt<'a> {
        self.bind(
            Stmt::new(format!(
                "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
                 SELECT e.tenant_id, {new_id}, ?, ?, ?, 'enrollment', e.id, ?, '{{}}' FROM {} {ENROLLMENT} WHERE {condition}",
                self.pairs()
            ))
            .bind(by.at)
            .bind(by.actor.as_str())
            .bind(by.request)
            .bind(event_type.to_owned()),
        )
    }

    fn cycles(&self, by: &By) -> Stmt<'_> {
        self.bind(
            Stmt::new(format!(
                "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) \
                 SELECT e.tenant_id, e.id, 1, ?, 'initial', 0 FROM {} {ENROLLMENT} WHERE {NO_CYCLE} \
                 ON CONFLICT (tenant_id, enrollment_id, n) DO NOTHING",
                self.pairs()
            ))
            .bind(by.at),
        )
    }

    fn reopen(&self, tenant: TenantId) -> Stmt<'_> {
        self.bind(
            Stmt::new(format!(
                "UPDATE enrollments SET withdrawn_at = NULL, withdrawn_by = NULL, withdrawn_cause = NULL \
                 WHERE tenant_id = ? AND withdrawn_at IS NOT NULL \
                 AND (learner_id, course_id) IN (SELECT m.learner_id, a.course_id {})",
                self.sql
            ))
            .bind(tenant),
        )
    }

    /// The owed pairs that are enrolled and have completed every cycle.
    fn closed(&self) -> Stmt<'_> {
        self.bind(Stmt::new(format!(
            "SELECT o.learner_id, o.course_id FROM {} {ENROLLMENT} WHERE NOT EXISTS (SELECT 1 FROM enrollment_cycles y \
             WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id AND y.completed_at IS NULL)",
            self.pairs()
        )))
    }

    /// `IS TRUE` keeps the look at earlier reasons on the pair's index: by the assignment it would meet every reason this
    /// very statement has written so far.
    ///
    /// An obligation begins with the last thing it follows from: a request may have waited for one that came later, and
    /// the clocks of two servers differ.
    fn reasons<'a>(&self, dialect: &Dialect, terms: Terms, by: &'a By) -> Stmt<'a> {
        let (new_id, latest) = (dialect.new_id, dialect.latest);
        let since = format!("{latest}(?, m.added_at, a.created_at, l.modified_at, c.modified_at)");
        self.bind(
            Stmt::new(format!(
                "INSERT INTO enrollment_reasons (tenant_id, id, learner_id, course_id, kind, group_id, assignment_id, membership_id, \
                 required_since, recorded_at, due_floor, request_id, group_name, course_title, mandatory, due_date, due_days, recert_months, actor) \
                 SELECT m.tenant_id, {new_id}, m.learner_id, a.course_id, 'group', m.group_id, a.id, m.id, \
                 COALESCE((SELECT max(p.required_since) FROM enrollment_reasons p \
                     WHERE p.tenant_id = m.tenant_id AND p.learner_id = m.learner_id AND p.course_id = a.course_id \
                     AND (p.assignment_id = a.id) IS TRUE AND p.end_cause IN ('member_removed', 'user_deleted', 'linked', 'unlinked') AND p.ended_at >= ?), {since}), \
                 {since}, ?, ?, g.name, c.title, a.mandatory, a.due_date, a.due_days, a.recert_months, ? \
                 {} ON CONFLICT (tenant_id, membership_id, assignment_id) DO NOTHING",
                self.sql
            ))
            .bind(by.at.plus_millis(-i64::from(terms.rejoin_resume_days) * DAY))
            .bind(by.at)
            .bind(by.at)
            .bind(terms.due_floor.map(|floor| floor.to_string()))
            .bind(by.request)
            .bind(by.actor.as_str()),
        )
    }
}

const NO_CYCLE: &str = "NOT EXISTS (SELECT 1 FROM enrollment_cycles y WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id)";

#[derive(diesel::QueryableByName)]
struct Survey {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pairs: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    enrolled: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    withdrawn: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    earliest: Option<String>,
}

impl Survey {
    /// Enrollments to be made or opened again.
    const fn to_come(&self) -> i64 {
        self.pairs - self.enrolled + self.withdrawn
    }
}

#[derive(diesel::QueryableByName)]
struct Closed {
    #[diesel(sql_type = crate::store::SqlId)]
    learner_id: LearnerId,
    #[diesel(sql_type = crate::store::SqlId)]
    course_id: CourseId,
}

/// Whether a scope may hold more than a few.
const fn is_wide(scope: &EnrollScope) -> bool {
    match scope {
        EnrollScope::Memberships(ids) => ids.len() > FEW,
        EnrollScope::Learners(ids) => ids.len() > FEW,
        EnrollScope::Learner(_) => false,
        _ => true,
    }
}

/// So many are planned like one.
const FEW: usize = 16;

/// What `enroll` wrote, and which enrollments had been there without an open cycle.
pub type Enrolled = (Effects, Vec<(LearnerId, CourseId)>);

/// Writes everything owed within the scope, in the transaction of the change; a second call writes nothing. `terms` is
/// asked for when something is owed, and told how many enrollments that makes; it may have nothing written: then `None`.
pub fn enroll(
    db: &mut Db,
    tenant: TenantId,
    scope: &EnrollScope,
    terms: impl FnOnce(&mut Db, i64) -> Result<Option<Terms>, StoreError>,
    by: &By,
) -> Result<Option<Enrolled>, StoreError> {
    let nothing = Some((Effects::default(), Vec::new()));
    let empty = match scope {
        EnrollScope::Memberships(ids) => ids.is_empty(),
        EnrollScope::Learners(ids) => ids.is_empty(),
        EnrollScope::Assignments(ids) => ids.is_empty(),
        _ => false,
    };
    if empty {
        return Ok(nothing);
    }
    let owed = Owed::new(db.dialect(), tenant, scope);
    let is_wide = is_wide(scope);
    if is_wide {
        db.notice_growth(&["memberships", "learners", "enrollment_reasons"])?;
    }
    let Some(survey) = db
        .optional::<Survey>(owed.survey())?
        .filter(|survey| survey.pairs > 0)
    else {
        return Ok(nothing);
    };
    let Some(terms) = terms(db, survey.to_come())? else {
        return Ok(None);
    };
    let new_id = db.dialect().new_id;
    let mut effects = Effects::default();
    if let (Some(earliest), Some(today)) = (&survey.earliest, terms.today)
        && *earliest < today.to_string()
    {
        effects.late = db.number(owed.late(today))? > 0;
    }
    if survey.enrolled < survey.pairs {
        let since = if is_wide {
            Some(written::least(db)?)
        } else {
            None
        };
        effects.enrollments = count(db.execute(owed.enrollments(new_id, by))?);
        if is_wide {
            db.notice_growth(&["enrollments", "enrollment_cycles"])?;
        }
        effects.cycles = match since {
            Some(since) => open_made(db, tenant, since, by)?,
            None => 0,
        };
        if effects.cycles < effects.enrollments {
            db.execute(owed.events(new_id, "enrollment.created", NO_CYCLE, by))?;
            effects.cycles += count(db.execute(owed.cycles(by))?);
        }
    }
    if survey.withdrawn > 0 {
        db.execute(owed.events(
            new_id,
            "enrollment.reopened",
            "e.withdrawn_at IS NOT NULL",
            by,
        ))?;
        effects.enrollments += count(db.execute(owed.reopen(tenant))?);
    }
    let closed = if survey.enrolled > 0 {
        db.load::<Closed>(owed.closed())?
            .into_iter()
            .map(|row| (row.learner_id, row.course_id))
            .collect()
    } else {
        Vec::new()
    };
    effects.reasons = count(db.execute(owed.reasons(db.dialect(), terms, by))?);
    Ok(Some((effects, closed)))
}

/// Tells of and opens the enrollments that this very transaction has made: of all whose id is at least `since`, those without a
/// cycle. Of many, the relation would take as long to find them again as to write them; and a look for a cycle, in the statement
/// that writes them, would meet every one that it has written.
fn open_made(db: &mut Db, tenant: TenantId, since: Uuid, by: &By) -> Result<i64, StoreError> {
    let new_id = db.dialect().new_id;
    let made = "FROM enrollments e WHERE e.tenant_id = ? AND e.id >= ?";
    db.execute(
        Stmt::new(format!(
            "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
             SELECT e.tenant_id, {new_id}, ?, ?, ?, 'enrollment', e.id, 'enrollment.created', '{{}}' {made} AND {NO_CYCLE}"
        ))
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(by.request)
        .bind(tenant)
        .bind(since),
    )?;
    let opened = db.execute(
        Stmt::new(format!(
            "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) \
             SELECT e.tenant_id, e.id, 1, ?, 'initial', 0 {made} \
             ON CONFLICT (tenant_id, enrollment_id, n) DO NOTHING"
        ))
        .bind(by.at)
        .bind(tenant)
        .bind(since),
    )?;
    Ok(count(opened))
}

/// The memberships that lack what they are owed, some of them by id: none after every commit (I-2). What a waiting job is
/// to write is no lack.
pub fn unwritten(db: &mut Db, tenant: TenantId, limit: i64) -> Result<Broken, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Lacking {
        #[diesel(sql_type = crate::store::SqlId)]
        id: MembershipId,
    }
    let owed = Owed::new(db.dialect(), tenant, &EnrollScope::Tenant);
    let sql = format!(
        "{} AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.tenant_id = m.tenant_id AND j.state = 'waiting' AND j.kind = 'enroll' \
         AND (j.subject_id IS NULL OR j.subject_id IN (?, a.id, a.course_id, m.group_id)))",
        owed.sql
    );
    // One sweep over everything has no subject but this.
    let all = uuid::Uuid::nil();
    let counted = Stmt::new(format!("SELECT count(*) AS n {sql}"));
    let rows = db.number(owed.bind(counted).bind(all).once(true))?;
    if rows == 0 {
        return Ok(Broken::default());
    }
    let some = Stmt::new(format!("SELECT m.id {sql} ORDER BY m.id LIMIT ?"));
    let some: Vec<Lacking> = db.load(owed.bind(some).bind(all).bind(limit).once(true))?;
    Ok(Broken {
        rows,
        ids: some.into_iter().map(|row| row.id.0).collect(),
    })
}

/// Whether more than `limit` pairs are owed; looks at no more than it needs to know.
pub fn owes_more_than(
    db: &mut Db,
    tenant: TenantId,
    scope: &EnrollScope,
    limit: i64,
) -> Result<bool, StoreError> {
    let owed = Owed::new(db.dialect(), tenant, scope);
    let stmt = owed
        .bind(Stmt::new(format!(
            "SELECT count(*) AS n FROM (SELECT 1 AS one {} LIMIT ?) s",
            owed.sql
        )))
        .bind(limit + 1);
    Ok(db.number(stmt)? > limit)
}

/// The predicates of one (membership, assignment) pair, one by one, for "why not enrolled" (§10).
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Predicates {
    #[diesel(sql_type = crate::store::SqlId)]
    pub membership_id: MembershipId,
    #[diesel(sql_type = crate::store::SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub group_name: String,
    #[diesel(sql_type = crate::store::SqlId)]
    pub assignment_id: AssignmentId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_status: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub plan: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub connection_live: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub recorded: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub end_cause: Option<String>,
}

/// Reads the predicates of every live membership of a learner in a group that has the course.
pub fn predicates(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    course: CourseId,
) -> Result<Vec<Predicates>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT m.id AS membership_id, g.id AS group_id, g.name AS group_name, a.id AS assignment_id, \
             c.status AS course_status, t.plan, (k.id IS NULL OR k.mode = 'live') AS connection_live, \
             (r.id IS NOT NULL) AS recorded, r.end_cause \
             FROM memberships m \
             JOIN assignments a ON a.tenant_id = m.tenant_id AND a.group_id = m.group_id AND a.ended_at IS NULL \
             JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id \
             JOIN courses c ON c.tenant_id = a.tenant_id AND c.id = a.course_id \
             JOIN tenants t ON t.tenant_id = m.tenant_id \
             LEFT JOIN connections k ON k.tenant_id = m.tenant_id AND k.id = COALESCE(g.managed_by, m.connection_id) \
             LEFT JOIN enrollment_reasons r ON r.tenant_id = m.tenant_id AND r.membership_id = m.id AND r.assignment_id = a.id \
             WHERE m.tenant_id = ? AND m.learner_id = ? AND a.course_id = ? AND m.ended_at IS NULL \
             ORDER BY m.id",
        )
        .bind(tenant)
        .bind(learner)
        .bind(course),
    )
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Instant;
    use crate::ids::RequestId;
    use crate::store::testing;

    const TENANT: TenantId = TenantId(1);

    #[derive(diesel::QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }

    fn steps(stmt: &Stmt<'static>) -> Vec<String> {
        let stmt = stmt.clone();
        let steps: Vec<Step> = testing::write(&testing::sqlite(), move |db| {
            let explained = stmt.explained(db.dialect().explain);
            db.load(explained)
        });
        steps.into_iter().map(|step| step.detail).collect()
    }

    fn statements(scope: &EnrollScope) -> Vec<Stmt<'static>> {
        let by = By {
            actor: "test".to_owned(),
            request: RequestId::new(),
            at: Instant(0),
        };
        let owed = Owed::new(&crate::store::sqlite::DIALECT, TENANT, scope);
        [
            owed.survey(),
            owed.enrollments("new_id()", &by),
            owed.events("new_id()", "enrollment.created", NO_CYCLE, &by),
            owed.cycles(&by),
            owed.reopen(TENANT),
            owed.closed(),
            owed.reasons(
                testing::sqlite_dialect(),
                Terms {
                    rejoin_resume_days: 30,
                    due_floor: None,
                    today: None,
                },
                &by,
            ),
        ]
        .map(Stmt::into_owned)
        .into()
    }

    #[test]
    fn one_membership_is_found_by_its_id_and_no_other_is_read() {
        for stmt in statements(&EnrollScope::Memberships(vec![MembershipId::new()])) {
            let steps = steps(&stmt);
            assert!(
                steps
                    .iter()
                    .any(|step| step.contains("SEARCH m USING PRIMARY KEY (tenant_id=? AND id=?)")),
                "{steps:#?}"
            );
            assert!(
                !steps
                    .iter()
                    .any(|step| step.starts_with("SCAN") && !step.contains("SCAN o")),
                "{steps:#?}"
            );
        }
    }

    #[test]
    fn a_touched_thing_is_where_its_statements_start() {
        for (scope, expected) in [
            (
                EnrollScope::Group(GroupId::new()),
                "SEARCH m USING INDEX memberships_",
            ),
            (
                EnrollScope::Learner(LearnerId::new()),
                "memberships_learner (tenant_id=? AND learner_id=?",
            ),
            (
                EnrollScope::Course(CourseId::new()),
                "SEARCH a USING INDEX assignments_course (tenant_id=? AND course_id=?",
            ),
            (
                EnrollScope::Course(CourseId::new()),
                "SEARCH m USING INDEX memberships_",
            ),
            (
                EnrollScope::Assignment(AssignmentId::new()),
                "SEARCH a USING INDEX sqlite_autoindex_assignments_1 (tenant_id=? AND id=?)",
            ),
            (
                EnrollScope::Assignment(AssignmentId::new()),
                "SEARCH m USING INDEX memberships_",
            ),
            (
                EnrollScope::Range {
                    assignment: AssignmentId::new(),
                    after: LearnerId::new(),
                    upto: LearnerId::new(),
                },
                "SEARCH m USING INDEX memberships_live (tenant_id=? AND group_id=? AND learner_id>? AND learner_id<?",
            ),
            (
                EnrollScope::Learners(vec![LearnerId::new(), LearnerId::new()]),
                "memberships_learner (tenant_id=? AND learner_id=?",
            ),
        ] {
            for stmt in statements(&scope) {
                let steps = steps(&stmt);
                assert!(
                    steps.iter().any(|step| step.contains(expected)),
                    "{scope:?} {steps:#?}"
                );
                assert!(
                    !steps
                        .iter()
                        .any(|step| step.starts_with("SCAN") && !step.contains("SCAN o")),
                    "{scope:?} {steps:#?}"
                );
            }
        }
    }
}
