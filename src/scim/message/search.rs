//! A query's parameters, from a URL or a `.search` body. RFC 7644 §3.4.2, §3.4.3; rows Q-*, P-*, FU-*;
//! the parameter `cursor` of RFC 9865 §2, rows K-*.

use serde_json::Value;

use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::switches::Switches;

/// Resources on one page (E14).
pub const MAX_RESULTS: i64 = 1000;
/// Resources on a page when the request does not say (E14).
pub const DEFAULT_COUNT: i64 = 100;
/// How long a cursor holds, in seconds (E16, K-21).
pub const CURSOR_TIMEOUT: i64 = 3600;
/// A filter in a URL, in bytes (E9, F-60); a `.search` body takes more.
const MAX_FILTER_IN_URL: usize = 8 << 10;
/// Names in `attributes` (E17).
const MAX_NAMES: usize = 100;

/// The parameters of a query, from a URL or a `.search` body, checked and normalized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRequest {
    /// The filter's text; an empty one is kept, so that it is refused as a filter (F-02).
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    /// 1 or more (P-01).
    pub start_index: i64,
    /// 0 to [`MAX_RESULTS`] (P-02, P-03, P-08).
    pub count: i64,
    /// Whether the request said how many; else `count` is the default (P-06).
    pub count_is_given: bool,
    /// Given in cursor mode; empty asks for the first page (K-02).
    pub cursor: Option<String>,
    /// Comma-separated names.
    pub attributes: Option<String>,
    pub excluded_attributes: Option<String>,
}

impl SearchRequest {
    /// Reads a raw query string. Unknown parameters are ignored (H-10).
    ///
    /// # Errors
    /// `invalidValue` for a parameter given twice (FU-05), numbers that are none, both projections at once,
    /// `cursor` beside `startIndex` (K-19); `invalidCount` for a `count` that is no number in cursor mode.
    pub fn from_query(query: &str) -> Result<Self, ScimError> {
        let mut found = Parameters::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            found.put(&decode(name)?, Given::Text(decode(value)?))?;
        }
        if found
            .filter
            .as_ref()
            .is_some_and(|filter| filter.len() > MAX_FILTER_IN_URL)
        {
            return Err(ScimError::new(
                ScimErrorKind::InvalidFilter,
                "a filter in a URL has at most 8 KiB (8192 bytes); send a longer one by POST to .search",
            ));
        }
        found.finish()
    }

    /// Reads a `SearchRequest` message.
    ///
    /// # Errors
    /// `invalidSyntax` for another shape or a missing schema URN, else as [`Self::from_query`].
    pub fn from_body(body: &Value, switches: &Switches) -> Result<Self, ScimError> {
        const URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
        let Value::Object(members) = body else {
            return Err(ScimError::invalid_syntax(
                "a search request is a JSON object",
            ));
        };
        let mut found = Parameters::default();
        let mut named = switches.infer_schemas;
        for (name, value) in members {
            if name.eq_ignore_ascii_case("schemas") {
                let urns = value.as_array().map(Vec::as_slice).unwrap_or_default();
                named = (switches.infer_schemas && urns.is_empty())
                    || urns.iter().any(|urn| {
                        urn.as_str()
                            .is_some_and(|urn| urn.eq_ignore_ascii_case(URN))
                    });
                continue;
            }
            let given = match value {
                Value::Null => continue,
                Value::String(text) => Given::Text(text.clone()),
                Value::Number(number) => Given::Text(number.to_string()),
                // judged once the mode of paging is known
                other if name.eq_ignore_ascii_case("count") => Given::Text(other.to_string()),
                Value::Array(names) => {
                    let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
                    Given::Text(
                        names
                            .ok_or_else(|| {
                                ScimError::invalid_value(format!("{name} is a list of strings"))
                            })?
                            .join(","),
                    )
                }
                Value::Bool(_) | Value::Object(_) => {
                    return Err(ScimError::invalid_value(format!(
                        "{name} has the wrong type"
                    )));
                }
            };
            found.put(name, given)?;
        }
        if !named {
            return Err(ScimError::invalid_syntax(format!(
                "schemas must name {URN}"
            )));
        }
        found.finish()
    }
}

