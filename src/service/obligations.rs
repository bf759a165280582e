//! Obligations with their status, read as a set and judged one by one by the one status function (§3.1).
//!
//! Every report, view and job goes through [`gather`], so that no two places can disagree.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, LearnerId, TenantId};
use crate::learning::assignment::Options;
use crate::learning::learner::Facts;
use crate::learning::membership::State;
use crate::learning::obligation::{Absence, Extension, Judgment, Obligation, Policy, Waiver};
use crate::learning::settings::Settings;
use crate::store::Db;
use crate::store::queries::groups_learning;
use crate::store::queries::obligations::{self as rows, ExceptionRow, PeriodRow, VersionRow};
pub use crate::store::queries::obligations::{AsOf, Narrow, ObligationRow};

use super::ServiceError;

type Pair = (LearnerId, CourseId);

/// The tenant's settings.
pub fn settings(db: &mut Db, tenant: TenantId) -> Result<Settings, ServiceError> {
    Ok(groups_learning::settings(db, tenant)?
        .map(|row| Settings::parse(&row.settings))
        .unwrap_or_default())
}

/// The tenant's rules for dates and statuses.
pub fn policy(db: &mut Db, tenant: TenantId) -> Result<Policy, ServiceError> {
    let row = groups_learning::settings(db, tenant)?;
    let zone = row
        .as_ref()
        .and_then(|row| row.time_zone.parse().ok())
        .unwrap_or(chrono_tz::UTC);
    let settings = row
        .map(|row| Settings::parse(&row.settings))
        .unwrap_or_default();
    Ok(Policy::new(&settings, zone))
}

/// Obligations and everything their status depends on.
#[derive(Debug)]
pub struct Gathered {
    pub policy: Policy,
    pub as_of: AsOf,
    rows: Vec<ObligationRow>,
    versions: HashMap<AssignmentId, Vec<VersionRow>>,
    completions: HashMap<Pair, Vec<Instant>>,
    exceptions: HashMap<Pair, Vec<ExceptionRow>>,
    periods: HashMap<LearnerId, Vec<PeriodRow>>,
}

/// One obligation, judged.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    pub row: &'a ObligationRow,
    /// In force at the instant.
    pub options: Options,
    /// The learner's facts at the instant.
    pub facts: Facts,
    pub judgment: Judgment,
}

impl Judged<'_> {
    /// What the membership was worth at the instant: only active ones stand in a denominator.
    #[must_use]
    pub fn state(&self) -> State {
        State::of(self.facts)
    }
}

/// Reads the obligations in a scope with everything their status depends on: six statements, whatever their number.
pub fn gather(
    db: &mut Db,
    tenant: TenantId,
    narrow: &Narrow,
    as_of: AsOf,
) -> Result<Gathered, ServiceError> {
    let policy = policy(db, tenant)?;
    let mut gathered = Gathered {
        policy,
        as_of,
        rows: rows::obligations(db, tenant, narrow, as_of)?,
        versions: HashMap::new(),
        completions: HashMap::new(),
        exceptions: HashMap::new(),
        periods: HashMap::new(),
    };
    if gathered.rows.is_empty() {
        return Ok(gathered);
    }
    let assignments: BTreeSet<AssignmentId> =
        gathered.rows.iter().map(|row| row.assignment_id).collect();
    let assignments: Vec<AssignmentId> = assignments.into_iter().collect();
    for row in rows::versions(db, tenant, &assignments)? {
        gathered
            .versions
            .entry(row.assignment_id)
            .or_default()
            .push(row);
    }
    for row in rows::completions(db, tenant, narrow, as_of)? {
        gathered
            .completions
            .entry((row.learner_id, row.course_id))
            .or_default()
            .push(Instant(row.completed_at));
    }
    for row in rows::exceptions(db, tenant, narrow, as_of)? {
        gathered
            .exceptions
            .entry((row.learner_id, row.course_id))
            .or_default()
            .push(row);
    }
    for row in rows::periods(db, tenant, narrow, as_of)? {
        gathered
            .periods
            .entry(row.learner_id)
            .or_default()
            .push(row);
    }
    Ok(gathered)
}

/// The options in force for an obligation: a version for the future leaves earlier obligations their terms, but for
/// `mandatory`, which holds for all at once (§6.3, §6.4).
#[must_use]
pub fn options_in_force(versions: &[VersionRow], recorded_at: Instant, at: Instant) -> Options {
    let mut options = Options::default();
    for version in versions.iter().filter(|version| version.valid_from <= at.0) {
        let next = version.options();
        if version.future_only && recorded_at.0 < version.valid_from {
            options.mandatory = next.mandatory;
        } else {
            options = next;
        }
    }
    options
}

