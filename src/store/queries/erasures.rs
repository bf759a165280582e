//! Erasure (7.25, B49): what is kept of a person, emptied; the ledger of who was erased; what may name them elsewhere, in pages.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{EventId, JobId, LearnerId, RequestId, TenantId, UserId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;
use super::memberships::{CHUNK, padded};
use super::retention;

/// One person of the ledger.
#[derive(Clone, Debug, QueryableByName)]
pub struct ErasureRow {
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = BigInt)]
    pub erased_at: i64,
    #[diesel(sql_type = Text)]
    pub erased_by: String,
    #[diesel(sql_type = Text)]
    pub why: String,
    /// The last day on which the training record still has its name.
    #[diesel(sql_type = Nullable<Text>)]
    pub kept_until: Option<String>,
    /// What the sweep looks for; absent when it is through.
    #[diesel(sql_type = Nullable<Text>)]
    pub markers: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub swept_at: Option<i64>,
}

const ERASURE: &str = "SELECT x.learner_id, x.erased_at, x.erased_by, x.why, x.kept_until, x.markers, x.swept_at \
     FROM erasures x WHERE x.tenant_id = ?";

/// A person of the ledger.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Option<ErasureRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{ERASURE} AND x.learner_id = ?"))
            .bind(tenant)
            .bind(learner),
    )
}

/// Writes a person into the ledger.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    accounts: &[UserId],
    (why, kept_until, markers): (&str, Option<&str>, &str),
    by: &By,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO erasures (tenant_id, learner_id, accounts, why, erased_at, erased_by, request_id, kept_until, markers) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(learner)
        .bind(serde_json::to_string(accounts).unwrap_or_default())
        .bind(why)
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(by.request)
        .bind(kept_until)
        .bind(markers),
    )
    .map(drop)
}

/// The sweep is through: what it looked for is forgotten.
pub fn swept(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    at: Instant,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE erasures SET markers = NULL, swept_at = ? WHERE tenant_id = ? AND learner_id = ?")
            .bind(at)
            .bind(tenant)
            .bind(learner),
    )
    .map(drop)
}

/// The persons whose training record was kept with its name until before `today`.
pub fn kept_long_enough(
    db: &mut Db,
    tenant: TenantId,
    today: &str,
) -> Result<Vec<ErasureRow>, StoreError> {
    db.load(
        Stmt::new(format!("{ERASURE} AND x.kept_until < ?"))
            .bind(tenant)
            .bind(today),
    )
}

/// The name is gone now, too.
pub fn release(db: &mut Db, tenant: TenantId, learner: LearnerId) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE erasures SET kept_until = NULL WHERE tenant_id = ? AND learner_id = ?")
            .bind(tenant)
            .bind(learner),
    )
    .map(drop)
}

/// What an account says of its person.
#[derive(Clone, Debug, QueryableByName)]
pub struct ProfileRow {
    #[diesel(sql_type = SqlId)]
    pub id: UserId,
    #[diesel(sql_type = Text)]
    pub user_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub doc: String,
}

/// The accounts of a learner, ended ones included.
pub fn profiles(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<ProfileRow>, StoreError> {
    db.load(
        Stmt::new("SELECT u.id, u.user_name, u.external_id, u.doc FROM users u WHERE u.tenant_id = ? AND u.learner_id = ? ORDER BY u.id")
            .bind(tenant)
            .bind(learner),
    )
}

/// What the log calls these accounts, now and before.
pub fn labels(
    db: &mut Db,
    tenant: TenantId,
    accounts: &[UserId],
) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Label {
        #[diesel(sql_type = Nullable<Text>)]
        resource_label: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        external_id: Option<String>,
    }
    let mut labels = Vec::new();
    for chunk in accounts.chunks(CHUNK) {
        let ids: Vec<Bind> = chunk.iter().map(|id| id.to_string().into()).collect();
        let rows: Vec<Label> = db.load(
            Stmt::new(format!(
                "SELECT DISTINCT s.resource_label, s.external_id FROM sync_requests s WHERE s.tenant_id = ? AND s.resource_id IN ({}) \
                 AND s.operation <> 'read' AND s.operation <> 'probe' AND s.operation <> 'list'",
                marks(ids.len())
            ))
            .once(true)
            .bind(tenant)
            .binds(ids),
        )?;
        labels.extend(
            rows.into_iter()
                .flat_map(|row| [row.resource_label, row.external_id])
                .flatten(),
        );
    }
    Ok(labels)
}