impl SearchRequest {
    /// The request as a connection may send it: what it is not offered is refused where leaving it out would change the
    /// answer's meaning, and ignored where the RFC says so (SP-02).
    ///
    /// # Errors
    /// `invalidFilter` for a filter, `invalidCursor` for a cursor that nobody can have been given.
    pub fn offered(mut self, switches: &Switches) -> Result<Self, ScimError> {
        if !switches.filter && self.filter.is_some() {
            return Err(ScimError::new(
                ScimErrorKind::InvalidFilter,
                "this connection is not offered filters; read the list without one",
            ));
        }
        if !switches.sort {
            self.sort_by = None;
            self.sort_order = None;
        }
        if !switches.cursors {
            match self.cursor.take() {
                Some(cursor) if !cursor.is_empty() => {
                    return Err(ScimError::new(
                        ScimErrorKind::InvalidCursor,
                        "this connection is not offered cursors; read the list by startIndex and count",
                    ));
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

enum Given {
    Text(String),
}

#[derive(Default)]
struct Parameters {
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<i64>,
    count: Option<String>,
    cursor: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl Parameters {
    fn put(&mut self, name: &str, Given::Text(value): Given) -> Result<(), ScimError> {
        let twice = || ScimError::invalid_value(format!("the parameter {name} stands twice"));
        let once = |slot: &mut Option<String>, value: String| {
            if slot.replace(value).is_some() {
                Err(twice())
            } else {
                Ok(())
            }
        };
        match name.to_ascii_lowercase().as_str() {
            "filter" => once(&mut self.filter, value),
            "sortby" if !value.is_empty() => once(&mut self.sort_by, value),
            "sortorder" if !value.is_empty() => once(&mut self.sort_order, value),
            "startindex" if !value.is_empty() => {
                match self.start_index.replace(integer(name, &value)?) {
                    Some(_) => Err(twice()),
                    None => Ok(()),
                }
            }
            "count" if !value.is_empty() => once(&mut self.count, value),
            "cursor" => once(&mut self.cursor, value),
            // repeated projections add up; an empty one counts as absent
            "attributes" if !value.trim().is_empty() => names(&mut self.attributes, name, &value),
            "excludedattributes" if !value.trim().is_empty() => {
                names(&mut self.excluded_attributes, name, &value)
            }
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<SearchRequest, ScimError> {
        if self.attributes.is_some() && self.excluded_attributes.is_some() {
            return Err(ScimError::invalid_value(
                "attributes and excludedAttributes exclude each other; send one of them",
            ));
        }
        if self.cursor.is_some() && self.start_index.is_some() {
            return Err(ScimError::invalid_value(
                "cursor and startIndex exclude each other; send one of them",
            ));
        }
        let count = match &self.count {
            Some(text) => Some(integer("count", text).map_err(|error| ScimError {
                kind: match self.cursor {
                    Some(_) => ScimErrorKind::InvalidCount,
                    None => error.kind,
                },
                ..error
            })?),
            None => None,
        };
        Ok(SearchRequest {
            filter: self.filter,
            sort_by: self.sort_by,
            sort_order: self.sort_order,
            start_index: self.start_index.unwrap_or(1).max(1),
            count: count.unwrap_or(DEFAULT_COUNT).clamp(0, MAX_RESULTS),
            count_is_given: count.is_some(),
            cursor: self.cursor,
            attributes: self.attributes,
            excluded_attributes: self.excluded_attributes,
        })
    }
}

fn names(slot: &mut Option<String>, parameter: &str, value: &str) -> Result<(), ScimError> {
    let all = match slot.take() {
        Some(before) => format!("{before},{value}"),
        None => value.to_owned(),
    };
    if all.len() > 4096 || all.split(',').count() > MAX_NAMES {
        return Err(ScimError::invalid_value(format!(
            "{parameter} takes at most {MAX_NAMES} names in 4096 characters"
        )));
    }
    *slot = Some(all);
    Ok(())
}

fn integer(name: &str, value: &str) -> Result<i64, ScimError> {
    value
        .trim()
        .parse()
        .map_err(|_| ScimError::invalid_value(format!("{name} must be an integer")))
}

/// Percent-decoding with `+` as a space (H-12).
fn decode(text: &str) -> Result<String, ScimError> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let hex = text
                    .get(at + 1..at + 3)
                    .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
                out.push(byte.ok_or_else(|| {
                    ScimError::invalid_value("the query holds a broken percent-encoding")
                })?);
                at += 2;
            }
            other => out.push(*other),
        }
        at += 1;
    }
    String::from_utf8(out).map_err(|_| ScimError::invalid_value("the query is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::error::ScimErrorKind;

    #[test]
    fn parameters_are_read_as_the_rows_say() {
        let search = |query| SearchRequest::from_query(query);
        let plain = search("startIndex=-3&count=-1&foo=1").expect("valid");
        assert_eq!((plain.start_index, plain.count), (1, 0));
        assert_eq!(search("count=5000").expect("valid").count, MAX_RESULTS);
        assert_eq!(search("").expect("valid").count, DEFAULT_COUNT);
        assert_eq!(
            search("filter=userName+eq+%22a%2Bb%22&")
                .expect("valid")
                .filter
                .as_deref(),
            Some("userName eq \"a+b\"")
        );
        assert_eq!(search("startindex=2").expect("valid").start_index, 2);
        assert_eq!(search("count=+5+").expect("valid").count, 5);
        assert_eq!(
            search("filter=").expect("valid").filter.as_deref(),
            Some("")
        );
        assert_eq!(
            search("attributes=a&attributes=b,c")
                .expect("valid")
                .attributes
                .as_deref(),
            Some("a,b,c")
        );
        assert_eq!(
            search("attributes=&excludedAttributes=b")
                .expect("valid")
                .attributes,
            None
        );
        assert_eq!(
            search("sortBy=a&sortOrder=up")
                .expect("valid")
                .sort_order
                .as_deref(),
            Some("up")
        );
        for query in [
            "count=ten",
            "count=1e2",
            "filter=a&filter=b",
            "attributes=a&excludedAttributes=b",
            "filter=%zz",
            "filter=%+1",
            "filter=%",
            "filter=%ff",
            "count=9223372036854775808",
            "cursor=&startIndex=1",
            "cursor=a&cursor=b",
        ] {
            assert_eq!(
                search(query).map_err(|error| error.kind),
                Err(ScimErrorKind::InvalidValue),
                "{query}"
            );
        }
    }

    #[test]
    fn a_cursor_is_told_from_none_and_makes_a_bad_count_its_own_error() {
        let search = |query| SearchRequest::from_query(query);
        for query in ["cursor", "cursor=", "count=3&Cursor="] {
            assert_eq!(
                search(query).expect("valid").cursor.as_deref(),
                Some(""),
                "{query}"
            );
        }
        assert_eq!(search("count=3").expect("valid").cursor, None);
        assert!(!search("cursor").expect("valid").count_is_given);
        assert_eq!(search("cursor&count=-4").expect("valid").count, 0);
        let kind = search("cursor&count=ten").map_err(|error| error.kind);
        assert_eq!(kind, Err(ScimErrorKind::InvalidCount));
        let body = |count: Value| {
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"];
            let body = json!({"schemas": schemas, "count": count, "cursor": ""});
            SearchRequest::from_body(&body, &Switches::default()).map_err(|error| error.kind)
        };
        for count in [json!(true), json!([1]), json!({}), json!("x"), json!(1.5)] {
            assert_eq!(body(count), Err(ScimErrorKind::InvalidCount));
        }
        assert_eq!(body(json!(7)).map(|request| request.count), Ok(7));
    }

    #[test]
    fn a_search_body_says_what_the_query_says() {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "title pr", "attributes": ["userName"], "startIndex": 2, "count": 1,
        });
        let query =
            SearchRequest::from_query("filter=title%20pr&attributes=userName&startIndex=2&count=1");
        assert_eq!(SearchRequest::from_body(&body, &Switches::default()), query);
        for (change, kind) in [
            (json!({"schemas": []}), ScimErrorKind::InvalidSyntax),
            (json!({"schemas": null}), ScimErrorKind::InvalidSyntax),
            (json!({"count": 1.0}), ScimErrorKind::InvalidValue),
            (json!({"count": true}), ScimErrorKind::InvalidValue),
            (json!({"attributes": [5]}), ScimErrorKind::InvalidValue),
            (
                json!({"excludedAttributes": "title"}),
                ScimErrorKind::InvalidValue,
            ),
        ] {
            let mut body = body.clone();
            for (name, value) in change.as_object().expect("an object") {
                body[name] = value.clone();
            }
            assert_eq!(
                SearchRequest::from_body(&body, &Switches::default()).map_err(|error| error.kind),
                Err(kind),
                "{change}"
            );
        }
        assert_eq!(
            SearchRequest::from_body(&json!([]), &Switches::default()).map_err(|error| error.kind),
            Err(ScimErrorKind::InvalidSyntax)
        );
    }
}
