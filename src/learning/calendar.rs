//! Calendar dates in a tenant's zone (§9.1): a due date is fine all that day, wherever the day begins and ends.
//!
//! Not here: the clock; every function is told the instant.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::clock::Instant;

/// The calendar date of an instant.
#[must_use]
pub fn local_date(at: Instant, zone: Tz) -> NaiveDate {
    at.utc().with_timezone(&zone).date_naive()
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
