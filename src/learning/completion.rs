//! Completions: append-only facts; how long they are worth something (§2.8, §9.2-§9.4).
//!
//! Not here: which obligation a completion satisfies (`obligation`).

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use super::calendar::{add_months, local_date, start};
use super::error::LearningError;
use super::settings::RecertAnchor;
use crate::clock::Instant;

/// Where a completion comes from: `player`, `admin`, `import`, `xapi` or `connector:` and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionSource(String);

impl CompletionSource {
    /// Reads a source.
    pub fn parse(text: &str) -> Result<Self, LearningError> {
        let good = match text.strip_prefix("connector:") {
            Some(name) => {
                (1..=64).contains(&name.len())
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            }
            None => matches!(text, "player" | "admin" | "import" | "xapi"),
        };
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(LearningError::Invalid {
                field: "source",
                detail: "`source` is player, admin, import, xapi or connector:NAME".to_owned(),
            })
        }
    }

    /// The spelling, in the database and on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far a clock may be ahead of ours (§7.24).
const SKEW: i64 = 24 * 60 * 60 * 1000;

/// The instant a completion counts from: not before 1970, at most a day ahead, and never after `now` (§7.24).
pub fn completed_at(at: Instant, now: Instant) -> Result<Instant, LearningError> {
    if at.0 < 0 || at > now.plus_millis(SKEW) {
        return Err(LearningError::Invalid {
            field: "completed_at",
            detail: "`completed_at` lies between 1970 and now".to_owned(),
        });
    }
    Ok(at.min(now))
}

/// The instant of a completion of which only the day is known: its noon, which is the same day in most zones.
/// `None` for a day that has not begun here (§7.24).
#[must_use]
pub fn on_day(day: NaiveDate, zone: Tz, now: Instant) -> Option<Instant> {
    const HALF: i64 = 12 * 60 * 60 * 1000;
    (day <= local_date(now, zone)).then(|| start(day, zone).plus_millis(HALF).min(now))
}

/// A score of 0 to 100 in hundredths.
#[must_use]
pub fn hundredths(score: f64) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "0 to 10 000, checked beside it"
    )]
    (0.0..=100.0)
        .contains(&score)
        .then(|| (score * 100.0).round() as i64)
}

/// How long a certificate holds and when it can be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The completion that set it.
    pub completed_at: Instant,
    /// The last day it holds.
    pub valid_until: NaiveDate,
    /// The first day of the renewal window.
    pub renewable_from: NaiveDate,
}

impl Validity {
    fn new(completed_at: Instant, zone: Tz, valid_until: NaiveDate, window_days: u16) -> Self {
        let days = (valid_until - local_date(completed_at, zone)).num_days();
        // Half the period at most, else a period of a month would reopen on the day of completion (§2.1).
        let window = i64::from(window_days).min(days / 2).max(0);
        Self {
            completed_at,
            valid_until,
            renewable_from: valid_until
                .checked_sub_days(Days::new(window.unsigned_abs()))
                .unwrap_or(valid_until),
        }
    }
}

