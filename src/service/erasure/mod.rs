//! Erasure on request (7.25, B49, B50): a person's data is emptied everywhere, what they did stays under a pseudonym.
//!
//! Accounts end and are emptied with everything that finds them; the log forgets what they sent; texts about them lose their
//! name. Enrollments, cycles, completions and events stay, so no figure changes. A job then looks through the log, kept answers
//! and imported files for whatever else names them ([`sweep`]). The ledger of erasures stays: a restored backup is made to
//! forget them again by it. Not here: what is forgotten after a time (`retention`).

mod markers;
pub mod sweep;

use chrono::NaiveDate;
use serde_json::json;

use crate::ids::{JobId, LearnerId, UserId};
use crate::learning::calendar::local_date;
use crate::learning::course::line;
use crate::learning::error::LearningError;
use crate::learning::event::EventType;
use crate::store::Db;
use crate::store::queries::erasures as rows;
use crate::store::queries::learners::LearnerRow;
use crate::store::queries::{links, resource_values};

pub use self::markers::Markers;
use super::enroll::by;
use super::jobs::book::{self, Work};
use super::{Scope, ServiceError, directory, groups, learners, obligations};

/// What an erased person is called.
pub const NOBODY: &str = "anonymized learner";

/// What an erasure came to.
#[derive(Clone, Debug)]
pub struct Erased {
    pub learner: LearnerRow,
    /// Whether there was anything left to erase.
    pub changed: bool,
    /// Accounts emptied.
    pub accounts: i64,
    /// Texts about them in which they were named.
    pub texts: i64,
    /// The last day on which the training record keeps its name (B50).
    pub name_kept_until: Option<NaiveDate>,
    /// Which looks through the log, kept answers and imported files.
    pub job: Option<JobId>,
}

/// Erases a person. Every account of theirs ends; learners whose accounts they were given are erased with them. Erasing twice
/// changes nothing. Errors: not found; the accounts are another learner's; a legal hold.
pub fn erase(db: &mut Db, scope: &Scope, id: LearnerId, why: &str) -> Result<Erased, ServiceError> {
    let why = line("reason", why, 500)?;
    let row = learners::find(db, scope, id)?;
    if let Some(before) = rows::find(db, scope.tenant, id)? {
        return Ok(Erased {
            learner: row,
            changed: false,
            accounts: 0,
            texts: 0,
            name_kept_until: before.kept_until.and_then(|day| day.parse().ok()),
            job: None,
        });
    }
    if let Some(to) = row.linked_to {
        return Err(LearningError::AlreadyLinked { learner: id, to }.into());
    }
    let family = family(db, scope, row)?;
    for one in &family {
        if let Some(reason) = &one.legal_hold {
            return Err(LearningError::LegalHold {
                reason: reason.clone(),
            }
            .into());
        }
    }
    if !learners::live_accounts(db, scope, id)?.is_empty() {
        directory::end_learner(db, scope, id)?;
    }
    let (accounts, markers) = words(db, scope, &family)?;
    let kept_until = kept_until(db, scope)?;
    rows::empty_accounts(db, scope.tenant, &accounts)?;
    for account in &accounts {
        resource_values::remove_all(db, scope.tenant, account.0)?;
    }
    let why = markers.redacted(&why).unwrap_or(why);
    let by = by(scope);
    let mut texts = 0;
    let kept = kept_until.map(|day| day.to_string());
    for one in &family {
        texts += forget_texts(db, scope, one.id, &markers)?;
        let name = kept.is_none().then_some(NOBODY);
        rows::empty_learner(db, scope.tenant, one.id, name, scope.now)?;
        let sought = if one.id == id {
            markers.to_json()
        } else {
            "[]".to_owned()
        };
        let told = (why.as_str(), kept.as_deref(), sought.as_str());
        rows::insert(db, scope.tenant, one.id, &accounts, told, &by)?;
    }
    let told = json!({"accounts": accounts, "reason": why, "name_kept_until": kept});
    learners::event(db, scope, id, EventType::LearnerErased, told)?;
    let job = book::later(db, scope.tenant, &Work::Erase(id), None, &by)?;
    Ok(Erased {
        learner: learners::find(db, scope, id)?,
        changed: true,
        accounts: i64::try_from(accounts.len()).unwrap_or(i64::MAX),
        texts,
        name_kept_until: kept_until,
        job: Some(job),
    })
}

/// A learner and everybody whose accounts they were given.
fn family(db: &mut Db, scope: &Scope, row: LearnerRow) -> Result<Vec<LearnerRow>, ServiceError> {
    let mut family = vec![row];
    let mut next = 0;
    while let Some(one) = family.get(next).map(|one| one.id) {
        for link in links::of_learner(db, scope.tenant, one)? {
            family.push(learners::find(db, scope, link.linked_id)?);
        }
        next += 1;
    }
    Ok(family)
}

/// The accounts of these learners, and every word by which they may be named.
fn words(
    db: &mut Db,
    scope: &Scope,
    family: &[LearnerRow],
) -> Result<(Vec<UserId>, Markers), ServiceError> {
    let mut accounts = Vec::new();
    let mut words = Vec::new();
    for one in family {
        words.push(one.display_name.clone());
        words.extend(one.email.clone());
        for profile in rows::profiles(db, scope.tenant, one.id)? {
            accounts.push(profile.id);
            words.push(profile.user_name);
            words.extend(profile.external_id);
            let document = serde_json::from_str(&profile.doc).unwrap_or_default();
            words.extend(markers::words_of(&document));
        }
    }
    words.retain(|word| word != NOBODY);
    words.extend(rows::labels(db, scope.tenant, &accounts)?);
    Ok((accounts, Markers::of(words)))
}

/// Until when a duty to keep training records beats the erasure of the name they are kept under (B50).
fn kept_until(db: &mut Db, scope: &Scope) -> Result<Option<NaiveDate>, ServiceError> {
    let settings = obligations::settings(db, scope.tenant)?;
    let today = local_date(scope.now, groups::zone(db, scope)?);
    Ok(settings
        .retain_compliance_records_until
        .filter(|until| *until >= today))
}

fn forget_texts(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    markers: &Markers,
) -> Result<i64, ServiceError> {
    let mut changed = 0;
    for row in rows::texts(db, scope.tenant, id)? {
        if let Some(clean) = markers.redacted(&row.text) {
            rows::rewrite(db, scope.tenant, &row, &clean)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Takes the names of training records that no duty keeps any longer; says whether there were any.
pub fn release(db: &mut Db, scope: &Scope) -> Result<bool, ServiceError> {
    let today = local_date(scope.now, groups::zone(db, scope)?).to_string();
    let due = rows::kept_long_enough(db, scope.tenant, &today)?;
    for row in &due {
        let id = row.learner_id;
        rows::empty_learner(db, scope.tenant, id, Some(NOBODY), scope.now)?;
        rows::release(db, scope.tenant, id)?;
        let told = json!({"name_kept_until": row.kept_until});
        learners::event(db, scope, id, EventType::LearnerErased, told)?;
    }
    Ok(!due.is_empty())
}
