//! The house is what the plan says: who may import whom, where a few words may stand, and no circles between files.
//!
//! Reads the paths `crate::…`, `super::…` and `self::…` in `src/` as text, comments and string literals blanked.
//! Test modules at the foot of a file are held to the same table, but they do not make a circle; files that are nothing
//! but tests may look into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, bottom first: a module and the modules of ours it may import (itself always).
const LAYERS: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("clock", &[]),
    ("config", &[]),
    ("scim", &["ids", "clock"]),
    ("learning", &["ids", "clock"]),
    ("auth", &["ids", "clock"]),
    ("csv", &["scim", "learning", "ids", "clock"]),
    (
        "store",
        &["scim", "learning", "auth", "ids", "clock", "config"],
    ),
    ("outbound", &["learning", "ids", "clock", "config"]),
    (
        "service",
        &[
            "store", "scim", "learning", "auth", "csv", "ids", "clock", "config",
        ],
    ),
    (
        "http",
        &[
            "service", "store", "scim", "learning", "auth", "csv", "ids", "clock", "config",
        ],
    ),
    (
        "worker",
        &["service", "outbound", "store", "ids", "clock", "config"],
    ),
    (
        "app",
        &[
            "http", "worker", "service", "outbound", "store", "scim", "learning", "auth", "ids",
            "clock", "config",
        ],
    ),
    (
        "demo",
        &[
            "app", "http", "service", "store", "scim", "learning", "auth", "ids", "clock", "config",
        ],
    ),
    (
        "cli",
        &[
            "demo", "app", "http", "worker", "service", "store", "scim", "learning", "auth", "csv",
            "ids", "clock", "config",
        ],
    ),
    ("main", &["cli", "config", "app"]),
];

/// Of `store`, these modules above it may name only `Store` itself and its errors: rows and statements stay below.
const STORE_BY_NAME: &[(&str, &[&str])] = &[
    ("http", &["Store", "StoreError", "TransactionError", "Db"]),
    ("worker", &["Store", "StoreError", "TransactionError", "Db"]),
];

/// Words with one home: the word, and the places (files, or folders ending in `/`) it may stand in.
const WORDS: &[(&str, &[&str], &str)] = &[
    ("diesel::", &["store/"], "only the store knows diesel"),
    (
        "diesel_migrations::",
        &["store/"],
        "only the store knows diesel",
    ),
    (
        "actix_web::",
        &["http/", "app.rs"],
        "only http and its composition know actix",
    ),
    (
        "StatusCode",
        &["http/", "demo.rs", "demo/"],
        "status codes are chosen in http",
    ),
    (
        "env::var",
        &["config.rs"],
        "the environment is read once, in config.rs",
    ),
    (
        "Utc::now",
        &["clock.rs"],
        "time comes in as a parameter; clock.rs alone asks the system",
    ),
    (
        "SystemTime::now",
        &["clock.rs"],
        "time comes in as a parameter; clock.rs alone asks the system",
    ),
];

/// A source file: its path below `src`, the module it is, its text without comments and strings, and where its tests
/// begin; a file named `tests.rs`, `testing.rs` or `…_tests.rs` is nothing but tests.
struct Source {
    path: String,
    module: Vec<String>,
    text: String,
    tests_at: usize,
    only_tests: bool,
}

/// One path found in a file: `["store", "db", "Db"]` for `crate::store::db::Db`.
struct Import {
    line: usize,
    path: Vec<String>,
}

#[test]
fn every_module_imports_only_what_stands_below_it() {
    let mut broken = Vec::new();
    for source in sources() {
        let Some(own) = source.module.first() else {
            continue;
        };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == own) else {
            broken.push(format!(
                "src/{}: module `{own}` is not in the dependency table",
                source.path
            ));
            continue;
        };
        for import in imports(&source) {
            let Some(target) = import.path.first() else {
                continue;
            };
            if target == own || !LAYERS.iter().any(|(name, _)| name == target) {
                continue;
            }
            if !allowed.contains(&target.as_str()) {
                broken.push(format!(
                    "src/{}:{}: `{own}` must not import `{target}`",
                    source.path, import.line
                ));
            }
            let inner = import.path.get(1).map(String::as_str);
            // a file of tests arranges its world with rows
            if target == "store"
                && !source.only_tests
                && let Some((_, names)) = STORE_BY_NAME.iter().find(|(name, _)| name == own)
                && let Some(inner) = inner
                && !names.contains(&inner)
            {
                broken.push(format!(
                    "src/{}:{}: `{own}` may name only {} of `store`, not `{inner}`",
                    source.path,
                    import.line,
                    names.join(", ")
                ));
            }
        }
    }
    report(broken);
}

