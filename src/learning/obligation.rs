//! What an enrollment looks like to its learner: the strictest of all live obligations (§3.3, §7.1).
//!
//! A pure function of facts and clock, so nothing goes stale (I-9). Completions with a validity are not kept yet; a
//! completed cycle therefore counts as done until a new one opens.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use super::assignment::Due;
use super::calendar::{end, local_date};
use crate::clock::Instant;

super::spelled! {
    /// The status of an enrollment, worst first.
    Status {
        Overdue = "overdue",
        InProgress = "in_progress",
        NotStarted = "not_started",
        Compliant = "compliant",
        /// Un-enrolled by a person.
        Withdrawn = "withdrawn",
    }
}

/// One live obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obligation {
    pub mandatory: bool,
    pub due: Due,
    pub required_since: Instant,
}

impl Obligation {
    /// The calendar date it is due on.
    #[must_use]
    pub fn due_date(&self, zone: Tz) -> Option<NaiveDate> {
        match self.due {
            Due::None => None,
            Due::Date(date) => Some(date),
            Due::Relative(days) => {
                local_date(self.required_since, zone).checked_add_days(Days::new(u64::from(days)))
            }
        }
    }
}

/// The newest cycle of an enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cycle {
    pub started: bool,
    pub completed: bool,
}

/// The merged view of one enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerView {
    pub status: Status,
    pub mandatory: bool,
    pub due: Option<NaiveDate>,
    /// Which of the obligations, by position, set `due`.
    pub due_set_by: Option<usize>,
}

/// Merges live obligations: mandatory if any is, the earliest due date, the status by mandatory ones if there are any.
#[must_use]
pub fn learner_view(
    obligations: &[Obligation],
    cycle: Cycle,
    withdrawn: bool,
    now: Instant,
    zone: Tz,
) -> LearnerView {
    let mandatory = obligations.iter().any(|one| one.mandatory);
    let dates = || {
        obligations
            .iter()
            .enumerate()
            .filter_map(|(n, one)| Some((one.due_date(zone)?, n, one.mandatory)))
    };
    let earliest = dates().min();
    let late = dates().any(|(date, _, binding)| (binding || !mandatory) && now >= end(date, zone));
    let status = if withdrawn {
        Status::Withdrawn
    } else if cycle.completed {
        Status::Compliant
    } else if late {
        Status::Overdue
    } else if cycle.started {
        Status::InProgress
    } else {
        Status::NotStarted
    };
    LearnerView {
        status,
        mandatory,
        due: earliest.map(|(date, ..)| date),
        due_set_by: earliest.map(|(_, n, _)| n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_with_one_course_as_in_example_a() {
        let at = |text| Instant::parse(text).unwrap_or(Instant(0));
        let sales = Obligation {
            mandatory: true,
            due: Due::Date("2026-03-31".parse().unwrap_or_default()),
            required_since: at("2026-03-01T09:00:00Z"),
        };
        let berlin = Obligation {
            mandatory: false,
            due: Due::Relative(10),
            required_since: at("2026-03-05T10:00:00Z"),
        };
        let zone = Tz::Europe__Berlin;
        let view = |now| learner_view(&[sales, berlin], Cycle::default(), false, at(now), zone);
        let before = view("2026-03-10T12:00:00Z");
        assert_eq!(
            (
                before.mandatory,
                before.due.map(|date| date.to_string()).as_deref(),
                before.due_set_by
            ),
            (true, Some("2026-03-15"), Some(1))
        );
        assert_eq!(view("2026-03-16T12:00:00Z").status, Status::NotStarted);
        assert_eq!(view("2026-03-31T22:00:00Z").status, Status::Overdue);
        let alone = learner_view(
            &[berlin],
            Cycle::default(),
            false,
            at("2026-03-16T12:00:00Z"),
            zone,
        );
        assert_eq!(alone.status, Status::Overdue);
    }

    #[test]
    fn an_enrollment_without_obligations_is_never_overdue() {
        let view = learner_view(
            &[],
            Cycle {
                started: true,
                completed: false,
            },
            false,
            Instant(i64::MAX / 2),
            Tz::UTC,
        );
        assert_eq!((view.status, view.due), (Status::InProgress, None));
        assert_eq!(
            learner_view(&[], Cycle::default(), true, Instant(0), Tz::UTC).status,
            Status::Withdrawn
        );
    }
}
