//! Bodies as the log may keep them: secrets replaced, length bounded.

use std::cell::LazyCell;
use std::sync::{LazyLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde_json::Value;

use crate::scim::fold::fold;
use crate::scim::schema::{Registry, Returned};

/// The longest body kept, in bytes.
pub const MAX_BODY: usize = 64 << 10;

/// What stands where a secret stood.
const HIDDEN: &str = "[redacted]";

/// Member names whose value is never kept, folded.
const SECRET: &[&str] = &[
    "password",
    "authorization",
    "secret",
    "client_secret",
    "clientsecret",
    "token",
    "access_token",
    "accesstoken",
    "refresh_token",
    "refreshtoken",
    "api_key",
    "apikey",
];

/// Finds text that every secret name contains one of, in any case; `\u` because an escape could spell any of them.
static SUSPICIOUS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build([
            "password",
            "authorization",
            "secret",
            "token",
            "api_key",
            "apikey",
            "\\u",
        ])
        .inspect_err(|error| log::error!("every body counts as suspicious: {error}"))
        .ok()
});

/// What an operator's schemas add to [`SECRET`], folded. It only grows: a name that was secret once is not written by a
/// server of this process again.
static DECLARED: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Keeps the values of every attribute that is never returned out of the log (M-26).
pub fn declare_secrets(registry: &Registry) {
    let attributes = registry
        .schemas
        .iter()
        .flat_map(|schema| &schema.attributes);
    let names = attributes
        .flat_map(|def| std::iter::once(def).chain(&def.sub_attributes))
        .filter(|def| def.returned == Returned::Never)
        .map(|def| fold(&def.name));
    let mut declared = DECLARED.write().unwrap_or_else(PoisonError::into_inner);
    for name in names {
        if !declared.contains(&name) && !SECRET.contains(&name.as_str()) {
            declared.push(name);
        }
    }
}

fn is_declared(matches: impl Fn(&str) -> bool) -> bool {
    let declared = DECLARED.read().unwrap_or_else(PoisonError::into_inner);
    declared.iter().any(|name| matches(name))
}

/// A request's or answer's body without its secrets, at most [`MAX_BODY`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Redacts and cuts. Most bodies name no secret and are only looked through; one that does and is no JSON is withheld.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if !is_suspicious(text) {
            return Self(storable(cut(text, MAX_BODY).to_owned()));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                redact(&mut value);
                Self(storable(cut(&value.to_string(), MAX_BODY).to_owned()))
            }
            Err(_) => Self(format!(
                "[{} bytes that are not JSON, withheld: they name a secret]",
                text.len()
            )),
        }
    }

    /// What is left.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A path with its query, unless the query names a secret attribute (`filter=password eq "…"`).
pub fn safe_path(path: &str) -> String {
    match path.split_once('?') {
        // Decoded first: `%70assword` is a password too.
        Some((bare, query)) if is_suspicious(&unescaped(query)) => {
            format!("{}?{HIDDEN}", cut(bare, 2048))
        }
        _ => storable(cut(path, 2048).to_owned()),
    }
}

