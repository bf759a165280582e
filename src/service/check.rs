//! The database against its invariants (`learning-domain.md` §11), for `rollcall check` and the tests.

use crate::ids::TenantId;
use crate::scim::fold::fold;
use crate::store::Db;
use crate::store::queries::enroll::{self, EnrollScope};
use crate::store::queries::invariants::{self, KeyTable};
use crate::store::queries::jobs;

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
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "tenant {}: `{}` is broken by {} rows: {}",
            self.tenant, self.name, self.rows, self.meaning
        )
    }
}

/// Checks every tenant; empty when all is well.
pub fn all(db: &mut Db) -> Result<Vec<Finding>, ServiceError> {
    let mut findings = Vec::new();
    for tenant in invariants::tenants(db)? {
        findings.extend(check(db, tenant)?);
    }
    Ok(findings)
}

/// Checks one tenant; empty when all is well.
pub fn check(db: &mut Db, tenant: TenantId) -> Result<Vec<Finding>, ServiceError> {
    let mut findings = Vec::new();
    let mut note = |name: String, meaning, rows| {
        if rows > 0 {
            findings.push(Finding {
                tenant,
                name,
                meaning,
                rows,
            });
        }
    };
    for invariant in invariants::ALL {
        note(
            invariant.name.to_owned(),
            invariant.meaning,
            invariants::broken(db, tenant, invariant)?,
        );
    }
    // A job that runs owes what it has not written yet (I-2).
    let owed = if jobs::waits(db, tenant)? {
        0
    } else {
        enroll::owed_count(db, tenant, &EnrollScope::Tenant)?
    };
    note(
        "I-2 nothing is owed".to_owned(),
        "a member lacks an enrollment",
        owed,
    );
    for table in KeyTable::ALL {
        let wrong = wrong_keys(db, tenant, *table)?;
        note(
            format!("folded keys match ({})", table.name()),
            "a name could be taken twice or not be found",
            wrong,
        );
    }
    Ok(findings)
}

fn wrong_keys(db: &mut Db, tenant: TenantId, table: KeyTable) -> Result<i64, ServiceError> {
    let mut wrong = 0;
    let mut after = None;
    loop {
        let rows = invariants::keys(db, tenant, table, after)?;
        let Some(last) = rows.last() else {
            return Ok(wrong);
        };
        after = Some(last.id.0);
        wrong += rows
            .iter()
            .map(|row| i64::from(fold(&row.text) != row.key))
            .sum::<i64>();
    }
}
