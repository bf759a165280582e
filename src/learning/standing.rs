//! What an enrollment looks like to its learner: all live obligations of one course merged (§3.3, §7.1).

use chrono::NaiveDate;

use super::obligation::{Judgment, Status};

/// The newest cycle of an enrollment, as far as its status goes when nothing obliges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cycle {
    pub started: bool,
    pub completed: bool,
}

/// The merged view of one enrollment. Positions are of the obligations it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: Status,
    pub in_grace: bool,
    pub mandatory: bool,
    /// The earliest due date.
    pub due: Option<NaiveDate>,
    /// Which obligation set `due`.
    pub due_set_by: Option<usize>,
    /// The earliest end of a certificate.
    pub valid_until: Option<NaiveDate>,
    /// Which obligation set `valid_until`.
    pub valid_set_by: Option<usize>,
    /// Which obligation set the status; `None` when none obliges.
    pub status_set_by: Option<usize>,
}

/// Merges live obligations, each with whether it is mandatory: mandatory if any is, the earliest dates, and the worst
/// status of the mandatory ones, of the optional ones only if none is mandatory.
#[must_use]
pub fn merge(obligations: &[(bool, Judgment)], cycle: Cycle, withdrawn: bool) -> Standing {
    let mandatory = obligations.iter().any(|(mandatory, _)| *mandatory);
    let earliest = |date: &dyn Fn(&Judgment) -> Option<NaiveDate>| {
        obligations
            .iter()
            .enumerate()
            .filter_map(|(n, (_, judgment))| Some((date(judgment)?, n)))
            .min()
    };
    let due = earliest(&|judgment| judgment.due);
    let valid = earliest(&|judgment| judgment.valid_until);
    let worst = obligations
        .iter()
        .enumerate()
        .filter(|(_, (binding, _))| *binding == mandatory)
        .min_by_key(|(n, (_, judgment))| (judgment.status, *n));
    let alone = if cycle.completed {
        Status::Compliant
    } else if cycle.started {
        Status::InProgress
    } else {
        Status::NotStarted
    };
    let status = if withdrawn {
        Status::Withdrawn
    } else {
        worst.map_or(alone, |(_, (_, judgment))| judgment.status)
    };
    Standing {
        status,
        in_grace: worst.is_some_and(|(_, (_, judgment))| judgment.in_grace),
        mandatory,
        due: due.map(|(date, _)| date),
        due_set_by: due.map(|(_, n)| n),
        valid_until: valid.map(|(date, _)| date),
        valid_set_by: valid.map(|(_, n)| n),
        status_set_by: worst.map(|(n, _)| n),
    }
}