fn unescaped(query: &str) -> String {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (first, after) {
            (b'%', [high, low, tail @ ..]) => {
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                    bytes.push(high << 4 | low);
                    rest = tail;
                } else {
                    bytes.push(b'%');
                    rest = after;
                }
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_suspicious(text: &str) -> bool {
    let Some(words) = &*SUSPICIOUS else {
        return true;
    };
    // A name in other letters that fold to ASCII (`ﬁ`, full-width, `K`) is caught by folding, paid only by such texts.
    let folded = LazyCell::new(|| fold(text));
    words.is_match(text)
        || (!text.is_ascii() && words.is_match(&**folded))
        || is_declared(|name| folded.contains(name))
}

/// Whether a member's name, or the last part of a path such as `urn:…:User:password`, is a secret's.
fn is_secret(name: &str) -> bool {
    let name = fold(name.trim());
    let last = name.rsplit([':', '.']).next().unwrap_or_default();
    SECRET.contains(&last) || is_declared(|name| name == last)
}

/// Whether a body that was kept lacks a secret which mattered: a password does not, for passwords are discarded.
pub fn is_redacted(body: &Value) -> bool {
    match body {
        Value::String(text) => text == HIDDEN,
        Value::Array(items) => items.iter().any(is_redacted),
        Value::Object(members) => {
            let of_password = members.iter().any(|(name, value)| {
                let path = value.as_str().map(fold);
                name.eq_ignore_ascii_case("path") && path.as_deref() == Some("password")
            });
            members.iter().any(|(name, value)| {
                let password = name.eq_ignore_ascii_case("password")
                    || (of_password && name.eq_ignore_ascii_case("value"));
                !password && is_redacted(value)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A change of a document as the log may keep it.
pub fn safe_changes(changes: &Value) -> String {
    let text = changes.to_string();
    if !is_suspicious(&text) {
        return text;
    }
    let mut changes = changes.clone();
    redact(&mut changes);
    changes.to_string()
}

/// Replaces secrets in place: values under a secret name, the `value` of a PATCH operation whose `path` is one.
fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let by_path = members.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("path") && value.as_str().is_some_and(is_secret)
            });
            for (name, value) in members.iter_mut() {
                if is_secret(name) || (by_path && name.eq_ignore_ascii_case("value")) {
                    *value = HIDDEN.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        _ => {}
    }
}

/// The text without NUL, which PostgreSQL cannot store.
pub fn storable(text: String) -> String {
    if text.as_bytes().contains(&0) {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

/// The longest beginning of at most `max` bytes that ends at a character.
pub fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        Body::of(text).as_str().to_owned()
    }

    #[test]
    fn a_password_never_stays_wherever_it_stands() {
        for body in [
            r#"{"userName":"ann","password":"hunter2"}"#,
            r#"{"userName":"ann","PassWord":"hunter2"}"#,
            r#"{"userName":"ann","p\u0061ssword":"hunter2"}"#,
            r#"{"urn:ietf:params:scim:schemas:core:2.0:User:password":"hunter2"}"#,
            r#"{"Operations":[{"op":"replace","path":"password","value":"hunter2"}]}"#,
            r#"{"Operations":[{"op":"Replace","Path":"urn:ietf:params:scim:schemas:core:2.0:User:Password","Value":"hunter2"}]}"#,
            r#"{"Operations":[{"op":"add","value":{"password":{"value":"hunter2"}}}]}"#,
            r#"{"a":[[{"headers":{"Authorization":"Bearer hunter2"}}]]}"#,
            r#"{"password":"hunter2""#,
            "password=hunter2",
            "{\"\u{ff50}\u{ff41}ssword\":\"hunter2\"}",
        ] {
            let kept = kept(body);
            assert!(!kept.contains("hunter2"), "{body} became {kept}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_was() {
        let body = r#"{ "userName" : "ann",  "title": "Clerk" }"#;
        assert_eq!(kept(body), body, "byte for byte");
        assert_eq!(
            kept(r#"{"userName":"password"}"#),
            r#"{"userName":"password"}"#
        );
        assert_eq!(
            kept(r#"{"b":1,"password":null,"a":2}"#),
            r#"{"b":1,"password":"[redacted]","a":2}"#,
            "in order"
        );
    }

    #[test]
    fn long_bodies_are_cut_at_a_character_after_redaction() {
        let long = format!(r#"{{"title":"{}"}}"#, "é".repeat(MAX_BODY));
        assert!(kept(&long).len() <= MAX_BODY && kept(&long).starts_with(r#"{"title":"é"#));
        let secret = format!(
            r#"{{"title":"{}","password":"hunter2"}}"#,
            "x".repeat(MAX_BODY - 30)
        );
        assert!(!kept(&secret).contains("hunter2"));
    }

    #[test]
    fn a_query_that_names_a_secret_is_left_out() {
        assert_eq!(
            safe_path("/scim/v2/Users?filter=userName%20eq%20%22ann%22"),
            "/scim/v2/Users?filter=userName%20eq%20%22ann%22"
        );
        assert_eq!(
            safe_path("/scim/v2/Users?filter=password%20eq%20%22x%22"),
            "/scim/v2/Users?[redacted]"
        );
        assert_eq!(
            safe_path("/scim/v2/Users?filter=%70assword+eq+%22x%22"),
            "/scim/v2/Users?[redacted]"
        );
        assert_eq!(
            safe_path("/scim/v2/Users?access_token=ey"),
            "/scim/v2/Users?[redacted]"
        );
    }
}
