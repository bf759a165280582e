//! What happened to a group and to a learner, in one order: memberships, reasons and completions tell of themselves, the rest
//! are events (§2.11, §10).

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::ids::{CourseId, EventId, GroupId, LearnerId, RequestId, TenantId};
use crate::store::listing::{Found, Listing, Paging, Place};
use crate::store::statement::Bind;
use crate::store::{Db, SqlId, StoreError};

/// One thing that happened.
#[derive(Clone, Debug, QueryableByName)]
pub struct Entry {
    #[diesel(sql_type = BigInt)]
    pub at: i64,
    /// Of the event, the membership, the reason, the completion.
    #[diesel(sql_type = SqlId)]
    pub id: EventId,
    #[diesel(sql_type = Text)]
    pub what: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub actor: Option<String>,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub request_id: Option<RequestId>,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub learner_id: Option<LearnerId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub learner_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub group_id: Option<GroupId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub group_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub course_id: Option<CourseId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub course_title: Option<String>,
    /// A word more: the source of a membership, the cause of an end, the kind of a reason.
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    /// An event's own data, JSON.
    #[diesel(sql_type = Nullable<Text>)]
    pub data: Option<String>,
}

impl Entry {
    /// Where a page that ends with it ends.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::of(format_args!("{} {}", self.at, self.what), self.id.0)
    }
}

const NO_TEXT: &str = "CAST(NULL AS TEXT)";

/// `SELECT` of one branch; `null` is an id column of it, whose type PostgreSQL takes for ids that are absent.
fn branch(null: &str, columns: [&str; 12]) -> String {
    let none = format!("CASE WHEN false THEN {null} END");
    let [
        at,
        id,
        what,
        actor,
        request,
        learner,
        name,
        group,
        group_name,
        course,
        title,
        detail,
    ] = columns.map(|column| match column {
        "" => none.clone(),
        other => other.to_owned(),
    });
    format!(
        "SELECT {at} AS at, {id} AS id, {what} AS what, {actor} AS actor, {request} AS request_id, {learner} AS learner_id, \
         {name} AS learner_name, {group} AS group_id, {group_name} AS group_name, {course} AS course_id, {title} AS course_title, \
         {detail} AS detail"
    )
}

fn began(condition: &str) -> String {
    let select = branch(
        "m.id",
        [
            "m.added_at",
            "m.id",
            "'membership.began'",
            "m.added_by",
            "m.request_id",
            "m.learner_id",
            "l.display_name",
            "m.group_id",
            "g.name",
            "",
            NO_TEXT,
            "m.source",
        ],
    );
    format!("{select}, {NO_TEXT} AS data {MEMBERSHIPS} AND {condition}")
}

fn ended(condition: &str) -> String {
    let select = branch(
        "m.id",
        [
            "m.ended_at",
            "m.id",
            "'membership.ended'",
            "m.ended_by",
            "m.ended_request_id",
            "m.learner_id",
            "l.display_name",
            "m.group_id",
            "g.name",
            "",
            NO_TEXT,
            "m.end_cause",
        ],
    );
    format!("{select}, {NO_TEXT} AS data {MEMBERSHIPS} AND m.ended_at IS NOT NULL AND {condition}")
}

const MEMBERSHIPS: &str = "FROM memberships m CROSS JOIN learners l CROSS JOIN learner_groups g \
     WHERE l.tenant_id = m.tenant_id AND l.id = m.learner_id AND g.tenant_id = m.tenant_id AND g.id = m.group_id AND m.tenant_id = ?";

/// Events of what `from` yields: its rows name the entity, a group, a course.
fn events(group: &str, course: &str, title: &str, from: &str) -> String {
    let select = branch(
        "v.id",
        [
            "v.at",
            "v.id",
            "v.event_type",
            "v.actor",
            "v.request_id",
            "",
            NO_TEXT,
            group,
            NO_TEXT,
            course,
            title,
            NO_TEXT,
        ],
    );
    format!("{select}, v.data AS data {from}")
}

fn page(
    db: &mut Db,
    branches: &[String],
    binds: Vec<Bind<'static>>,
    paging: &Paging,
) -> Result<Found<Entry>, StoreError> {
    let sql = format!(
        "SELECT t.at, t.id, t.what, t.actor, t.request_id, t.learner_id, t.learner_name, t.group_id, t.group_name, t.course_id, \
         t.course_title, t.detail, t.data FROM ({}) t WHERE true",
        branches.join(" UNION ALL ")
    );
    // One membership may begin and end in one millisecond: what happened decides then.
    let before = paging.after.as_ref().map(|place| {
        let (at, what) = place.key.split_once(' ').unwrap_or_default();
        let at: i64 = at.parse().unwrap_or_default();
        let binds = vec![at.into(), place.id.into(), what.to_owned().into()];
        (" AND (t.at, t.id, t.what) < (?, ?, ?)".to_owned(), binds)
    });
    let order = " ORDER BY t.at DESC, t.id DESC, t.what DESC";
    Listing::of(sql, binds).find_by(db, before, order, paging)
}

