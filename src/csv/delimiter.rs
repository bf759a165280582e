//! Which character stands between the cells: told by the header line.

/// What spreadsheets write, most usual first.
pub const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Finds the delimiter of a header line: the one that gives most columns whose names are known, then most columns.
/// A line `sep=;`, which some spreadsheets put in front, says it outright: then it is returned with `true`.
#[must_use]
pub fn detect(line: &str, known: impl Fn(&str) -> bool) -> (u8, bool) {
    if let Some(told) = line.strip_prefix("sep=")
        && let [one] = told.trim_end_matches(['\r', '\n']).as_bytes()
        && KNOWN.contains(one)
    {
        return (*one, true);
    }
    let score = |delimiter: u8| {
        let names = names(line, delimiter);
        let found = names.iter().filter(|name| known(name)).count();
        (found, names.len())
    };
    let mut best = (KNOWN[0], score(KNOWN[0]));
    for delimiter in KNOWN.into_iter().skip(1) {
        let score = score(delimiter);
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    (best.0, false)
}

/// The cells of one line.
fn names(line: &str, delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().map(str::to_owned).collect(),
        Ok(false) | Err(_) => Vec::new(),
    }
}

/// How a delimiter is called.
#[must_use]
pub const fn name(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => ";",
        b'\t' => "tab",
        b'|' => "|",
        _ => ",",
    }
}

/// Reads what [`name`] writes.
#[must_use]
pub fn parse(text: &str) -> Option<u8> {
    KNOWN
        .into_iter()
        .find(|one| name(*one) == text || text.as_bytes() == [*one])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_which_it_is() {
        let known = |name: &str| ["group", "email", "action"].contains(&name);
        for (line, expected) in [
            ("group,email,action", (b',', false)),
            ("group;email;action", (b';', false)),
            ("group\temail", (b'\t', false)),
            ("group|email", (b'|', false)),
            ("email", (b',', false)),
            ("\"group\";\"a,b,c,d\";email", (b';', false)),
            ("sep=;\r\n", (b';', true)),
            ("sep=\t", (b'\t', true)),
            ("", (b',', false)),
        ] {
            assert_eq!(detect(line, known), expected, "{line:?}");
        }
    }
}
