//! Time: instants in whole milliseconds UTC, and the clock they come from.
//!
//! The only caller of the system clock. Everything else receives `now` as a parameter (rule 9.5).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike as _, SecondsFormat, TimeZone, Timelike as _, Utc};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(pub i64);

impl Instant {
    /// Reads RFC 3339 or xsd:dateTime text; without a zone it is UTC. `None` when the text is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() < 19 || text.as_bytes().get(10) != Some(&b'T') {
            return None;
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self(at.timestamp_millis()));
        }
        let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(Self(naive.and_utc().timestamp_millis()))
    }

    /// The same instant for chrono's calendar arithmetic.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0)
            .single()
            .unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// This instant plus a number of milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// `2026-03-01T12:00:00.000Z`: RFC 3339, UTC, milliseconds.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = self.utc();
        // every answer shows instants, and chrono's own way takes ten times as long; it is left the other millennia
        let Ok(year @ 0..=9999) = u32::try_from(utc.year()) else {
            return f.write_str(&utc.to_rfc3339_opts(SecondsFormat::Millis, true));
        };
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |last: usize, digits: usize, mut number: u32| {
            for place in text.iter_mut().take(last + 1).rev().take(digits) {
                *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        };
        put(3, 4, year);
        put(6, 2, utc.month());
        put(9, 2, utc.day());
        put(12, 2, utc.hour());
        put(15, 2, utc.minute());
        put(18, 2, utc.second());
        put(22, 3, utc.timestamp_subsec_millis());
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an instant"))
    }
}

/// Where `now` comes from: the system, or a value a test moves by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn frozen(at: Instant) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.0))))
    }

    /// Moves a frozen clock; does nothing to the system's.
    pub fn advance_millis(&self, millis: i64) {
        if let Some(at) = &self.0 {
            at.fetch_add(millis, Ordering::SeqCst);
        }
    }

    /// The present instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system for the time"
    )]
    pub fn now(&self) -> Instant {
        self.0.as_ref().map_or_else(
            || Instant(Utc::now().timestamp_millis()),
            |at| Instant(at.load(Ordering::SeqCst)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_chrono_writes_it() {
        let days = (-800_000..3_000_000).step_by(997);
        for (number, day) in days.enumerate() {
            let within = i64::try_from(number).unwrap_or(0) * 7_654_321 % 86_400_000;
            let at = Instant(day * 86_400_000 + within);
            let expected = at.utc().to_rfc3339_opts(SecondsFormat::Millis, true);
            assert_eq!(at.to_string(), expected);
        }
    }
}
