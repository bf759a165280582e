//! PostgreSQL: how a connection is opened and what the dialect is.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl};

use super::dialect::{Dialect, OneText};
use super::error::StoreError;
use super::statement::Stmt;

pub const DIALECT: Dialect = Dialect {
    new_id: "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' \
             || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid",
    for_update: "FOR UPDATE",
    for_key_share: "FOR KEY SHARE",
    for_share: "FOR SHARE",
    skip_locked: "FOR UPDATE SKIP LOCKED",
    latest: "GREATEST",
    explain: "EXPLAIN",
    among: ("= ANY (ARRAY(", "))"),
    plans_once: true,
    position: "strpos",
    many_rows_at_once: true,
    excerpt_head: "split_part(r.doc COLLATE \"C\", ']', 1)",
    excerpt,
    id_text: |id| format!("(CAST({id} AS TEXT) COLLATE \"C\")"),
};

/// By its name alone, which costs a third of reading JSON. A quotation mark within a text is escaped, so no text looks like
/// a name; one with escapes is read as JSON.
fn excerpt(path: &[&str]) -> String {
    let name = path.last().copied().unwrap_or_default();
    let cut = format!("split_part(split_part(r.doc COLLATE \"C\", '\"{name}\":\"', 2), '\"', 1)");
    let steps: String = path.iter().map(|name| format!(" -> '{name}'")).collect();
    format!(
        "CASE WHEN strpos({cut}, '\\') > 0 THEN CAST(CAST(r.doc AS JSON){steps} AS TEXT) ELSE {cut} END"
    )
}

/// Opens one connection with the session settings of requirement C3.
pub fn connect(url: &str) -> Result<PgConnection, StoreError> {
    let mut conn = PgConnection::establish(url)
        .map_err(|error| StoreError::Unusable(format!("PostgreSQL: {error}")))?;
    conn.set_prepared_statement_cache_size(diesel::connection::CacheSize::Unbounded);
    conn.batch_execute(
        "SET statement_timeout='10s'; SET jit=off; SET lock_timeout='5s'; SET idle_in_transaction_session_timeout='15s'; \
         SET application_name='rollcall'; SET TimeZone='UTC'; SET client_min_messages='warning'",
    )?;
    Ok(conn)
}

/// Refuses a server that may lose acknowledged writes (requirement C3).
pub fn check(conn: &mut PgConnection) -> Result<(), StoreError> {
    for (setting, allowed) in [
        ("fsync", &["on"][..]),
        ("full_page_writes", &["on"][..]),
        (
            "synchronous_commit",
            &["on", "remote_apply", "remote_write"][..],
        ),
    ] {
        let rows: Vec<OneText> = Stmt::new("SELECT current_setting(?) AS t")
            .bind(setting)
            .load(conn)?;
        let value = rows.first().map_or("", |row| row.t.as_str());
        if !allowed.contains(&value) {
            return Err(StoreError::Unusable(format!(
                "PostgreSQL runs with {setting}={value} and may lose acknowledged writes; set it to on"
            )));
        }
    }
    Ok(())
}