/// Empties accounts, what finds them and what the log says of them. They keep their ids, so that history stays whole.
pub fn empty_accounts(
    db: &mut Db,
    tenant: TenantId,
    accounts: &[UserId],
) -> Result<(), StoreError> {
    for chunk in accounts.chunks(CHUNK) {
        let ids = padded(chunk);
        let some = marks(ids.len());
        for sql in [
            format!("DELETE FROM user_values WHERE tenant_id = ? AND user_id IN ({some})"),
            format!("DELETE FROM resource_values WHERE tenant_id = ? AND resource_id IN ({some})"),
            format!("DELETE FROM former_keys WHERE tenant_id = ? AND user_id IN ({some})"),
            format!(
                "UPDATE users SET user_name = '', user_name_key = '', external_id = NULL, display_name_key = NULL, doc = '{{}}' \
                 WHERE tenant_id = ? AND id IN ({some})"
            ),
        ] {
            db.execute(Stmt::new(sql).bind(tenant).binds(ids.iter().cloned()))?;
        }
        retention::empty_log_of(db, tenant, chunk)?;
    }
    Ok(())
}

/// Takes the address of learners, and their name unless the training record keeps it; forgets whom they reminded of.
pub fn empty_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    name: Option<&str>,
    at: Instant,
) -> Result<(), StoreError> {
    let named = if name.is_some() {
        ", display_name = ?, anonymized_at = ?"
    } else {
        ""
    };
    let mut stmt = Stmt::new(format!(
        "UPDATE learners SET email = NULL, version = version + 1{named} WHERE tenant_id = ? AND id = ?"
    ));
    if let Some(name) = name {
        stmt = stmt.bind(name.to_owned()).bind(at);
    }
    db.execute(stmt.bind(tenant).bind(learner))?;
    for column in ["learner_id", "other_id"] {
        db.execute(
            Stmt::new(format!(
                "DELETE FROM learner_suggestions WHERE tenant_id = ? AND {column} = ?"
            ))
            .bind(tenant)
            .bind(learner),
        )?;
    }
    Ok(())
}

/// A text that somebody wrote about a person, and where it stands.
#[derive(Clone, Debug, QueryableByName)]
pub struct TextRow {
    #[diesel(sql_type = Text)]
    pub place: String,
    #[diesel(sql_type = SqlId)]
    pub id: EventId,
    #[diesel(sql_type = Text)]
    pub text: String,
}

/// Where such texts stand: the name of a place, its table and its column.
const PLACES: &[(&str, &str, &str)] = &[
    ("why", "exceptions", "why"),
    ("evidence", "completions", "evidence_ref"),
    ("void", "completions", "void_reason"),
    ("event", "events", "data"),
    ("link", "learner_links", "why"),
];

/// The texts about a learner: reasons of exceptions and voids, evidence, and what events of theirs say.
pub fn texts(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<TextRow>, StoreError> {
    let own = |place: &str, table: &str, column: &str| {
        format!(
            "SELECT '{place}' AS place, t.id, t.{column} AS text FROM {table} t WHERE t.tenant_id = ? AND t.learner_id = ? AND t.{column} IS NOT NULL"
        )
    };
    let events = |from: &str| {
        format!("SELECT 'event' AS place, v.id, v.data AS text FROM {from} AND v.data <> '{{}}'")
    };
    let about = |table: &str| {
        events(&format!(
            "{table} t CROSS JOIN events v WHERE t.tenant_id = ? AND t.learner_id = ? AND v.tenant_id = t.tenant_id AND v.entity_id = t.id"
        ))
    };
    let branches = [
        own("why", "exceptions", "why"),
        own("evidence", "completions", "evidence_ref"),
        own("void", "completions", "void_reason"),
        own("link", "learner_links", "why"),
        events("events v WHERE v.tenant_id = ? AND v.entity_id = ?"),
        about("enrollments"),
        about("exceptions"),
        about("completions"),
    ];
    let mut stmt = Stmt::new(branches.join(" UNION ALL "));
    for _ in &branches {
        stmt = stmt.bind(tenant).bind(learner);
    }
    db.load(stmt)
}

/// Writes another text in such a place.
pub fn rewrite(db: &mut Db, tenant: TenantId, row: &TextRow, text: &str) -> Result<(), StoreError> {
    let Some((_, table, column)) = PLACES.iter().find(|(place, _, _)| *place == row.place) else {
        return Ok(());
    };
    db.execute(
        Stmt::new(format!(
            "UPDATE {table} SET {column} = ? WHERE tenant_id = ? AND id = ?"
        ))
        .bind(text)
        .bind(tenant)
        .bind(row.id),
    )
    .map(drop)
}

/// A row of the log with everything in it that may name somebody.
#[derive(Clone, Debug, QueryableByName)]
pub struct LoggedRow {
    #[diesel(sql_type = SqlId)]
    pub id: RequestId,
    #[diesel(sql_type = Text)]
    pub path: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub resource_label: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = Text)]
    pub notes: String,
    #[diesel(sql_type = Text)]
    pub changes: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub request_body: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub response_body: Option<String>,
}

