//! Every row of the SCIM conformance checklist is named in a test, or stands in a list with its reason.
//!
//! `tests/fixtures/scim/rows.txt` has the ids. A row counts as named when its id stands in test code: in a comment, in
//! a text, or at the start of a test's name (`fn hv_27_…`). Module docs do not count: they speak of a file, not of a
//! test. A range such as `FV-01..FV-92` counts for the ids that a data file in `tests/fixtures/scim` holds. What the
//! test named that way proves is for its reader to judge; that no row is forgotten is judged here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Tests of other documents, whose rules have ids that look the same (`S-04` of the learning rules).
const FOREIGN: [&str; 9] = [
    "src/csv",
    "src/http/api",
    "src/learning",
    "src/service/imports",
    "src/service/learning_tests",
    "tests/it/csv",
    "tests/it/laws/story",
    "tests/it/learning",
    "tests/it/rest",
];

const FIXTURES: &str = "tests/fixtures/scim";

#[test]
fn every_row_of_the_checklist_is_named_in_a_test() {
    let rows = list("rows.txt");
    let known: BTreeSet<&str> = rows.iter().map(|(_, id)| id.as_str()).collect();
    let later: BTreeMap<String, String> = list("rows-later.txt").into_iter().collect();
    let data = data_ids();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in test_code() {
        for id in ids(&text, &data) {
            named.entry(id).or_insert_with(|| file.clone());
        }
    }

    let mut wrong = Vec::new();
    let mut forgotten = Vec::new();
    for (section, id) in &rows {
        match (named.get(id), later.contains_key(id)) {
            (None, false) => forgotten.push(format!("{id} (section {section})")),
            (Some(file), true) => wrong.push(format!("rows-later.txt: {id} is named in {file}")),
            _ => {}
        }
    }
    for (id, reason) in &later {
        if reason.trim().is_empty() {
            wrong.push(format!("rows-later.txt: {id} has no reason"));
        }
    }
    for id in later.keys() {
        if !known.contains(id.as_str()) {
            wrong.push(format!("{id} is no row"));
        }
    }
    assert!(
        wrong.is_empty() && forgotten.is_empty(),
        "{}\nnamed by no test:\n{}",
        wrong.join("\n"),
        forgotten.join("\n")
    );
}

#[test]
fn a_row_is_listed_once() {
    let rows = list("rows.txt");
    let once: BTreeSet<&String> = rows.iter().map(|(_, id)| id).collect();
    assert_eq!(once.len(), rows.len());
    assert!(rows.len() > 800, "the list is whole: {}", rows.len());
}

#[test]
fn ids_are_found_where_tests_name_them_and_nowhere_else() {
    let data: BTreeSet<String> = ["FV-01", "FV-02", "FV-04"].map(str::to_owned).into();
    let found = |text: &str| ids(text, &data).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(found("// W-01, W-02: and\n"), "W-01 W-02");
    assert_eq!(found("fn hv_27_a_name_is_taken() {"), "HV-27");
    assert_eq!(found("fn pa_36b_and_more() {"), "PA-36b");
    assert_eq!(found("let hv_27 = 1; call(hv_28_x);"), "");
    assert_eq!(found("// FV-01..FV-04 by data"), "FV-01 FV-02 FV-04");
    assert_eq!(found("// Q-01..Q-04 by nobody"), "Q-01 Q-04");
    assert_eq!(found("UTF-8 XQ-011 \"HV-01\" Q-1 q-01"), "HV-01");
    assert_eq!(
        tests_of(
            "//! A-01\nfn f() {} // A-02\n#[cfg(test)]\nmod tests {\n    // A-03\n}\n",
            false
        ),
        "mod tests {\n    // A-03\n}\n"
    );
    assert_eq!(tests_of("//! A-01\n// A-02\n", true), "// A-02\n");
}

/// The lines of a list: two columns, comments and blank lines left out.
fn list(name: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join(FIXTURES).join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (left, right) = line.split_once('\t').unwrap_or((line, ""));
            (left.trim().to_owned(), right.trim().to_owned())
        })
        .collect()
}

/// The ids that stand in data files, which one test reads as a whole.
fn data_ids() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(&root().join(FIXTURES)) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.starts_with("rows") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            found.extend(ids(&text, &BTreeSet::new()));
        }
    }
    found
}

