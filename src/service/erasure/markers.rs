//! What gives a person away in a text: found as whole words, in any case, however JSON or a URL spells them.
//!
//! Pure. Not here: where the texts stand (`erasure`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aho_corasick::AhoCorasick;
use serde_json::Value;

/// What stands where a marker stood.
const GONE: &str = "[erased]";

/// Shorter ones stand in every text.
const SHORTEST: usize = 2;

/// The attributes whose texts name a person, wherever they stand in a document.
const NAMING: &[&str] = &[
    "userName",
    "externalId",
    "displayName",
    "nickName",
    "formatted",
    "profileUrl",
    "employeeNumber",
    "streetAddress",
];

/// The multi-valued ones, by their values.
const VALUES: &[&str] = &[
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "x509Certificates",
];

/// The words of one person.
#[derive(Debug)]
pub struct Markers {
    words: BTreeSet<String>,
    found: Option<AhoCorasick>,
}

impl Markers {
    /// Of these words; what is too short to be looked for is left out.
    #[must_use]
    pub fn of(words: impl IntoIterator<Item = String>) -> Self {
        let words: BTreeSet<String> = words
            .into_iter()
            .map(|word| word.trim().to_owned())
            .filter(|word| word.chars().count() >= SHORTEST)
            .collect();
        let patterns: BTreeSet<String> = words.iter().flat_map(|word| spellings(word)).collect();
        let found = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(patterns)
            .inspect_err(|error| log::error!("a person's words cannot be looked for: {error}"))
            .ok();
        Self { words, found }
    }

    /// The words, to be kept until everything is looked through.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.words).unwrap_or_default()
    }

    /// Reads them back.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        Self::of(serde_json::from_str::<Vec<String>>(text).unwrap_or_default())
    }

    fn places(&self, text: &str) -> Vec<(usize, usize)> {
        let Some(found) = &self.found else {
            return Vec::new();
        };
        if self.words.is_empty() {
            return Vec::new();
        }
        let whole = |start: usize, end: usize| {
            let before = text.get(..start).and_then(|text| text.chars().next_back());
            let after = text.get(end..).and_then(|text| text.chars().next());
            let first = text.get(start..).and_then(|text| text.chars().next());
            let last = text.get(..end).and_then(|text| text.chars().next_back());
            let joins = |one: Option<char>, other: Option<char>| {
                one.is_some_and(char::is_alphanumeric) && other.is_some_and(char::is_alphanumeric)
            };
            let escaped = text.get(..start).is_some_and(ends_in_escape);
            (escaped || !joins(before, first)) && !joins(last, after)
        };
        found
            .find_iter(text)
            .map(|one| (one.start(), one.end()))
            .filter(|(start, end)| whole(*start, *end))
            .collect()
    }

    /// Whether a text names the person.
    #[must_use]
    pub fn hit(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// A text without the person; `None` when it does not name them.
    #[must_use]
    pub fn redacted(&self, text: &str) -> Option<String> {
        let places = self.places(text);
        if places.is_empty() {
            return None;
        }
        let mut rest = 0;
        let mut clean = String::with_capacity(text.len());
        for (start, end) in places {
            clean.push_str(text.get(rest..start).unwrap_or_default());
            clean.push_str(GONE);
            rest = end;
        }
        clean.push_str(text.get(rest..).unwrap_or_default());
        Some(clean)
    }
}

/// Whether a text ends with a character in the spelling of a URL or of JSON: `%22`, `\\n`, `\\u0022`.
fn ends_in_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let hex = |tail: &[u8]| tail.iter().all(u8::is_ascii_hexdigit);
    bytes
        .last_chunk::<3>()
        .is_some_and(|[sign, tail @ ..]| *sign == b'%' && hex(tail))
        || bytes
            .last_chunk::<6>()
            .is_some_and(|[slash, u, tail @ ..]| (*slash, *u) == (b'\\', b'u') && hex(tail))
        || bytes
            .last_chunk::<2>()
            .is_some_and(|[slash, _]| *slash == b'\\')
}

