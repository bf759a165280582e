//! The status of one obligation: the only status function there is (§3.1), and its due date (§3.2).
//!
//! A pure function of facts and clock, so nothing goes stale and it never matters whether a job ran (I-9). Not here:
//! what several obligations come to (`standing`) and how many there are (`figures`).

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::assignment::{Due, Options};
use super::calendar::{add_days, end, local_date, start};
use super::completion::{Validity, validity};
use super::settings::{RecertAnchor, Settings};
use crate::clock::Instant;

super::spelled! {
    /// How an obligation or an enrollment stands, worst first.
    Status {
        Expired = "expired",
        Overdue = "overdue",
        InProgress = "in_progress",
        NotStarted = "not_started",
        Expiring = "expiring",
        Compliant = "compliant",
        Waived = "waived",
        /// Un-enrolled by a person; of enrollments only.
        Withdrawn = "withdrawn",
    }
}

impl Status {
    /// Whether the obligation is met at present.
    #[must_use]
    pub const fn is_met(self) -> bool {
        matches!(self, Self::Compliant | Self::Expiring)
    }
}

/// The tenant's rules that dates and statuses follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub zone: Tz,
    pub renewal_window_days: u16,
    pub recert_anchor: RecertAnchor,
    pub late_joiner_grace_days: u16,
    pub return_grace_days: u16,
    pub honor_prior_completion: bool,
}

impl Policy {
    /// The rules of a tenant with these settings.
    #[must_use]
    pub const fn new(settings: &Settings, zone: Tz) -> Self {
        Self {
            zone,
            renewal_window_days: settings.renewal_window_days,
            recert_anchor: settings.recert_anchor,
            late_joiner_grace_days: settings.late_joiner_grace_days,
            return_grace_days: settings.return_grace_days,
            honor_prior_completion: settings.honor_prior_completion,
        }
    }
}

/// More time, granted by a person or by the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    pub granted_at: Instant,
    pub due: NaiveDate,
}

/// Not required, until a day or for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiver {
    pub until: Option<NaiveDate>,
}

/// A time somebody was away: deactivated, then back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    pub left_at: Instant,
    pub back_at: Instant,
}

/// Everything the status of one obligation depends on, but for the clock.
#[derive(Clone, Copy, Debug)]
pub struct Obligation<'a> {
    /// In force at the instant in question.
    pub options: Options,
    pub required_since: Instant,
    /// No due date before this day: the obligation began when a plan came back (§7.15).
    pub due_floor: Option<NaiveDate>,
    /// Not voided, oldest first.
    pub completions: &'a [Instant],
    /// In force, oldest first.
    pub extensions: &'a [Extension],
    /// In force.
    pub waivers: &'a [Waiver],
    /// Ended ones, oldest first.
    pub absences: &'a [Absence],
    /// The open cycle has begun.
    pub started: bool,
}

/// Why a date is not the one the terms alone would give (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// `plan_upgrade`, `late_joiner_grace`, `return_grace` or `extension`.
    pub kind: &'static str,
    pub from: Option<NaiveDate>,
    pub to: NaiveDate,
}

/// How one obligation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgment {
    pub status: Status,
    /// The certificate has lapsed, extra time was granted.
    pub in_grace: bool,
    /// The day by which something is to be done; `None` when nothing is.
    pub due: Option<NaiveDate>,
    /// The completion that counts.
    pub completed_at: Option<Instant>,
    /// The last day the certificate holds, of obligations with recertification.
    pub valid_until: Option<NaiveDate>,
    /// The first day of the renewal window.
    pub renewable_from: Option<NaiveDate>,
    /// What moved `due`, in the order of §3.2.
    pub adjustments: Vec<Adjustment>,
}

impl Judgment {
    fn of(status: Status) -> Self {
        Self {
            status,
            in_grace: false,
            due: None,
            completed_at: None,
            valid_until: None,
            renewable_from: None,
            adjustments: Vec::new(),
        }
    }

    /// The status when extra time does not count: `strict=true` of any report.
    #[must_use]
    pub const fn strict(&self) -> Status {
        if self.in_grace {
            Status::Expired
        } else {
            self.status
        }
    }

    /// Whether the certificate holds, or was never to lapse.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.status.is_met() && !self.in_grace
    }
}

/// Moves a date and remembers why.
fn adjust(
    date: &mut Option<NaiveDate>,
    to: NaiveDate,
    kind: &'static str,
    log: &mut Vec<Adjustment>,
) {
    if *date != Some(to) {
        log.push(Adjustment {
            kind,
            from: *date,
            to,
        });
        *date = Some(to);
    }
}

