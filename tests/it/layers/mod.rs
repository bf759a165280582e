//! The house is what the plan says: who may import whom, where a few words may stand, and no circles between files.
//!
//! Reads the paths `crate::…`, `super::…` and `self::…` in `src/` as text, comments and string literals blanked.
//! Test modules at the foot of a file are held to the same table, but they do not make a circle; files that are nothing
//! but tests may look into the store.

mod imports;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use imports::imports;
use source::{only_declares, read, sources};

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
