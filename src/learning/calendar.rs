//! Calendar dates in a tenant's zone (§9.1): a due date is fine all that day, wherever the day begins and ends.
//!
//! Not here: the clock; every function is told the instant.

use chrono::{DateTime, Days, LocalResult, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::clock::Instant;

/// The calendar date of an instant.
#[must_use]
pub fn local_date(at: Instant, zone: Tz) -> NaiveDate {
    at.utc().with_timezone(&zone).date_naive()
}

/// The beginning of a day: its first instant.
#[must_use]
pub fn start(date: NaiveDate, zone: Tz) -> Instant {
    date.checked_sub_days(Days::new(1))
        .map_or(Instant(i64::MIN), |before| end(before, zone))
}

/// A date so many days on; the last there is when there is none.
#[must_use]
pub fn add_days(date: NaiveDate, days: u16) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days)))
        .unwrap_or(NaiveDate::MAX)
}

/// The same day of the month `months` on, clamped to that month's last day (§9.2). Callers count from the original
/// anchor, never from a date that was clamped.
#[must_use]
pub fn add_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_add_months(Months::new(months))
        .unwrap_or(NaiveDate::MAX)
}

/// The end of a day: the first instant that is no longer that day. Comparisons are half-open: `now >= end(due)` is late.
#[must_use]
pub fn end(date: NaiveDate, zone: Tz) -> Instant {
    let next = date
        .checked_add_days(Days::new(1))
        .unwrap_or(NaiveDate::MAX)
        .and_time(NaiveTime::MIN);
    // Where clocks jump over midnight the day begins later, a quarter of an hour at a time at the finest.
    let begins = (0..=96).find_map(|quarters| {
        match zone.from_local_datetime(&(next + TimeDelta::minutes(15 * quarters))) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at),
            LocalResult::None => None,
        }
    });
    Instant(begins.as_ref().map_or(i64::MAX, DateTime::timestamp_millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_when_the_next_begins_in_the_tenants_zone() {
        for (date, zone, late_from) in [
            ("2026-03-29", "Europe/Berlin", "2026-03-29T22:00:00Z"),
            ("2026-10-25", "Europe/Berlin", "2026-10-25T23:00:00Z"),
            ("2026-03-08", "America/New_York", "2026-03-09T04:00:00Z"),
            ("2026-11-01", "America/New_York", "2026-11-02T05:00:00Z"),
            ("2026-04-23", "Africa/Cairo", "2026-04-23T22:00:00Z"),
            ("2026-06-30", "Asia/Kolkata", "2026-06-30T18:30:00Z"),
            ("2026-06-30", "Pacific/Kiritimati", "2026-06-30T10:00:00Z"),
        ] {
            let date: NaiveDate = date.parse().unwrap_or_default();
            let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
            assert_eq!(
                Some(end(date, zone)),
                Instant::parse(late_from),
                "{date} {zone}"
            );
        }
    }

    #[test]
    fn months_are_added_by_the_calendar_and_clamped() {
        for (from, months, expected) in [
            ("2025-01-31", 1, "2025-02-28"),
            ("2024-01-31", 1, "2024-02-29"),
            ("2024-02-29", 12, "2025-02-28"),
            ("2024-02-29", 48, "2028-02-29"),
            ("2096-02-29", 48, "2100-02-28"),
            ("2025-08-31", 6, "2026-02-28"),
            ("2025-11-30", 3, "2026-02-28"),
            ("2025-10-31", 1, "2025-11-30"),
            ("2025-05-31", 18, "2026-11-30"),
            ("2025-02-28", 1, "2025-03-28"),
        ] {
            let from: NaiveDate = from.parse().unwrap_or_default();
            assert_eq!(add_months(from, months).to_string(), expected, "{from}");
        }
    }

    #[test]
    fn a_month_after_a_completion_depends_on_the_zone() {
        // §9.3
        let at = Instant::parse("2026-02-01T04:30:00Z").unwrap_or(Instant(0));
        let lapses = |zone| add_months(local_date(at, zone), 1).to_string();
        assert_eq!(lapses(Tz::America__New_York), "2026-02-28");
        assert_eq!(lapses(Tz::UTC), "2026-03-01");
    }

    #[test]
    fn a_day_begins_where_the_one_before_ends() {
        let day: NaiveDate = "2026-04-24".parse().unwrap_or_default();
        assert_eq!(
            Some(start(day, Tz::Africa__Cairo)),
            Instant::parse("2026-04-23T22:00:00Z")
        );
        assert_eq!(add_days(day, 7).to_string(), "2026-05-01");
    }

    #[test]
    fn the_local_date_is_the_tenants() {
        let at = Instant::parse("2026-02-01T04:30:00Z").unwrap_or(Instant(0));
        let zone = |name: &str| name.parse::<Tz>().unwrap_or(Tz::UTC);
        assert_eq!(
            local_date(at, zone("America/New_York")).to_string(),
            "2026-01-31"
        );
        assert_eq!(local_date(at, Tz::UTC).to_string(), "2026-02-01");
    }
}