/// The times somebody who had been here was away and came back, up to an instant. Who is `away` still has not come back
/// from the last, whatever else was decided about them meanwhile.
fn absences(periods: &[PeriodRow], at: Instant, away: bool) -> Vec<Absence> {
    let mut found: Vec<Absence> = Vec::new();
    let mut began_initially = false;
    for period in periods.iter().filter(|period| !period.facts().works()) {
        match found.last_mut() {
            // Away before and away after: one absence.
            Some(last) if last.back_at.0 == period.began_at => {
                last.back_at = Instant(period.ended_at);
            }
            _ => {
                began_initially |= period.initial;
                found.push(Absence {
                    left_at: Instant(period.began_at),
                    back_at: Instant(period.ended_at),
                });
            }
        }
    }
    // Who never was here before has not come back.
    if began_initially {
        found.remove(0);
    }
    let present_began = periods.last().map(|period| period.ended_at);
    if away
        && found
            .last()
            .is_some_and(|last| Some(last.back_at.0) == present_began)
    {
        found.pop();
    }
    found.retain(|absence| absence.back_at <= at);
    found
}

impl Gathered {
    /// The obligations, each with its status.
    pub fn judged(&self) -> impl Iterator<Item = Judged<'_>> {
        self.rows.iter().map(|row| self.judge(row))
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The exceptions of a learner's course.
    #[must_use]
    pub fn exceptions(&self, pair: Pair) -> &[ExceptionRow] {
        self.exceptions.get(&pair).map_or(&[], Vec::as_slice)
    }

    fn facts(&self, row: &ObligationRow) -> Facts {
        self.as_of
            .past
            .then(|| self.periods.get(&row.learner_id))
            .flatten()
            .and_then(|periods| {
                periods
                    .iter()
                    .find(|period| period.ended_at > self.as_of.at.0)
            })
            .map_or_else(|| row.facts(), PeriodRow::facts)
    }

    fn judge<'a>(&'a self, row: &'a ObligationRow) -> Judged<'a> {
        let completions = self
            .completions
            .get(&(row.learner_id, row.course_id))
            .map_or(&[][..], Vec::as_slice);
        self.judge_with(row, completions, self.as_of.at)
    }

    /// The same obligation judged by other completions at another instant: what a completion meant when it came.
    pub fn judge_with<'a>(
        &'a self,
        row: &'a ObligationRow,
        completions: &[Instant],
        at: Instant,
    ) -> Judged<'a> {
        let versions = self
            .versions
            .get(&row.assignment_id)
            .map_or(&[][..], Vec::as_slice);
        self.judge_by(
            row,
            options_in_force(versions, Instant(row.recorded_at), at),
            completions,
            at,
        )
    }

    /// The same obligation under other options: what an edit would mean.
    pub fn judge_under<'a>(&'a self, row: &'a ObligationRow, options: Options) -> Judged<'a> {
        let completions = self
            .completions
            .get(&(row.learner_id, row.course_id))
            .map_or(&[][..], Vec::as_slice);
        self.judge_by(row, options, completions, self.as_of.at)
    }

    fn judge_by<'a>(
        &'a self,
        row: &'a ObligationRow,
        options: Options,
        completions: &[Instant],
        at: Instant,
    ) -> Judged<'a> {
        let (mut extensions, mut waivers) = (Vec::new(), Vec::new());
        for exception in self.exceptions((row.learner_id, row.course_id)) {
            if exception
                .reason_id
                .is_some_and(|reason| reason != row.reason_id)
            {
                continue;
            }
            let until: Option<NaiveDate> = exception
                .until
                .as_deref()
                .and_then(|until| until.parse().ok());
            match (exception.kind.as_str(), until) {
                ("extension", Some(due)) => extensions.push(Extension {
                    granted_at: Instant(exception.granted_at),
                    due,
                }),
                ("extension", None) => {}
                _ => waivers.push(Waiver { until }),
            }
        }
        let absences = self
            .periods
            .get(&row.learner_id)
            .map_or_else(Vec::new, |periods| {
                absences(periods, at, !row.facts().works())
            });
        let obligation = Obligation {
            options,
            required_since: Instant(row.required_since),
            due_floor: row
                .due_floor
                .as_deref()
                .and_then(|floor| floor.parse().ok()),
            completions,
            extensions: &extensions,
            waivers: &waivers,
            absences: &absences,
            started: row.is_open(at) && row.cycle_started_at.is_some_and(|started| started <= at.0),
        };
        Judged {
            row,
            options,
            facts: self.facts(row),
            judgment: obligation.judge(at, &self.policy),
        }
    }

    /// The completions of a learner's course, oldest first.
    #[must_use]
    pub fn completions(&self, pair: Pair) -> &[Instant] {
        self.completions.get(&pair).map_or(&[], Vec::as_slice)
    }

    /// The rows, unjudged.
    #[must_use]
    pub fn rows(&self) -> &[ObligationRow] {
        &self.rows
    }
}
