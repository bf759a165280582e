//! The assignment of a course to a group: mandatory, due, recertification (S-09, §2.6).
//!
//! Not here: the due date of one learner's obligation, which is computed from this and `required_since`.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::error::LearningError;

/// When the course is to be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Due {
    /// No due date.
    #[default]
    None,
    /// A calendar date in the tenant's zone, inclusive.
    Date(NaiveDate),
    /// Days after the obligation starts.
    Relative(u16),
}

/// The longest relative due date: ten years.
const MAX_DAYS: i64 = 3650;

impl Due {
    /// Reads the wire form: `null`, `{"kind":"date","date":"2026-03-31"}` or `{"kind":"relative","days":30}`.
    pub fn from_json(value: &Value) -> Result<Self, LearningError> {
        let invalid = || {
            LearningError::Invalid {
            field: "due",
            detail: r#"`due` is null, {"kind":"date","date":"YYYY-MM-DD"} or {"kind":"relative","days":0-3650}"#.to_owned(),
        }
        };
        if value.is_null() {
            return Ok(Self::None);
        }
        match value.get("kind").and_then(Value::as_str) {
            Some("date") => value
                .get("date")
                .and_then(Value::as_str)
                .and_then(parse_date)
                .map(Self::Date)
                .ok_or_else(invalid),
            Some("relative") => value
                .get("days")
                .and_then(Value::as_i64)
                .filter(|days| (0..=MAX_DAYS).contains(days))
                .and_then(|days| u16::try_from(days).ok())
                .map(Self::Relative)
                .ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }

    /// The wire form.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Date(date) => json!({"kind": "date", "date": date.to_string()}),
            Self::Relative(days) => json!({"kind": "relative", "days": days}),
        }
    }

    /// The two columns it is stored in; at most one is set.
    #[must_use]
    pub fn columns(self) -> (Option<String>, Option<i64>) {
        match self {
            Self::None => (None, None),
            Self::Date(date) => (Some(date.to_string()), None),
            Self::Relative(days) => (None, Some(i64::from(days))),
        }
    }

    /// Reads the two columns back.
    #[must_use]
    pub fn from_columns(date: Option<&str>, days: Option<i64>) -> Self {
        match (
            date.and_then(parse_date),
            days.and_then(|days| u16::try_from(days).ok()),
        ) {
            (Some(date), _) => Self::Date(date),
            (None, Some(days)) => Self::Relative(days),
            (None, None) => Self::None,
        }
    }

    /// Whether a fixed date lies before `today` (warning `due_date_in_past`, §7.8).
    #[must_use]
    pub fn is_past(self, today: NaiveDate) -> bool {
        matches!(self, Self::Date(date) if date < today)
    }
}

/// `YYYY-MM-DD` and nothing else.
fn parse_date(text: &str) -> Option<NaiveDate> {
    (text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// The compliance options of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    pub mandatory: bool,
    pub due: Due,
    /// Complete again every so many months, 1-120.
    recert_months: Option<u8>,
}

impl Options {
    /// Checks and makes the options.
    pub fn new(
        mandatory: bool,
        due: Due,
        recert_months: Option<i64>,
    ) -> Result<Self, LearningError> {
        let recert_months = match recert_months {
            None => None,
            Some(months @ 1..=120) => u8::try_from(months).ok(),
            Some(months) => return Err(LearningError::RecertMonthsOutOfRange { months }),
        };
        Ok(Self {
            mandatory,
            due,
            recert_months,
        })
    }

    /// Options from their columns, which hold what [`Options::new`] has checked; other months count as none.
    #[must_use]
    pub fn stored(mandatory: bool, due: Due, recert_months: Option<i64>) -> Self {
        Self {
            mandatory,
            due,
            recert_months: recert_months.and_then(|months| u8::try_from(months).ok()),
        }
    }

    /// Months between recertifications.
    #[must_use]
    pub fn recert_months(self) -> Option<i64> {
        self.recert_months.map(i64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_survives_the_wire_and_the_columns() -> Result<(), LearningError> {
        for text in [
            "null",
            r#"{"kind":"date","date":"2026-03-31"}"#,
            r#"{"kind":"relative","days":30}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            let due = Due::from_json(&value)?;
            assert_eq!(due.to_json(), value);
            let (date, days) = due.columns();
            assert_eq!(Due::from_columns(date.as_deref(), days), due);
        }
        Ok(())
    }

    #[test]
    fn malformed_dues_are_refused() {
        for value in [
            json!("2026-03-31"),
            json!({}),
            json!({"kind": "date", "date": "2026-02-30"}),
            json!({"kind": "date", "date": "2026-3-31"}),
            json!({"kind": "relative", "days": -1}),
            json!({"kind": "relative", "days": 3651}),
            json!({"kind": "weekly"}),
        ] {
            assert!(Due::from_json(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn recertification_is_between_one_and_120_months() {
        for (months, good) in [
            (0, false),
            (1, true),
            (120, true),
            (121, false),
            (-1, false),
        ] {
            assert_eq!(
                Options::new(true, Due::None, Some(months)).is_ok(),
                good,
                "{months}"
            );
        }
    }

    #[test]
    fn today_is_not_past() {
        let day = |text| parse_date(text).unwrap_or_default();
        assert!(!Due::Date(day("2026-03-31")).is_past(day("2026-03-31")));
        assert!(Due::Date(day("2026-03-30")).is_past(day("2026-03-31")));
        assert!(!Due::Relative(1).is_past(day("2026-03-31")));
    }
}
