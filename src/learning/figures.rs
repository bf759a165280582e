//! Compliance and progress as numbers (§3.3). Counted, added, divided; never averaged twice.

use std::ops::AddAssign;

use super::obligation::{Judgment, Status};

/// How many obligations stand how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    pub expired: i64,
    pub overdue: i64,
    pub in_progress: i64,
    pub not_started: i64,
    pub expiring: i64,
    pub compliant: i64,
    pub waived: i64,
    /// Of the expiring ones, those whose certificate has lapsed.
    pub in_grace: i64,
}

impl Tally {
    /// Counts one obligation; `strict` counts extra time as expired.
    pub fn add(&mut self, judgment: &Judgment, strict: bool) {
        let status = if strict {
            judgment.strict()
        } else {
            judgment.status
        };
        match status {
            Status::Expired => self.expired += 1,
            Status::Overdue => self.overdue += 1,
            Status::InProgress => self.in_progress += 1,
            Status::NotStarted => self.not_started += 1,
            Status::Expiring => self.expiring += 1,
            Status::Compliant => self.compliant += 1,
            Status::Waived => self.waived += 1,
            // Of enrollments only; an obligation ends when its enrollment is withdrawn.
            Status::Withdrawn => {}
        }
        self.in_grace += i64::from(judgment.in_grace && !strict);
    }

    /// How many stand so.
    #[must_use]
    pub const fn of(&self, status: Status) -> i64 {
        match status {
            Status::Expired => self.expired,
            Status::Overdue => self.overdue,
            Status::InProgress => self.in_progress,
            Status::NotStarted => self.not_started,
            Status::Expiring => self.expiring,
            Status::Compliant => self.compliant,
            Status::Waived => self.waived,
            Status::Withdrawn => 0,
        }
    }

    /// Every obligation, waived ones included (I-15).
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.obligations() + self.waived
    }

    /// The denominator of compliance.
    #[must_use]
    pub const fn obligations(&self) -> i64 {
        self.expired
            + self.overdue
            + self.in_progress
            + self.not_started
            + self.expiring
            + self.compliant
    }

    /// The share that is met.
    #[must_use]
    pub const fn compliance(&self) -> Ratio {
        Ratio {
            part: self.compliant + self.expiring,
            whole: self.obligations(),
        }
    }

    /// The share that is met or still in time.
    #[must_use]
    pub const fn on_track(&self) -> Ratio {
        Ratio {
            part: self.compliant + self.expiring + self.not_started + self.in_progress,
            whole: self.obligations(),
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.expired += other.expired;
        self.overdue += other.overdue;
        self.in_progress += other.in_progress;
        self.not_started += other.not_started;
        self.expiring += other.expiring;
        self.compliant += other.compliant;
        self.waived += other.waived;
        self.in_grace += other.in_grace;
    }
}

/// A share. Nothing of nothing is no number, neither 0 % nor 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ratio {
    pub part: i64,
    pub whole: i64,
}

impl Ratio {
    /// In thousandths, rounded half up; all and nothing only when it is all or nothing.
    #[must_use]
    pub fn permille(self) -> Option<i64> {
        if self.whole <= 0 {
            return None;
        }
        let rounded = (self.part * 2000 + self.whole) / (self.whole * 2);
        Some(if self.part <= 0 {
            0
        } else if self.part >= self.whole {
            1000
        } else {
            rounded.clamp(1, 999)
        })
    }

    /// As a fraction of three decimals: `0.867`.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        self.permille()
            .and_then(|permille| i32::try_from(permille).ok())
            .map(|permille| f64::from(permille) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_is_not_all_and_hardly_any_is_not_none() {
        for (part, whole, expected) in [
            (0, 0, None),
            (0, 7, Some(0)),
            (7, 7, Some(1000)),
            (9996, 10_000, Some(999)),
            (1, 100_000, Some(1)),
            (85, 98, Some(867)),
            (1, 3, Some(333)),
            (2, 3, Some(667)),
            (1, 16, Some(63)),
        ] {
            assert_eq!(Ratio { part, whole }.permille(), expected, "{part}/{whole}");
        }
    }
}
