//! A file, row by row, however large: what it is written in, its header, its rows with their lines.

use std::io::{self, Cursor, Read};

use super::columns::{Column, Kind, Layout, named};
use super::encoding::{Decoding, Encoding};
use super::row::{Fields, RowReader};
use super::value::DateFormat;
use super::{FileError, RowError, delimiter};

/// The largest file (A1: CSV 50 MB).
pub const BYTES: u64 = 50 * 1024 * 1024;
/// The most rows.
pub const ROWS: u64 = 500_000;
/// The longest cell, in bytes.
const CELL: usize = 32 * 1024;
/// The most columns.
const COLUMNS: usize = 200;
/// The longest header, in bytes.
const HEADER: usize = 64 * 1024;

/// What people say about a file.
#[derive(Clone, Debug)]
pub struct Settings {
    pub kind: Kind,
    pub encoding: Option<Encoding>,
    pub delimiter: Option<u8>,
    pub dates: DateFormat,
    /// Columns that are called otherwise in the file.
    pub columns: Vec<(Column, String)>,
}

impl Settings {
    /// What is found out by itself.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self {
            kind,
            encoding: None,
            delimiter: None,
            dates: DateFormat::Iso,
            columns: Vec::new(),
        }
    }
}

/// One row of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it begins.
    pub line: u64,
    pub cells: Vec<String>,
    pub read: Result<Fields, RowError>,
}

type Text<R> = io::Chain<Cursor<Vec<u8>>, Decoding<R>>;

/// An open file.
pub struct Reader<R> {
    records: csv::Reader<Text<R>>,
    rows: RowReader,
    pub layout: Layout,
    pub delimiter: u8,
    pub encoding: Encoding,
    /// Lines in front of the header.
    skipped: u64,
    count: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the header. Errors: `not_text`, `empty_file`, and those of [`Layout::of`].
    pub fn open(source: R, encoding: Encoding, settings: &Settings) -> Result<Self, FileError> {
        let mut text = Decoding::new(source, encoding);
        let mut head = first_line(&mut text)?;
        let mut skipped = 0;
        let known = |name: &str| named(settings.kind, name).is_some();
        let (mut found, told) = delimiter::detect(&String::from_utf8_lossy(&head), known);
        if told {
            skipped = 1;
            head = first_line(&mut text)?;
        }
        if let Some(told) = settings.delimiter {
            found = told;
        }
        let mut records = csv::ReaderBuilder::new()
            .delimiter(found)
            // The library's own CRLF counts the line feed to the next record, and its line with it.
            .terminator(csv::Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(Cursor::new(head).chain(text));
        let mut record = csv::StringRecord::new();
        if !records.read_record(&mut record).map_err(unreadable)? {
            return Err(FileError::new("empty_file", "the file has no header"));
        }
        let mut header: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        while header.last().is_some_and(String::is_empty) {
            header.pop();
        }
        if header.len() > COLUMNS {
            return Err(FileError::new(
                "too_many_columns",
                format!("a file has at most {COLUMNS} columns"),
            ));
        }
        Ok(Self {
            records,
            rows: RowReader::new(settings.kind, settings.dates),
            layout: Layout::of(settings.kind, header, &settings.columns)?,
            delimiter: found,
            encoding,
            skipped,
            count: 0,
        })
    }

    /// The next rows, at most so many; none at the end. Blank rows are no rows. Errors: `not_text`, `too_many_rows`.
    pub fn next_rows(&mut self, most: usize) -> Result<Vec<Row>, FileError> {
        let mut rows = Vec::with_capacity(most);
        let mut record = csv::StringRecord::new();
        while rows.len() < most && self.records.read_record(&mut record).map_err(unreadable)? {
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            self.count += 1;
            if self.count > ROWS {
                return Err(FileError::new(
                    "too_many_rows",
                    format!("a file has at most {ROWS} rows; split it"),
                ));
            }
            let line = record.position().map_or(0, csv::Position::line) + self.skipped;
            rows.push(self.row(&record, line));
        }
        Ok(rows)
    }

    fn row(&mut self, record: &csv::StringRecord, line: u64) -> Row {
        let mut cells: Vec<String> = record.iter().map(str::to_owned).collect();
        if let Some(last) = cells.last_mut()
            && last.ends_with('\r')
        {
            last.pop();
        }
        let width = self.layout.header.len();
        while cells.len() > width && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
            cells.pop();
        }
        let read = if cells.iter().any(|cell| cell.len() > CELL) {
            for cell in &mut cells {
                if cell.len() > CELL {
                    *cell = cell.chars().take(100).chain(['…']).collect();
                }
            }
            Err(RowError::new(
                "too_long",
                format!("a cell has more than {CELL} bytes; is a quote open?"),
            ))
        } else if cells.len() > width {
            let detail = format!("the row has {} cells, the header {width}", cells.len());
            cells.truncate(COLUMNS);
            Err(RowError::new("too_many_cells", detail))
        } else {
            self.rows.read(&self.layout, &cells, line)
        };
        Row { line, cells, read }
    }
}

/// The first line, with its end; quoted line breaks belong to it.
fn first_line(text: &mut impl Read) -> Result<Vec<u8>, FileError> {
    let (mut line, mut quoted, mut one) = (Vec::new(), false, [0]);
    loop {
        if text.read(&mut one).map_err(|error| not_text(&error))? == 0 {
            return Ok(line);
        }
        line.extend_from_slice(&one);
        match one {
            [b'"'] => quoted = !quoted,
            [b'\n'] if !quoted => return Ok(line),
            _ => {}
        }
        if line.len() > HEADER {
            return Err(FileError::new(
                "bad_header",
                "the first line is too long for a header",
            ));
        }
    }
}

fn unreadable(error: csv::Error) -> FileError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => not_text(&error),
        other => FileError::new("not_text", format!("the file cannot be read: {other:?}")),
    }
}

fn not_text(error: &io::Error) -> FileError {
    FileError::new("not_text", format!("the file cannot be read: {error}"))
}
