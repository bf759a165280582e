//! The database against its invariants (`learning-domain.md` §11), for `rollcall check` and the tests.
//!
//! One read transaction sees one state of the database, so it may run beside a server. What a job is still to write is
//! told by the job's row. I-6, I-7, I-9, I-10 and I-14 are laws of behavior: here is checked what they leave in rows.

mod judgments;

use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::TenantId;
use crate::scim::fold::fold;
use crate::store::Db;
use crate::store::queries::enroll;
use crate::store::queries::invariants::{self, Breach, Broken, KeyRow, KeyTable, NAMED};

use super::ServiceError;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub tenant: TenantId,
    /// The invariant.
    pub name: String,
    /// What its breach means.
    pub meaning: &'static str,
    /// How many rows break it.
    pub rows: i64,
    /// What the ids name.
    pub of: &'static str,
    /// Some of what is broken.
    pub ids: Vec<Uuid>,
    /// What to do.
    pub remedy: &'static str,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "tenant {}: `{}` is broken by {} rows: {}",
            self.tenant, self.name, self.rows, self.meaning
        )?;
        if !self.ids.is_empty() {
            let ids: Vec<String> = self.ids.iter().map(Uuid::to_string).collect();
            let more = i64::try_from(ids.len()).is_ok_and(|named| named < self.rows);
            let more = if more { ", …" } else { "" };
            write!(f, " ({} {}{more})", self.of, ids.join(", "))?;
        }
        write!(f, "; to do: {}", self.remedy)
    }
}

/// Checks every tenant; empty when all is well.
pub fn all(db: &mut Db, now: Instant) -> Result<Vec<Finding>, ServiceError> {
    let mut findings = Vec::new();
    for tenant in invariants::tenants(db)? {
        findings.extend(check(db, tenant, now)?);
    }
    Ok(findings)
}

/// What is found in one tenant.
struct Findings {
    tenant: TenantId,
    found: Vec<Finding>,
}

impl Findings {
    fn note(
        &mut self,
        (name, meaning, remedy): (&str, &'static str, &'static str),
        of: &'static str,
        broken: Broken,
    ) {
        if broken.rows > 0 {
            self.found.push(Finding {
                tenant: self.tenant,
                name: name.to_owned(),
                meaning,
                rows: broken.rows,
                of,
                ids: broken.ids,
                remedy,
            });
        }
    }
}

/// Counts what is broken, and keeps the first few ids.
fn count(broken: &mut Broken, id: Uuid) {
    broken.rows += 1;
    if broken.rows <= NAMED {
        broken.ids.push(id);
    }
}

/// Checks one tenant; empty when all is well. `now` is the instant at which obligations are judged.
pub fn check(db: &mut Db, tenant: TenantId, now: Instant) -> Result<Vec<Finding>, ServiceError> {
    let mut findings = Findings {
        tenant,
        found: Vec::new(),
    };
    for invariant in invariants::all() {
        let broken = invariants::broken(db, tenant, invariant)?;
        let of = match invariant.breach {
            Breach::Rows { of, .. } => of,
            Breach::Number(_) => "",
        };
        findings.note(
            (invariant.name, invariant.meaning, invariant.remedy),
            of,
            broken,
        );
    }
    findings.note(
        (
            "I-2 nothing is owed",
            "a member lacks an enrollment",
            "let a server run: its hourly reconciler enrolls them; report what stays",
        ),
        "membership",
        enroll::unwritten(db, tenant, NAMED)?,
    );
    judgments::check(db, tenant, now, &mut findings)?;
    for table in KeyTable::ALL {
        keys(db, tenant, *table, &mut findings)?;
    }
    Ok(findings.found)
}

/// Recomputes what is kept beside texts and documents, a thousand rows at a time.
fn keys(
    db: &mut Db,
    tenant: TenantId,
    table: KeyTable,
    findings: &mut Findings,
) -> Result<(), ServiceError> {
    let (mut folded, mut shown) = (Broken::default(), Broken::default());
    let mut after = None;
    loop {
        let rows = invariants::keys(db, tenant, table, after)?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id.0);
        for row in &rows {
            if fold(&row.text) != row.key {
                count(&mut folded, row.id.0);
            }
            if !shows_its_columns(row) {
                count(&mut shown, row.id.0);
            }
        }
    }
    findings.note(
        (
            &format!("folded keys match ({})", table.name()),
            "a name could be taken twice or not be found",
            "rename it and back, which writes the key anew",
        ),
        "row",
        folded,
    );
    findings.note(
        (
            "I-8 an account shows what was written",
            "a directory would read back something else than the server goes by",
            "let the directory replace the account",
        ),
        "user",
        shown,
    );
    Ok(())
}

/// Whether the document says what the columns say; a document that is left out, or silent, says nothing else.
fn shows_its_columns(row: &KeyRow) -> bool {
    let Some(doc) = &row.doc else { return true };
    let Ok(serde_json::Value::Object(doc)) = serde_json::from_str(doc) else {
        return false;
    };
    let text = |name: &str| doc.get(name).and_then(serde_json::Value::as_str);
    text("userName").is_none_or(|name| name == row.text)
        && text("externalId").is_none_or(|id| Some(id) == row.external_id.as_deref())
        && doc
            .get("active")
            .and_then(serde_json::Value::as_bool)
            .is_none_or(|active| Some(active) == row.active)
}
