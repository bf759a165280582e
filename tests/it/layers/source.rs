//! Source files as text, comments and string literals blanked.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path below `src`, the module it is, its text without comments and strings, and where its tests
/// begin; a file named `tests.rs`, `testing.rs` or `…_tests.rs` is nothing but tests.
pub struct Source {
    pub path: String,
    pub module: Vec<String>,
    pub text: String,
    pub tests_at: usize,
    pub only_tests: bool,
}

/// Every file below `src`.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    files
        .iter()
        .map(|file| {
            read(
                &file
                    .strip_prefix(&root)
                    .expect("below src")
                    .to_string_lossy()
                    .replace('\\', "/"),
                &fs::read_to_string(file).expect("readable source"),
            )
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Reads one file.
pub fn read(path: &str, text: &str) -> Source {
    let mut module: Vec<String> = path
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    let text = blank(text);
    let tests_at = text
        .lines()
        .position(|line| line.trim_start().starts_with("#[cfg(test)]"))
        .map_or(usize::MAX, |index| index + 1);
    Source {
        path: path.to_owned(),
        module,
        text,
        tests_at,
        only_tests: path.ends_with("tests.rs") || path.ends_with("testing.rs"),
    }
}

/// The text with comments and string literals replaced by spaces; lines stay where they are.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    let wipe = |out: &mut Vec<u8>, from: usize, to: usize| {
        for byte in &mut out[from..to.min(bytes.len())] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            rest.iter()
                .position(|&byte| byte == b'\n')
                .map_or(bytes.len(), |length| at + length)
        } else if rest.starts_with(b"/*") {
            text[at..]
                .find("*/")
                .map_or(bytes.len(), |length| at + length + 2)
        } else if rest.starts_with(b"r\"")
            || rest.starts_with(b"r#")
                && rest
                    .get(1..)
                    .is_some_and(|tail| tail.iter().find(|&&byte| byte != b'#') == Some(&b'"'))
        {
            let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
            let close = format!("\"{}", "#".repeat(hashes));
            text[at + hashes + 2..]
                .find(&close)
                .map_or(bytes.len(), |length| at + hashes + 2 + length + close.len())
        } else if rest[0] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end + 1
        } else if rest.starts_with(b"'\"'") || rest.starts_with(b"'\\") {
            // A character literal that would look like the start of a string; skip it whole.
            at + rest
                .iter()
                .skip(2)
                .position(|&byte| byte == b'\'')
                .map_or(1, |length| length + 3)
        } else {
            at += 1;
            continue;
        };
        wipe(&mut out, at, end);
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a file only declares modules, re-exports and constants of the build: it then stands for its folder, not for logic.
pub fn only_declares(source: &Source) -> bool {
    if !(source.path.ends_with("mod.rs") || source.path == "lib.rs") {
        return false;
    }
    let mut statement = String::new();
    for line in source.text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("#[") || line.starts_with("#![") {
            continue;
        }
        statement.push_str(line);
        statement.push(' ');
        if statement.trim_end().ends_with(';') {
            let text = statement
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ")
                .to_owned();
            if !(text.starts_with("mod ")
                || text.starts_with("use ")
                || text.starts_with("extern "))
            {
                return false;
            }
            statement.clear();
        }
    }
    statement.trim().is_empty()
}
