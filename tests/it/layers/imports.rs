//! The paths of ours that a source file names.

use super::source::Source;

/// One path found in a file: `["store", "db", "Db"]` for `crate::store::db::Db`.
pub struct Import {
    pub line: usize,
    pub path: Vec<String>,
}

/// Every path that starts with `crate::`, `super::` or `self::`, made absolute; brace lists are spread.
pub fn imports(source: &Source) -> Vec<Import> {
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
