//! No statement without its index: every SQL text that any server of this test process runs is planned once by SQLite,
//! and a plan that walks a whole table, or a tenant's part of one, fails the test that ends next.
//!
//! SQLite plans by the shapes that its migration ships, so the plans are the same in an empty database and a full one.
//! PostgreSQL's planner walks small tables on purpose; there the store's own tests ask it about filled ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, Once};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

/// What may walk, by a piece of its text, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "FROM tenants ORDER BY",
        "the reconciler and the command line ask for all tenants",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM users r WHERE",
        "how many a filter finds that no index serves; store::search_tests holds the frequent ones to theirs",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM learner_groups r WHERE",
        "the same of groups",
    ),
    (
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM tenants",
        "the first start and, at most once a second, `/readyz`",
    ),
    (
        "AND g.deleted_at IS NULL)) r WHERE r.tenant_id = ?",
        "how many memberships a tenant has, when somebody lists them all",
    ),
    (
        ") listed",
        "how many rows a list has, when somebody asks (`include=total`)",
    ),
    (
        "AS line FROM",
        "a test that reads every row to find nothing in it",
    ),
    ("FROM signing_keys", "there are few, read at the start"),
    (
        "UPDATE signing_keys SET re",
        "the same, when an operator rotates them",
    ),
    (
        "INSERT INTO learners (",
        "with several rows SQLite plans to look for orphans of theirs, and does so only while some are outstanding",
    ),
    ("INSERT INTO learner_groups (", "the same"),
    (
        "FROM indexed_attributes",
        "there are few, read at the start",
    ),
    (
        "FROM jobs j WHERE j.state = 'waiting'",
        "the few jobs that wait, of every tenant, in an index of their own",
    ),
    (
        "r.assignment_id = a.id) GROUP BY m.tenant_id",
        "what a whole tenant is owed: the reconciler and a change of the plan",
    ),
    (
        "r.assignment_id = a.id)) o",
        "what a whole tenant is owed: the reconciler and a change of the plan",
    ),
    (
        "r.assignment_id = a.id) ON CONFLICT (tenant_id, membership_id",
        "the reasons for it, written when a plan comes back",
    ),
    (
        "SELECT count(*) AS n FROM memberships m CROSS JOIN assignments a",
        "the same, counted by `check`",
    ),
    (
        "AND COALESCE(g.managed_by, m.connection_id) = ?",
        "what a connection going live is owed",
    ),
];

/// What may ask for rows of every tenant, by a piece of its text, and why.
const TENANTLESS: &[(&str, &str)] = &[
    (
        "UPDATE signing_keys SET removed_at",
        "a key signs for all tenants, and leaves when nobody needs it",
    ),
    (
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM tenants",
        "whether the database answers at all, for `/readyz`",
    ),
];

/// SQL texts heard so far; `true` once planned.
static HEARD: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());

struct Listener;

impl log::Log for Listener {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "rollcall::sql"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            HEARD
                .lock()
                .expect("the texts")
                .entry(record.args().to_string())
                .or_insert(false);
        }
    }

    fn flush(&self) {}
}

/// Hears every statement from now on.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Listener).expect("nobody else logs in the tests");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Plans what was heard since the last time on a SQLite database of the same tables.
pub fn check(url: &str) {
    let Some(path) = url.strip_prefix("sqlite://") else {
        return;
    };
    let new: Vec<String> = HEARD
        .lock()
        .expect("the texts")
        .iter_mut()
        .filter_map(|(sql, planned)| (!std::mem::replace(planned, true)).then(|| sql.clone()))
        .collect();
    if new.is_empty() || std::thread::panicking() {
        return;
    }
    let mut conn = SqliteConnection::establish(path).expect("the test's database opens");
    conn.batch_execute("PRAGMA busy_timeout=5000")
        .expect("a setting");
    // MT-04: a statement on a tenant's table names the tenant
    let tables: Vec<Step> = sql_query(
        "SELECT m.name AS detail FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'tenant_id' WHERE m.type = 'table'",
    )
    .load(&mut conn)
    .expect("the tables");
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let stray: Vec<&String> = new
        .iter()
        .filter(|sql| {
            let asks = sql
                .split(word)
                .any(|one| tables.iter().any(|table| table.detail == one));
            asks && !sql.contains("tenant_id")
        })
        .filter(|sql| !TENANTLESS.iter().any(|(part, _)| sql.contains(part)))
        .collect();
    assert!(
        stray.is_empty() && tables.len() > 10,
        "statements that name no tenant: {stray:#?}"
    );
    let walks: Vec<String> = new
        .iter()
        .filter(|sql| !ALLOWED.iter().any(|(part, _)| sql.contains(part)))
        .filter_map(|sql| {
            // Our function is not known to this connection, and plans do not depend on it.
            let text = sql.replace("new_id()", "randomblob(16)");
            let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {text}"))
                .load(&mut conn)
                .unwrap_or_else(|error| panic!("{error}: {sql}"));
            let walks: Vec<&str> = steps
                .iter()
                .map(|step| step.detail.as_str())
                .filter(|step| walks(step, &steps, sql))
                .collect();
            (!walks.is_empty()).then(|| format!("{}\n    {sql}", walks.join("; ")))
        })
        .collect();
    assert!(
        walks.is_empty(),
        "statements that walk a table:\n{}",
        walks.join("\n")
    );
}

/// Whether a step reads a table, or a tenant's part of one, from its beginning to its end.
fn walks(step: &str, steps: &[Step], sql: &str) -> bool {
    if step.ends_with("(tenant_id=?)") {
        return !sql.contains("LIMIT");
    }
    let Some(what) = step.strip_prefix("SCAN ") else {
        return false;
    };
    let name = what.split(' ').next().unwrap_or_default();
    let derived = steps.iter().any(|other| {
        ["CO-ROUTINE ", "MATERIALIZE "]
            .iter()
            .any(|made| other.detail.strip_prefix(made) == Some(name))
    });
    !(derived
        || what.contains("CONSTANT ROW")
        || what.contains("VALUES CLAUSE")
        || what.starts_with("json_each"))
}