/// What several completions, oldest first, are worth with recertification every `months`: the latest `valid_until`.
///
/// An early voluntary retake can extend, never shorten. By the anchor `previous_expiry` each completion may begin a
/// series; one inside the renewal window adds a period to the series' first date, one after the expiry ends the series.
/// The best series counts, so that one more completion never takes anything away (I-10).
#[must_use]
pub fn validity(
    completions: &[Instant],
    months: u32,
    anchor: RecertAnchor,
    window_days: u16,
    zone: Tz,
) -> Option<Validity> {
    let single = |at: Instant| {
        Validity::new(
            at,
            zone,
            add_months(local_date(at, zone), months),
            window_days,
        )
    };
    let last = single(*completions.last()?);
    if anchor == RecertAnchor::Completion {
        return Some(last);
    }
    let series = (0..completions.len()).filter_map(|first| {
        let mut rest = completions.iter().skip(first).copied();
        let begin = rest.next()?;
        let (mut held, mut periods) = (single(begin), 1);
        for at in rest {
            let day = local_date(at, zone);
            if day > held.valid_until {
                break;
            }
            if day >= held.renewable_from {
                periods += 1;
                let until = add_months(local_date(begin, zone), months.saturating_mul(periods));
                held = Validity::new(at, zone, until, window_days);
            }
        }
        Some(held)
    });
    series.max_by_key(|held| (held.valid_until, held.completed_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap_or(Instant(0))
    }

    #[test]
    fn example_h_a_month_from_the_31st() {
        let zone = Tz::Europe__Berlin;
        let first = [at("2026-01-31T10:00:00Z")];
        let held = validity(&first, 1, RecertAnchor::Completion, 30, zone).map(|held| {
            (
                held.valid_until.to_string(),
                held.renewable_from.to_string(),
            )
        });
        assert_eq!(
            held,
            Some(("2026-02-28".to_owned(), "2026-02-14".to_owned()))
        );
        let both = [first[0], at("2026-02-28T10:00:00Z")];
        for (anchor, expected) in [
            (RecertAnchor::Completion, "2026-03-28"),
            (RecertAnchor::PreviousExpiry, "2026-03-31"),
        ] {
            let held = validity(&both, 1, anchor, 30, zone);
            assert_eq!(
                held.map(|held| held.valid_until.to_string()).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn a_renewal_that_comes_late_begins_a_new_series() {
        // §9.4
        let both = [at("2025-01-10T10:00:00Z"), at("2026-02-01T10:00:00Z")];
        let held = validity(&both, 12, RecertAnchor::PreviousExpiry, 30, Tz::UTC);
        assert_eq!(
            held.map(|held| held.valid_until.to_string()).as_deref(),
            Some("2027-02-01")
        );
    }

    #[test]
    fn sources_are_a_closed_list_and_connectors_have_names() {
        for (text, good) in [
            ("player", true),
            ("connector:moodle-1", true),
            ("connector:", false),
            ("connector:a b", false),
            ("SCORM", false),
            ("", false),
        ] {
            assert_eq!(CompletionSource::parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn the_future_is_refused_but_for_a_clock_that_runs_ahead() {
        // §7.24
        let now = at("2026-03-01T12:00:00Z");
        assert!(completed_at(at("1969-12-31T23:59:59Z"), now).is_err());
        assert!(completed_at(at("2026-03-02T12:00:01Z"), now).is_err());
        assert_eq!(completed_at(at("2026-03-02T11:00:00Z"), now), Ok(now));
        assert_eq!(
            completed_at(at("2020-01-01T00:00:00Z"), now),
            Ok(at("2020-01-01T00:00:00Z"))
        );
    }

    #[test]
    fn a_day_is_its_noon_and_today_is_now_at_the_latest() {
        let zone = Tz::Europe__Berlin;
        let now = at("2026-03-01T09:00:00Z");
        let day = |text: &str| on_day(text.parse().unwrap_or_default(), zone, now);
        assert_eq!(day("2026-02-20"), Some(at("2026-02-20T11:00:00Z")));
        assert_eq!(day("2026-03-01"), Some(now));
        assert_eq!(day("2026-03-02"), None);
    }

    #[test]
    fn scores_are_hundredths_of_0_to_100() {
        assert_eq!(hundredths(87.505), Some(8751));
        assert_eq!(hundredths(0.0), Some(0));
        for wrong in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert_eq!(hundredths(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn one_more_completion_never_shortens(
            days in prop::collection::btree_set(0_i64..1500, 1..8), more in 0_i64..1500, months in 1_u32..25, previous in any::<bool>(), window in 0_u16..60,
        ) {
            // I-10
            let anchor = if previous { RecertAnchor::PreviousExpiry } else { RecertAnchor::Completion };
            let instant = |day: &i64| Instant(1_600_000_000_000 + day * 86_400_000);
            let before: Vec<Instant> = days.iter().map(instant).collect();
            let mut after = days.clone();
            after.insert(more);
            let after: Vec<Instant> = after.iter().map(instant).collect();
            let until = |list: &[Instant]| validity(list, months, anchor, window, Tz::Europe__Berlin).map(|held| held.valid_until);
            prop_assert!(until(&after) >= until(&before));
        }
    }
}
