//! The sync log: one row per inbound SCIM request.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId, TenantId};
use crate::store::listing::{Found, Listing, Order, Paging, Place};
use crate::store::statement::{Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

/// One row. `notes` and `changes` are JSON; bodies are redacted before they come here.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct SyncRow {
    #[diesel(sql_type = BigInt)]
    pub tenant_id: i64,
    #[diesel(sql_type = SqlId)]
    pub id: RequestId,
    #[diesel(sql_type = BigInt)]
    pub at: i64,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub connection_id: Option<ConnectionId>,
    #[diesel(sql_type = Text)]
    pub token_hint: String,
    #[diesel(sql_type = Text)]
    pub method: Cow<'static, str>,
    #[diesel(sql_type = Text)]
    pub path: String,
    #[diesel(sql_type = Text)]
    pub operation: Cow<'static, str>,
    #[diesel(sql_type = Nullable<Text>)]
    pub resource_type: Option<Cow<'static, str>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub resource_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub resource_label: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub outcome: Cow<'static, str>,
    #[diesel(sql_type = BigInt)]
    pub http_status: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub scim_type: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub duration_us: i64,
    #[diesel(sql_type = BigInt)]
    pub members_added: i64,
    #[diesel(sql_type = BigInt)]
    pub members_ended: i64,
    #[diesel(sql_type = BigInt)]
    pub enrollments: i64,
    #[diesel(sql_type = Text)]
    pub notes: Cow<'static, str>,
    #[diesel(sql_type = Text)]
    pub changes: Cow<'static, str>,
    #[diesel(sql_type = Nullable<Text>)]
    pub request_body: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub response_body: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub user_agent: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub client_ip: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub trace_id: Option<String>,
}

/// Rows per statement of a batch: whole batches and single rows make two cached texts, not hundreds.
const BATCH: usize = 32;
/// Plain rows per statement: what they share is bound once.
const ALIKE: usize = 16;

/// What the plain rows of one client's requests mostly share.
const SHARED: &str = "tenant_id, connection_id, token_hint, method, operation, resource_type, outcome, http_status, user_agent, \
                      client_ip";
/// What each row has of its own.
const OWN: &str = "id, at, path, resource_id, duration_us";
/// What a read that went well has nothing to say in.
const MORE: &str = "resource_label, external_id, scim_type, detail, members_added, members_ended, enrollments, notes, changes, \
                    request_body, response_body, trace_id";

fn insertion(rows: usize) -> String {
    let values = vec![format!("({})", marks(27)); rows].join(", ");
    format!(
        "INSERT INTO sync_requests ({SHARED}, {OWN}, {MORE}) VALUES {values} ON CONFLICT (tenant_id, id) DO NOTHING"
    )
}

/// Plain rows that share what may be shared. `WHERE true` tells SQLite that `ON` begins no join.
fn plain(rows: usize) -> String {
    let values = vec![format!("({})", marks(5)); rows].join(", ");
    format!(
        "INSERT INTO sync_requests ({SHARED}, {OWN}, {MORE}) \
         SELECT {}, o.column1, o.column2, o.column3, o.column4, o.column5, \
         NULL, NULL, NULL, NULL, 0, 0, 0, '[]', '{{}}', NULL, NULL, NULL \
         FROM (VALUES {values}) o WHERE true ON CONFLICT (tenant_id, id) DO NOTHING",
        marks(10)
    )
}

static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insertion(1));
static INSERT_BATCH: LazyLock<String> = LazyLock::new(|| insertion(BATCH));
static PLAIN_ONE: LazyLock<String> = LazyLock::new(|| plain(1));
static PLAIN_ALIKE: LazyLock<String> = LazyLock::new(|| plain(ALIKE));

impl SyncRow {
    /// Whether it says nothing in the columns of [`MORE`].
    fn is_plain(&self) -> bool {
        let texts = [
            &self.resource_label,
            &self.external_id,
            &self.scim_type,
            &self.detail,
            &self.request_body,
            &self.response_body,
            &self.trace_id,
        ];
        texts.into_iter().all(Option::is_none)
            && self.members_added | self.members_ended | self.enrollments == 0
            && self.notes == "[]"
            && self.changes == "{}"
    }

    /// The values of [`SHARED`].
    fn shared(&self) -> Shared<'_> {
        (
            self.tenant_id,
            self.connection_id,
            (&self.token_hint, &self.method),
            (&self.operation, self.resource_type.as_deref()),
            (&self.outcome, self.http_status),
            (self.user_agent.as_deref(), self.client_ip.as_deref()),
        )
    }
}

/// What rows must have in common to go into one statement.
type Shared<'a> = (
    i64,
    Option<ConnectionId>,
    (&'a str, &'a str),
    (&'a str, Option<&'a str>),
    (&'a str, i64),
    (Option<&'a str>, Option<&'a str>),
);