/// Every file of tests, and the tests at the foot of a source file.
fn test_code() -> Vec<(String, String)> {
    let root = root();
    let mut only_tests: BTreeSet<PathBuf> = BTreeSet::new();
    let sources = files(&root.join("src"));
    for path in &sources {
        only_tests.extend(test_modules(path));
    }
    let in_tests = files(&root.join("tests/it"));
    only_tests.extend(in_tests.iter().cloned());
    sources
        .into_iter()
        .chain(in_tests)
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .filter(|path| !path.ends_with("it/coverage.rs"))
        .filter(|path| !FOREIGN.iter().any(|part| path.starts_with(root.join(part))))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let name = path
                .strip_prefix(&root)
                .unwrap_or(&path)
                .display()
                .to_string();
            let below = |module: &PathBuf| path.starts_with(module.with_extension(""));
            let is_test = only_tests.contains(&path) || only_tests.iter().any(below);
            (name, tests_of(&text, is_test))
        })
        .collect()
}

/// The files that a source file declares as `#[cfg(test)] mod name;`.
fn test_modules(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let folder = match path.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => path.parent().map(Path::to_path_buf),
        _ => Some(path.with_extension("")),
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for pair in lines.windows(2) {
        if let ["#[cfg(test)]", module] = pair
            && let Some(name) = module
                .split_once("mod ")
                .and_then(|(_, name)| name.strip_suffix(';'))
            && let Some(folder) = &folder
        {
            found.push(folder.join(format!("{name}.rs")));
            found.push(folder.join(name).join("mod.rs"));
        }
    }
    found
}

/// The part of a file that is tests, without module docs.
fn tests_of(text: &str, only_tests: bool) -> String {
    let mut tests = String::new();
    let mut inside = only_tests;
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let before = number.checked_sub(1).and_then(|before| lines.get(before));
        if before.is_some_and(|before| *before == "#[cfg(test)]") && line.ends_with('{') {
            inside = true;
        }
        if inside && !line.trim_start().starts_with("//!") {
            tests.push_str(line);
            tests.push('\n');
        }
    }
    tests
}

/// The ids in a text, ranges spread over what the data files hold.
fn ids(text: &str, data: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let mut rest = line;
        let mut previous: Option<String> = None;
        while let Some((at, id)) = next_id(rest) {
            let range = previous
                .filter(|_| rest.get(..at) == Some(".."))
                .filter(|first| prefix(first) == prefix(&id) && *first <= id);
            if let Some(first) = range {
                let between = data.range(first..id.clone());
                found.extend(between.filter(|one| prefix(one) == prefix(&id)).cloned());
            }
            rest = rest.get(at + id.len()..).unwrap_or_default();
            found.insert(id.clone());
            previous = Some(id);
        }
        if let Some((_, name)) = line.split_once("fn ") {
            let mut words = name.split('_');
            if let (Some(letters), Some(digits)) = (words.next(), words.next()) {
                let id = format!("{}-{digits}", letters.to_ascii_uppercase());
                if next_id(&id).is_some_and(|(_, whole)| whole == id) {
                    found.insert(id);
                }
            }
        }
    }
    found
}

fn prefix(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

/// The first id of a text, and where: one to three capitals, a hyphen, two digits, perhaps a letter.
fn next_id(text: &str) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let is_word = |at: usize| {
        bytes
            .get(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-')
    };
    let mut at = 0;
    while at < bytes.len() {
        if at > 0 && is_word(at - 1) {
            at += 1;
            continue;
        }
        let count = |from: usize, what: fn(&u8) -> bool| {
            bytes
                .iter()
                .skip(from)
                .take_while(|byte| what(byte))
                .count()
        };
        let letters = count(at, u8::is_ascii_uppercase);
        let hyphen = at + letters;
        let digits = count(hyphen + 1, u8::is_ascii_digit);
        if (1..=3).contains(&letters) && bytes.get(hyphen) == Some(&b'-') && digits == 2 {
            let mut end = hyphen + 1 + digits;
            if bytes.get(end).is_some_and(u8::is_ascii_lowercase) && !is_word(end + 1) {
                end += 1;
            }
            if !is_word(end) {
                return Some((at, text.get(at..end)?.to_owned()));
            }
        }
        at += letters.max(1);
    }
    None
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