/// A page of what happened to a group, newest first.
pub fn of_group(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    paging: &Paging,
) -> Result<Found<Entry>, StoreError> {
    let branches = [
        began("m.group_id = ? AND m.ended_at IS NULL"),
        began("m.group_id = ? AND m.ended_at IS NOT NULL"),
        ended("m.group_id = ?"),
        events(
            "v.entity_id",
            "",
            NO_TEXT,
            // Memberships tell of themselves.
            "FROM events v WHERE v.tenant_id = ? AND v.entity_id = ? AND v.event_type <> 'group.members_changed'",
        ),
        events(
            "a.group_id",
            "a.course_id",
            "c.title",
            "FROM assignments a CROSS JOIN courses c CROSS JOIN events v WHERE c.tenant_id = a.tenant_id AND c.id = a.course_id \
             AND v.tenant_id = a.tenant_id AND v.entity_id = a.id AND a.tenant_id = ? AND a.group_id = ?",
        ),
    ];
    let binds = branches
        .iter()
        .flat_map(|_| [Bind::from(tenant), Bind::from(group)])
        .collect();
    page(db, &branches, binds, paging)
}

/// A page of everything on record of a learner, newest first.
pub fn of_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    paging: &Paging,
) -> Result<Found<Entry>, StoreError> {
    let reason = |at: &str, what: &str, actor: &str, detail: &str, condition: &str| {
        let select = branch(
            "r.id",
            [
                at,
                "r.id",
                what,
                actor,
                "r.request_id",
                "r.learner_id",
                NO_TEXT,
                "r.group_id",
                "r.group_name",
                "r.course_id",
                "r.course_title",
                detail,
            ],
        );
        format!(
            "{select}, {NO_TEXT} AS data FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.learner_id = ?{condition}"
        )
    };
    let completion = |at: &str, what: &str, actor: &str, detail: &str, condition: &str| {
        let select = branch(
            "c.id",
            [
                at,
                "c.id",
                what,
                actor,
                "c.request_id",
                "c.learner_id",
                NO_TEXT,
                "",
                NO_TEXT,
                "c.course_id",
                "k.title",
                detail,
            ],
        );
        format!(
            "{select}, {NO_TEXT} AS data FROM completions c CROSS JOIN courses k WHERE k.tenant_id = c.tenant_id \
             AND k.id = c.course_id AND c.tenant_id = ? AND c.learner_id = ?{condition}"
        )
    };
    let branches = [
        reason("r.recorded_at", "'reason.began'", "r.actor", "r.kind", ""),
        reason(
            "r.ended_at",
            "'reason.ended'",
            NO_TEXT,
            "r.end_cause",
            " AND r.ended_at IS NOT NULL",
        ),
        began("m.learner_id = ? AND m.ended_at IS NULL"),
        began("m.learner_id = ? AND m.ended_at IS NOT NULL"),
        ended("m.learner_id = ?"),
        completion(
            "c.recorded_at",
            "'completion.recorded'",
            "c.recorded_by",
            "c.source",
            "",
        ),
        completion(
            "c.voided_at",
            "'completion.voided'",
            "c.voided_by",
            "c.void_reason",
            " AND c.voided_at IS NOT NULL",
        ),
        events(
            "",
            "",
            NO_TEXT,
            "FROM events v WHERE v.tenant_id = ? AND v.entity_id = ?",
        ),
        events(
            "",
            "e.course_id",
            "k.title",
            "FROM enrollments e CROSS JOIN courses k CROSS JOIN events v WHERE k.tenant_id = e.tenant_id AND k.id = e.course_id \
             AND v.tenant_id = e.tenant_id AND v.entity_id = e.id AND e.tenant_id = ? AND e.learner_id = ?",
        ),
        events(
            "",
            "x.course_id",
            "k.title",
            "FROM exceptions x CROSS JOIN courses k CROSS JOIN events v WHERE k.tenant_id = x.tenant_id AND k.id = x.course_id \
             AND v.tenant_id = x.tenant_id AND v.entity_id = x.id AND x.tenant_id = ? AND x.learner_id = ?",
        ),
    ];
    let binds = branches
        .iter()
        .flat_map(|_| [Bind::from(tenant), Bind::from(learner)])
        .collect();
    page(db, &branches, binds, paging)
}