const LIST: &str = "CAST(tenant_id AS BIGINT) AS tenant_id, id, at, connection_id, token_hint, method, path, operation, \
                    resource_type, resource_id, resource_label, external_id, outcome, http_status, scim_type, detail, \
                    duration_us, members_added, members_ended, enrollments, notes, changes, ";

/// Adds rows; a row whose id is there already is left out. Says how many were added.
pub fn insert(db: &mut Db, rows: &[SyncRow]) -> Result<usize, StoreError> {
    let mut added = 0;
    let mut alike: HashMap<Shared<'_>, Vec<&SyncRow>> = HashMap::new();
    let mut others = Vec::new();
    for row in rows {
        if row.is_plain() {
            alike.entry(row.shared()).or_default().push(row);
        } else {
            others.push(row);
        }
    }
    for (shared, rows) in alike {
        let (groups, rest) = rows.as_chunks::<ALIKE>();
        for group in groups {
            let stmt = bind_shared(Stmt::new(PLAIN_ALIKE.as_str()), shared);
            added += db.execute(group.iter().fold(stmt, |stmt, row| bind_own(stmt, row)))?;
        }
        for row in rest {
            let stmt = bind_shared(Stmt::new(PLAIN_ONE.as_str()), shared);
            added += db.execute(bind_own(stmt, row))?;
        }
    }
    let (batches, rest) = if db.dialect().many_rows_at_once {
        others.as_chunks::<BATCH>()
    } else {
        (&[][..], others.as_slice())
    };
    for batch in batches {
        let stmt = Stmt::new(INSERT_BATCH.as_str());
        added += db.execute(batch.iter().fold(stmt, |stmt, row| bind(stmt, row)))?;
    }
    for row in rest {
        added += db.execute(bind(Stmt::new(INSERT_ONE.as_str()), row))?;
    }
    Ok(added)
}

fn bind<'a>(stmt: Stmt<'a>, row: &'a SyncRow) -> Stmt<'a> {
    let stmt = bind_own(bind_shared(stmt, row.shared()), row)
        .bind(row.resource_label.as_deref())
        .bind(row.external_id.as_deref())
        .bind(row.scim_type.as_deref())
        .bind(row.detail.as_deref());
    let stmt = stmt
        .bind(row.members_added)
        .bind(row.members_ended)
        .bind(row.enrollments);
    stmt.bind(&*row.notes)
        .bind(&*row.changes)
        .bind(row.request_body.as_deref())
        .bind(row.response_body.as_deref())
        .bind(row.trace_id.as_deref())
}

fn bind_shared<'a>(stmt: Stmt<'a>, shared: Shared<'a>) -> Stmt<'a> {
    let (tenant, connection, (token, method), (operation, of), (outcome, status), (agent, ip)) =
        shared;
    stmt.bind(tenant)
        .bind(connection)
        .bind(token)
        .bind(method)
        .bind(operation)
        .bind(of)
        .bind(outcome)
        .bind(status)
        .bind(agent)
        .bind(ip)
}

fn bind_own<'a>(stmt: Stmt<'a>, row: &'a SyncRow) -> Stmt<'a> {
    stmt.bind(row.id)
        .bind(row.at)
        .bind(row.path.as_str())
        .bind(row.resource_id.as_deref())
        .bind(row.duration_us)
}

/// Which rows a page shows; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncFilter {
    /// One of these outcomes; empty: any.
    pub outcomes: Vec<&'static str>,
    /// None of the outcomes asked for is that of a request which went well.
    pub only_trouble: bool,
    /// Nothing that only reads. Must hold where `resource_id` is asked for, which reads have no index for.
    pub only_changes: bool,
    /// Nothing that changed nothing.
    pub no_no_ops: bool,
    /// One of these operations; empty: any.
    pub operations: Vec<&'static str>,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub connection: Option<ConnectionId>,
    pub http_status: Option<i64>,
    pub since: Option<Instant>,
    pub until: Option<Instant>,
    /// An attribute among the changes, as it stands in their JSON.
    pub changed: Option<String>,
    /// Part of a body, exactly as written: also of one about another resource that names this one.
    pub text: Option<String>,
}

/// A page, newest first, without bodies.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: &SyncFilter,
    paging: &Paging,
) -> Result<Found<SyncRow>, StoreError> {
    let sql = format!(
        "SELECT {LIST} NULL AS request_body, NULL AS response_body, user_agent, client_ip, trace_id FROM sync_requests WHERE tenant_id = ?"
    );
    let mut list = Listing::of(sql, vec![tenant.into()]);
    list.and_one_of("outcome", &filter.outcomes);
    list.and_one_of("operation", &filter.operations);
    list.and_some("resource_type = ?", filter.resource_type.clone());
    list.and_some("resource_id = ?", filter.resource_id.clone());
    list.and_some("connection_id = ?", filter.connection);
    list.and_some("http_status = ?", filter.http_status);
    list.and_some("at >= ?", filter.since);
    list.and_some("at < ?", filter.until);
    let dialect = db.dialect();
    list.and_contains(dialect, "changes", filter.changed.as_deref());
    if let Some(part) = &filter.text {
        let position = dialect.position;
        list.and(
            &format!("({position}(COALESCE(request_body, ''), ?) > 0"),
            part.clone(),
        );
        list.or(
            &format!("{position}(COALESCE(response_body, ''), ?) > 0)"),
            part.clone(),
        );
    }
    if filter.no_no_ops {
        list.fixed("outcome <> 'no_op'");
    }
    // the words of the partial indexes, without which no database would take them
    if filter.only_changes {
        list.fixed("operation <> 'read' AND operation <> 'probe' AND operation <> 'list'");
    }
    if filter.only_trouble {
        list.fixed("outcome <> 'success' AND outcome <> 'no_op'");
    }
    list.find(db, Order::id("id").down(true), paging)
}

