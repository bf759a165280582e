//! CSV as people's spreadsheets write it, pure: encodings, delimiters, headers, rows with line numbers; and CSV that a spreadsheet
//! does not run (`rest-and-console.md` A4, RFC 4180).
//!
//! Not here: what a row names in the database and what becomes of it (`service::imports`).

pub mod columns;
pub mod delimiter;
pub mod encoding;
pub mod reader;
pub mod row;
pub mod value;
pub mod write;

#[cfg(test)]
mod laws;

/// What a file does to a reader that is not the fault of one row: the whole file is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Stable.
    pub code: &'static str,
    pub detail: String,
}

impl FileError {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for FileError {}

/// What is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowError {
    /// Stable.
    pub code: String,
    pub detail: String,
}

impl RowError {
    /// A row's error.
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            detail: detail.into(),
        }
    }
}