#[test]
fn no_two_files_import_each_other_in_a_circle() {
    let sources = sources();
    let files: BTreeMap<Vec<String>, usize> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| (source.module.clone(), index))
        .collect();
    let mut edges: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); sources.len()];
    for (index, source) in sources.iter().enumerate() {
        if only_declares(source) || source.only_tests {
            continue;
        }
        for import in imports(source)
            .into_iter()
            .filter(|import| import.line < source.tests_at)
        {
            // The file that holds the longest prefix of the path.
            let target = (1..=import.path.len())
                .rev()
                .find_map(|length| files.get(&import.path[..length]));
            if let Some(&target) = target
                && target != index
                && !only_declares(&sources[target])
            {
                edges[index].insert(target);
            }
        }
    }
    let mut state = vec![0u8; sources.len()];
    let mut circles = Vec::new();
    for start in 0..sources.len() {
        walk(
            start,
            &edges,
            &mut state,
            &mut Vec::new(),
            &mut |circle: &[usize]| {
                let names: Vec<&str> = circle
                    .iter()
                    .map(|&file| sources[file].path.as_str())
                    .collect();
                circles.push(format!(
                    "src/{}: circle of files: {}",
                    names[0],
                    names.join(" -> ")
                ));
            },
        );
    }
    report(circles);
}

#[test]
fn words_with_one_home_stand_nowhere_else() {
    let mut broken = Vec::new();
    for source in sources() {
        for (word, homes, why) in WORDS {
            if homes.iter().any(|home| {
                source.path == *home || (home.ends_with('/') && source.path.starts_with(home))
            }) {
                continue;
            }
            for (number, line) in source.text.lines().enumerate() {
                let found = line.match_indices(word).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                });
                if found
                    && !(*word == "env::var"
                        && (source.only_tests || number + 1 >= source.tests_at))
                {
                    broken.push(format!(
                        "src/{}:{}: `{word}`: {why}",
                        source.path,
                        number + 1
                    ));
                }
            }
        }
    }
    report(broken);
}

#[test]
fn the_reader_of_paths_sees_what_it_should() {
    let source = read(
        "store/queries/find.rs",
        "use crate::scim::{fold, filter::checked};\nuse super::super::db::Db;\nlet x = \"crate::http\"; // crate::http\nuse self::inner::A;\n",
    );
    let found: Vec<String> = imports(&source)
        .iter()
        .map(|import| format!("{}:{}", import.line, import.path.join("::")))
        .collect();
    assert_eq!(
        found,
        [
            "1:scim::fold",
            "1:scim::filter::checked",
            "2:store::db::Db",
            "4:store::queries::find::inner::A"
        ]
    );
    assert!(only_declares(&read(
        "a/mod.rs",
        "//! Doc.\npub mod b;\nmod c;\npub use b::B;\n"
    )));
    assert!(!only_declares(&read("a/mod.rs", "pub mod b;\nfn f() {}\n")));
}

fn report(broken: Vec<String>) {
    assert!(
        broken.is_empty(),
        "{} broken rules:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

/// Depth-first search that reports each circle once, where it closes.
fn walk(
    at: usize,
    edges: &[BTreeSet<usize>],
    state: &mut [u8],
    trail: &mut Vec<usize>,
    found: &mut dyn FnMut(&[usize]),
) {
    if state[at] == 2 {
        return;
    }
    if let Some(from) = trail.iter().position(|&file| file == at) {
        let mut circle = trail[from..].to_vec();
        circle.push(at);
        found(&circle);
        return;
    }
    trail.push(at);
    state[at] = 1;
    for &next in &edges[at] {
        walk(next, edges, state, trail, found);
    }
    trail.pop();
    state[at] = 2;
}

fn sources() -> Vec<Source> {
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

fn read(path: &str, text: &str) -> Source {
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

/// Every path that starts with `crate::`, `super::` or `self::`, made absolute; brace lists are spread.
fn imports(source: &Source) -> Vec<Import> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::", "rollcall::"] {
        for (at, _) in source.text.match_indices(start) {
            let before = &source.text[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let mut base: Vec<String> = match start {
                "super::" => source.module[..source.module.len().saturating_sub(1)].to_vec(),
                "self::" => source.module.clone(),
                _ => Vec::new(),
            };
            // Inside `mod tests` at the foot of the file, `super` is the file itself.
            if start == "super::" && line >= source.tests_at {
                base = source.module.clone();
            }
            let mut rest = &source.text[at + start.len()..];
            while let Some(tail) = rest.strip_prefix("super::") {
                base.pop();
                rest = tail;
            }
            spread(&base, rest, line, &mut found);
        }
    }
    found.sort_by_key(|import| import.line);
    found
}

/// Reads `a::b::{c, d::e}` and pushes one path per leaf; returns what is left of the text.
fn spread<'a>(base: &[String], text: &'a str, line: usize, found: &mut Vec<Import>) -> &'a str {
    let mut path = base.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut list) = rest.strip_prefix('{') {
            loop {
                list = spread(&path, list, line, found).trim_start();
                match list.strip_prefix(',') {
                    Some(next) if next.trim_start().starts_with('}') => {
                        return &next.trim_start()[1..];
                    }
                    Some(next) => list = next,
                    None => return list.strip_prefix('}').unwrap_or(list),
                }
            }
        }
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        if end > 0 && &rest[..end] != "self" {
            path.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    found.push(Import { line, path });
    // An alias (`as name`) ends before the next comma or brace.
    if rest.starts_with(" as ") {
        &rest[rest.find([',', '}', ';']).unwrap_or(rest.len())..]
    } else {
        rest
    }
}

/// Whether a file only declares modules, re-exports and constants of the build: it then stands for its folder, not for logic.
fn only_declares(source: &Source) -> bool {
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
