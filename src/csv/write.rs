//! Writing CSV: RFC 4180 with CRLF, and no cell that a spreadsheet would run (A4).

use std::borrow::Cow;

/// How cells are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub delimiter: u8,
    /// Cells go out as they are; for programs, not for spreadsheets.
    pub raw: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            delimiter: b',',
            raw: false,
        }
    }
}

/// Whether a spreadsheet would take a cell for a formula; a byte order mark before it is not seen by everyone who reads.
fn runs(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A cell that a spreadsheet shows as it stands.
#[must_use]
pub fn safe(text: &str) -> Cow<'_, str> {
    if runs(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What [`safe`] was given: so that what we wrote can be read again.
#[must_use]
pub fn unsafe_again(text: &str) -> &str {
    text.strip_prefix('\'')
        .filter(|rest| runs(rest))
        .unwrap_or(text)
}

/// Appends one line.
pub fn line<T: AsRef<str>>(out: &mut String, style: Style, cells: impl IntoIterator<Item = T>) {
    let mut cells = cells.into_iter().peekable();
    let mut first = true;
    while let Some(cell) = cells.next() {
        if !first {
            out.push(char::from(style.delimiter));
        }
        let text = if style.raw {
            Cow::Borrowed(cell.as_ref())
        } else {
            safe(cell.as_ref())
        };
        // A line of one empty cell would be an empty line, which is no line.
        let alone = first && cells.peek().is_none() && text.is_empty();
        if alone || text.contains(['"', '\r', '\n', char::from(style.delimiter)]) {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&text);
        }
        first = false;
    }
    out.push_str("\r\n");
}

/// A column: its name, and what stands in it.
pub type Column<T> = (&'static str, fn(&T) -> String);

/// The names of columns: the first line.
#[must_use]
pub fn names<T>(columns: &[Column<T>]) -> Vec<&'static str> {
    columns.iter().map(|(name, _)| *name).collect()
}

/// What stands in the columns of a row.
#[must_use]
pub fn cells<T>(columns: &[Column<T>], row: &T) -> Vec<String> {
    columns.iter().map(|(_, cell)| cell(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_would_run_is_quoted_away_and_read_back() {
        for text in ["=1+1", "+49 30", "-5", "@x", "\tx", "\rx", "\u{feff}=1"] {
            assert_eq!(safe(text), format!("'{text}"));
            assert_eq!(unsafe_again(&safe(text)), text);
        }
        for text in ["", "a=b", "'quoted'", "5", " =1"] {
            assert_eq!(safe(text), text);
            assert_eq!(unsafe_again(text), text);
        }
    }

    #[test]
    fn lines_are_those_of_rfc_4180() {
        let mut out = String::new();
        line(&mut out, Style::default(), ["a", "b,c", "d\"e", "f\ng", ""]);
        line(&mut out, Style::default(), ["=x", ""]);
        line(
            &mut out,
            Style {
                delimiter: b';',
                raw: true,
            },
            ["=x", "a,b", "c;d"],
        );
        line(&mut out, Style::default(), [""]);
        assert_eq!(
            out,
            "a,\"b,c\",\"d\"\"e\",\"f\ng\",\r\n'=x,\r\n=x;a,b;\"c;d\"\r\n\"\"\r\n"
        );
    }
}