/// One row with its bodies.
pub fn find(db: &mut Db, tenant: TenantId, id: RequestId) -> Result<Option<SyncRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {LIST} request_body, response_body, user_agent, client_ip, trace_id FROM sync_requests WHERE tenant_id = ? AND id = ?"
    ));
    db.optional(stmt.bind(tenant).bind(id))
}

/// The first of the requests that a request repeats: the same of the same token, not long before, that went wrong.
pub fn first_attempt(
    db: &mut Db,
    row: &SyncRow,
    since: Instant,
) -> Result<Option<RequestId>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Earlier {
        #[diesel(sql_type = SqlId)]
        id: RequestId,
    }
    let stmt = Stmt::new(
        "SELECT id FROM sync_requests WHERE tenant_id = ? AND id < ? AND outcome <> 'success' AND outcome <> 'no_op' AND at >= ? \
         AND method = ? AND path = ? AND token_hint = ? AND COALESCE(request_body, '') = ? ORDER BY id LIMIT 1",
    );
    let stmt = stmt.bind(row.tenant_id).bind(row.id).bind(since);
    let stmt = stmt
        .bind(&*row.method)
        .bind(row.path.as_str())
        .bind(row.token_hint.as_str())
        .bind(row.request_body.as_deref().unwrap_or_default());
    Ok(db.optional::<Earlier>(stmt)?.map(|earlier| earlier.id))
}

/// A call as a session counts it.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct Step {
    #[diesel(sql_type = SqlId)]
    pub id: RequestId,
    #[diesel(sql_type = BigInt)]
    pub at: i64,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub connection_id: Option<ConnectionId>,
    #[diesel(sql_type = Text)]
    pub operation: Cow<'static, str>,
    #[diesel(sql_type = Text)]
    pub outcome: Cow<'static, str>,
    #[diesel(sql_type = Nullable<Text>)]
    pub resource_label: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub members_added: i64,
    #[diesel(sql_type = BigInt)]
    pub members_ended: i64,
    #[diesel(sql_type = BigInt)]
    pub enrollments: i64,
}

/// The next calls going back in time, before a call if one is named; of one connection or all.
pub fn steps(
    db: &mut Db,
    tenant: TenantId,
    connection: Option<ConnectionId>,
    before: Option<RequestId>,
    limit: i64,
) -> Result<Vec<Step>, StoreError> {
    let mut list = Listing::of(
        "SELECT id, at, connection_id, operation, outcome, resource_label, members_added, members_ended, enrollments \
         FROM sync_requests WHERE tenant_id = ?",
        vec![tenant.into()],
    );
    list.and_some("connection_id = ?", connection);
    let paging = Paging {
        after: before.map(|id| Place::id(id.0)),
        ..Paging::first(limit)
    };
    Ok(list.find(db, Order::id("id").down(true), &paging)?.rows)
}

/// When a connection, or a token that has none, called next, from one call on.
pub fn next_call(
    db: &mut Db,
    tenant: TenantId,
    connection: Option<ConnectionId>,
    from: RequestId,
) -> Result<Option<i64>, StoreError> {
    let whose = if connection.is_some() {
        "connection_id = ?"
    } else {
        "connection_id IS NULL"
    };
    let mut stmt = Stmt::new(format!(
        "SELECT at AS n FROM sync_requests WHERE tenant_id = ? AND id >= ? AND {whose} ORDER BY id LIMIT 1"
    ))
    .bind(tenant)
    .bind(from);
    if let Some(connection) = connection {
        stmt = stmt.bind(connection);
    }
    Ok(db
        .optional::<crate::store::db::Number>(stmt)?
        .map(|row| row.n))
}

/// The requests that wrote a resource after another request, the first few.
pub fn later_writes(
    db: &mut Db,
    tenant: TenantId,
    resource: &str,
    after: RequestId,
) -> Result<Vec<SyncRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {LIST} NULL AS request_body, NULL AS response_body, user_agent, client_ip, trace_id FROM sync_requests \
         WHERE tenant_id = ? AND resource_id = ? AND id > ? AND outcome IN ('success', 'partial', 'held', 'parked') \
         AND operation IN ('create', 'replace', 'patch', 'delete') ORDER BY id LIMIT 100"
    ));
    db.load(stmt.bind(tenant).bind(resource).bind(after))
}