/// The next rows of the log.
pub fn logged(
    db: &mut Db,
    tenant: TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<LoggedRow>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT s.id, s.path, s.resource_label, s.external_id, s.detail, s.notes, s.changes, s.request_body, s.response_body \
             FROM sync_requests s WHERE s.tenant_id = ? AND s.id > ? ORDER BY s.id LIMIT ?",
        )
        .bind(tenant)
        .bind(after)
        .bind(limit),
    )
}

/// Writes what is left of a row of the log: its bodies are emptied.
pub fn keep_of_logged(db: &mut Db, tenant: TenantId, row: &LoggedRow) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE sync_requests SET path = ?, resource_label = ?, external_id = ?, detail = ?, notes = ?, changes = ?, \
             request_body = NULL, response_body = NULL WHERE tenant_id = ? AND id = ?",
        )
        .bind(row.path.as_str())
        .bind(row.resource_label.as_deref())
        .bind(row.external_id.as_deref())
        .bind(row.detail.as_deref())
        .bind(row.notes.as_str())
        .bind(row.changes.as_str())
        .bind(tenant)
        .bind(row.id),
    )
    .map(drop)
}

/// An answer that is kept for repeats.
#[derive(Clone, Debug, QueryableByName)]
pub struct AnswerRow {
    #[diesel(sql_type = Text)]
    pub jti: String,
    #[diesel(sql_type = Text)]
    pub idempotency_key: String,
    #[diesel(sql_type = Text)]
    pub body: String,
}

/// The next kept answers.
pub fn answers(
    db: &mut Db,
    tenant: TenantId,
    (jti, key): (&str, &str),
    limit: i64,
) -> Result<Vec<AnswerRow>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT k.jti, k.idempotency_key, k.body FROM idempotency_keys k WHERE k.tenant_id = ? AND (k.jti, k.idempotency_key) > (?, ?) \
             ORDER BY k.jti, k.idempotency_key LIMIT ?",
        )
        .bind(tenant)
        .bind(jti.to_owned())
        .bind(key.to_owned())
        .bind(limit),
    )
}

/// Writes what is left of a kept answer.
pub fn keep_of_answer(db: &mut Db, tenant: TenantId, row: &AnswerRow) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE idempotency_keys SET body = ? WHERE tenant_id = ? AND jti = ? AND idempotency_key = ?")
            .bind(row.body.as_str())
            .bind(tenant)
            .bind(row.jti.as_str())
            .bind(row.idempotency_key.as_str()),
    )
    .map(drop)
}

/// A line of an imported file.
#[derive(Clone, Debug, QueryableByName)]
pub struct LineRow {
    #[diesel(sql_type = SqlId)]
    pub import_id: JobId,
    #[diesel(sql_type = BigInt)]
    pub line: i64,
    #[diesel(sql_type = Text)]
    pub cells: String,
    #[diesel(sql_type = Text)]
    pub fields: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
}

/// The next lines of imported files.
pub fn lines(
    db: &mut Db,
    tenant: TenantId,
    (import, line): (Uuid, i64),
    limit: i64,
) -> Result<Vec<LineRow>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT r.import_id, r.line, r.cells, r.fields, r.detail FROM import_rows r WHERE r.tenant_id = ? \
             AND (r.import_id, r.line) > (?, ?) ORDER BY r.import_id, r.line LIMIT ?",
        )
        .bind(tenant)
        .bind(import)
        .bind(line)
        .bind(limit),
    )
}

/// Writes what is left of a line.
pub fn keep_of_line(db: &mut Db, tenant: TenantId, row: &LineRow) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE import_rows SET cells = ?, fields = ?, detail = ? WHERE tenant_id = ? AND import_id = ? AND line = ?")
            .bind(row.cells.as_str())
            .bind(row.fields.as_str())
            .bind(row.detail.as_deref())
            .bind(tenant)
            .bind(row.import_id)
            .bind(row.line),
    )
    .map(drop)
}
