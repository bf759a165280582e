//! What stands in one cell: truth, dates, numbers. Never guessed: 03/04 is a date only to who said how dates are written.

use chrono::NaiveDate;

use crate::clock::Instant;

crate::learning::spelled! {
    /// How a file writes its dates.
    DateFormat {
        /// `2026-03-31`, the only one without a word from a person.
        Iso = "iso",
        /// `31.03.2026`
        DotsDayFirst = "dd.mm.yyyy",
        /// `31/03/2026`
        SlashesDayFirst = "dd/mm/yyyy",
        /// `03/31/2026`
        SlashesMonthFirst = "mm/dd/yyyy",
    }
}

impl DateFormat {
    /// Reads a date; ISO is always understood, because it cannot be mistaken.
    #[must_use]
    pub fn read(self, text: &str) -> Option<NaiveDate> {
        let iso = || {
            (text.len() == 10)
                .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
                .flatten()
        };
        let parts = |separator: char| -> Option<[u32; 3]> {
            let parts: Vec<u32> = text
                .split(separator)
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?;
            parts.try_into().ok()
        };
        let date = |year: u32, month, day| {
            (1000..=9999)
                .contains(&year)
                .then(|| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day))
                .flatten()
        };
        iso().or_else(|| match self {
            Self::Iso => None,
            Self::DotsDayFirst => parts('.').and_then(|[day, month, year]| date(year, month, day)),
            Self::SlashesDayFirst => {
                parts('/').and_then(|[day, month, year]| date(year, month, day))
            }
            Self::SlashesMonthFirst => {
                parts('/').and_then(|[month, day, year]| date(year, month, day))
            }
        })
    }
}

/// A truth as spreadsheets write it.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "x" | "wahr" | "ja" | "j" => Some(true),
        "false" | "no" | "n" | "0" | "falsch" | "nein" => Some(false),
        _ => None,
    }
}

/// When something was completed: an instant, or a day of the tenant's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    At(Instant),
    On(NaiveDate),
}

/// Reads an instant with its zone, or a date.
#[must_use]
pub fn when(text: &str, dates: DateFormat) -> Option<When> {
    if let Some(date) = dates.read(text) {
        return Some(When::On(date));
    }
    // Without a zone nobody knows which instant it is.
    let zoned =
        text.ends_with(['Z', 'z']) || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    let text = text.replacen(' ', "T", 1);
    zoned.then(|| Instant::parse(&text)).flatten().map(When::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_somebody_said_and_never_guessed() {
        let read = |format: DateFormat, text: &str| format.read(text).map(|date| date.to_string());
        let expected = Some("2026-03-31".to_owned());
        for (format, text) in [
            (DateFormat::Iso, "2026-03-31"),
            (DateFormat::DotsDayFirst, "31.03.2026"),
            (DateFormat::DotsDayFirst, "31.3.2026"),
            (DateFormat::SlashesDayFirst, "31/03/2026"),
            (DateFormat::SlashesMonthFirst, "03/31/2026"),
            (DateFormat::SlashesMonthFirst, "2026-03-31"),
        ] {
            assert_eq!(read(format, text), expected, "{format} {text}");
        }
        for (format, text) in [
            (DateFormat::Iso, "03/04/2026"),
            (DateFormat::Iso, "31.03.2026"),
            (DateFormat::Iso, "2026-02-30"),
            (DateFormat::Iso, "2026-3-1"),
            (DateFormat::SlashesDayFirst, "03/31/2026"),
            (DateFormat::DotsDayFirst, "31.03.26"),
            (DateFormat::DotsDayFirst, ""),
        ] {
            assert_eq!(read(format, text), None, "{format} {text}");
        }
    }

    #[test]
    fn an_instant_needs_its_zone() {
        let at = |text: &str| when(text, DateFormat::Iso);
        let instant = Instant::parse("2026-03-31T10:00:00Z").map(When::At);
        assert_eq!(at("2026-03-31T10:00:00Z"), instant);
        assert_eq!(at("2026-03-31 12:00:00+02:00"), instant);
        assert!(matches!(at("2026-03-31"), Some(When::On(_))));
        assert_eq!(at("2026-03-31T10:00:00"), None);
    }
}