/// As plain text, inside JSON with and without escapes, inside a URL.
fn spellings(word: &str) -> [String; 4] {
    let quoted = Value::from(word).to_string();
    let inside = quoted.trim_matches('"').to_owned();
    let mut escaped = String::new();
    let mut percent = String::new();
    for char in inside.chars() {
        if char.is_ascii() {
            escaped.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            percent.push(char::from(byte));
        } else {
            let _ = write!(percent, "%{byte:02X}");
        }
    }
    [word.to_owned(), inside, escaped, percent]
}

/// The words by which a stored document names its person.
#[must_use]
pub fn words_of(document: &Value) -> Vec<String> {
    let mut words = Vec::new();
    collect(document, &mut words);
    words
}

fn collect(value: &Value, words: &mut Vec<String>) {
    let Value::Object(fields) = value else {
        return;
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if let (Some(given), Some(family)) = (text("givenName"), text("familyName")) {
        words.push(format!("{given} {family}"));
    }
    for (name, value) in fields {
        match value {
            Value::String(text) if NAMING.contains(&name.as_str()) => words.push(text.clone()),
            Value::Array(elements) if VALUES.contains(&name.as_str()) => {
                let texts = elements
                    .iter()
                    .flat_map(|one| [one.get("value"), one.get("display")])
                    .flatten();
                words.extend(texts.filter_map(Value::as_str).map(str::to_owned));
            }
            Value::Array(elements) => elements.iter().for_each(|one| collect(one, words)),
            // a manager is somebody else
            Value::Object(_) if name != "manager" => collect(value, words),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_person_is_found_as_whole_words_in_any_spelling() {
        let person = Markers::of(["ann@acme.test".to_owned(), "Ann Müller".to_owned()]);
        for text in [
            "userName eq \"ANN@acme.test\"",
            "filter=userName%20eq%20%22ann%40acme.test%22",
            "{\"display\":\"ann müller\"}",
            "{\"display\":\"Ann M\\u00fcller\"}",
            "{\"display\":\"Ann M\\u00FCller\"}",
            "first\\nann@acme.test",
        ] {
            assert!(person.hit(text), "{text}");
            let clean = person.redacted(text).expect("it names her");
            assert!(!person.hit(&clean), "{clean}");
        }
        for text in ["joann@acme.test", "ann@acme.tests", "Ann", ""] {
            assert!(!person.hit(text), "{text}");
            assert_eq!(person.redacted(text), None);
        }
    }

    #[test]
    fn what_is_too_short_names_nobody_and_nothing_is_found_by_no_words() {
        assert!(!Markers::of(["a".to_owned(), " ".to_owned()]).hit("a b"));
        let kept = Markers::from_json(&Markers::of(["x\"y".to_owned()]).to_json());
        assert!(kept.hit("{\"a\":\"x\\\"y\"}"));
    }

    #[test]
    fn a_document_names_its_person_and_nobody_else() {
        let document = json!({"userName": "ann", "name": {"givenName": "Ann", "familyName": "Fox", "formatted": "Ms. Fox"},
            "emails": [{"value": "ann@acme.test", "type": "work"}], "title": "Chef",
            "urn:x": {"employeeNumber": "e-7", "manager": {"value": "1", "displayName": "Bob"}}});
        let mut words = words_of(&document);
        words.sort();
        assert_eq!(words, ["Ann Fox", "Ms. Fox", "ann", "ann@acme.test", "e-7"]);
    }

    proptest::proptest! {
        #[test]
        fn what_was_redacted_names_nobody(word in "[a-zäß@. \"\\\\]{2,12}", before in ".{0,20}", after in ".{0,20}") {
            let markers = Markers::of([word.clone()]);
            let text = format!("{before} {word} {after}");
            if let Some(clean) = markers.redacted(&text) {
                proptest::prop_assert!(!markers.hit(&clean) || clean.contains(GONE));
            }
        }
    }
}