impl Obligation<'_> {
    /// The completions that count for this obligation.
    fn counting(&self, policy: &Policy) -> &[Instant] {
        if policy.honor_prior_completion {
            return self.completions;
        }
        let first = self
            .completions
            .partition_point(|at| *at < self.required_since);
        self.completions.get(first..).unwrap_or_default()
    }

    /// Steps 2 and 3 of the adjustments: time after an absence, then an extension.
    fn adjusted(
        &self,
        mut date: Option<NaiveDate>,
        renewed: Option<Instant>,
        policy: &Policy,
        log: &mut Vec<Adjustment>,
    ) -> Option<NaiveDate> {
        let zone = policy.zone;
        for absence in self.absences {
            let back = add_days(local_date(absence.back_at, zone), policy.return_grace_days);
            // Somebody already late before leaving gains nothing.
            if let Some(day) = date
                && day >= local_date(absence.left_at, zone)
                && day < back
            {
                adjust(&mut date, back, "return_grace", log);
            }
        }
        if let Some(extension) = self.extensions.last() {
            match renewed {
                // An extension of the time before a completion says nothing about the renewal after it.
                Some(completed_at) => {
                    if extension.granted_at >= completed_at
                        && date.is_some_and(|day| day < extension.due)
                    {
                        adjust(&mut date, extension.due, "extension", log);
                    }
                }
                None => {
                    let begins = local_date(self.required_since, zone);
                    if extension.granted_at >= self.required_since || extension.due >= begins {
                        adjust(&mut date, extension.due, "extension", log);
                    }
                }
            }
        }
        date
    }

    /// The due date before any completion counts.
    fn first_due(
        &self,
        lapsed: bool,
        policy: &Policy,
        log: &mut Vec<Adjustment>,
    ) -> Option<NaiveDate> {
        let begins = local_date(self.required_since, policy.zone);
        let mut due = match self.options.due {
            Due::Date(date) => Some(date),
            Due::Relative(days) => Some(add_days(begins, days)),
            Due::None => None,
        };
        if let Some(date) = due {
            if let Some(floor) = self.due_floor
                && date < floor
            {
                adjust(&mut due, floor, "plan_upgrade", log);
            }
            let floor = add_days(begins, policy.late_joiner_grace_days);
            if policy.late_joiner_grace_days > 0 && date < floor && due < Some(floor) {
                adjust(&mut due, floor, "late_joiner_grace", log);
            }
        } else if lapsed {
            due = Some(add_days(begins, policy.renewal_window_days));
        }
        self.adjusted(due, None, policy, log)
    }

    fn validity(&self, policy: &Policy) -> Option<Validity> {
        let months = u32::try_from(self.options.recert_months()?).ok()?;
        validity(
            self.counting(policy),
            months,
            policy.recert_anchor,
            policy.renewal_window_days,
            policy.zone,
        )
    }

    /// How the obligation stands at an instant (§3.1).
    #[must_use]
    pub fn judge(&self, now: Instant, policy: &Policy) -> Judgment {
        let zone = policy.zone;
        let waived = |waiver: &Waiver| waiver.until.is_none_or(|until| now < end(until, zone));
        if self.waivers.iter().any(waived) {
            return Judgment::of(Status::Waived);
        }
        let last = self.counting(policy).last().copied();
        if last.is_some() && self.options.recert_months().is_none() {
            return Judgment {
                completed_at: last,
                ..Judgment::of(Status::Compliant)
            };
        }
        let mut log = Vec::new();
        if let Some(held) = self.validity(policy)
            && end(held.valid_until, zone) > self.required_since
        {
            let renew_by = self
                .adjusted(
                    Some(held.valid_until),
                    Some(held.completed_at),
                    policy,
                    &mut log,
                )
                .unwrap_or(held.valid_until);
            let status = if now >= end(renew_by, zone) {
                Status::Expired
            } else if now >= start(held.renewable_from, zone) {
                Status::Expiring
            } else {
                Status::Compliant
            };
            return Judgment {
                status,
                in_grace: status != Status::Expired && now >= end(held.valid_until, zone),
                due: Some(renew_by),
                completed_at: Some(held.completed_at),
                valid_until: Some(held.valid_until),
                renewable_from: Some(held.renewable_from),
                adjustments: log,
            };
        }
        let due = self.first_due(last.is_some(), policy, &mut log);
        let status = if due.is_some_and(|due| now >= end(due, zone)) {
            Status::Overdue
        } else if self.started {
            Status::InProgress
        } else {
            Status::NotStarted
        };
        Judgment {
            due,
            adjustments: log,
            ..Judgment::of(status)
        }
    }

    /// The instant from which a renewal cycle may open (4.12).
    #[must_use]
    pub fn renewal_opens(&self, policy: &Policy) -> Option<Instant> {
        self.validity(policy)
            .map(|held| start(held.renewable_from, policy.zone))
    }
}

#[cfg(test)]
#[path = "obligation_tests.rs"]
mod tests;
