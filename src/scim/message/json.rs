//! Bytes of a body → one JSON value, strictly. H-37, M-10, W-14, W-15, E3, A23, A24.
//!
//! What serde_json lets pass in silence is refused here: a name that stands twice, deep nesting, characters no
//! database keeps, and numbers that would come back changed (T-04).

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::scim::error::ScimError;

/// Nesting of JSON bodies (E3).
pub const MAX_NESTING: usize = 32;
/// Of a name or number in an error's sentence.
const LONGEST_SHOWN: usize = 64;

/// Parses a body: UTF-8 with or without a byte order mark, one JSON value, nothing after it.
///
/// # Errors
/// `invalidSyntax` for what is no JSON, a name that stands twice and nesting deeper than [`MAX_NESTING`];
/// `invalidValue` for U+0000, half a surrogate pair, and a number with more digits than are kept.
pub fn parse_json(bytes: &[u8]) -> Result<Value, ScimError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ScimError::invalid_syntax("the body is not UTF-8"))?;
    survey(text)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        ScimError::invalid_syntax(format!("the body is not readable as JSON: {error}"))
    })
}

/// One look at the text before anything is built of it.
fn survey(text: &str) -> Result<(), ScimError> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at + 1)?;
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_NESTING {
                    return Err(ScimError::invalid_syntax(format!(
                        "the body is nested deeper than {MAX_NESTING} levels"
                    )));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = bytes
                    .iter()
                    .skip(at)
                    .take_while(|byte| is_part(byte))
                    .count();
                number(text.get(at..at + length).unwrap_or_default())?;
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Walks a string from behind its opening quote to behind its closing one.
fn string_end(bytes: &[u8], mut at: usize) -> Result<usize, ScimError> {
    let mut high = false;
    loop {
        let unit = match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\\'), Some(b'u')) => bytes.get(at + 2..at + 6).and_then(code_unit),
            _ => None,
        };
        let low = unit.is_some_and(|unit| (0xDC00..0xE000).contains(&unit));
        if high != low {
            return Err(ScimError::invalid_value(
                "a string holds half of a surrogate pair",
            ));
        }
        if unit == Some(0) {
            return Err(ScimError::invalid_value(
                "a string holds the character U+0000",
            ));
        }
        high = unit.is_some_and(|unit| (0xD800..0xDC00).contains(&unit));
        at += match bytes.get(at) {
            None => return Ok(at),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => {
                if unit.is_some() {
                    6
                } else {
                    2
                }
            }
            Some(_) => 1,
        };
    }
}

fn code_unit(digits: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

/// Refuses a number that would be stored as another one; what is no number at all is the parser's to refuse.
fn number(token: &str) -> Result<(), ScimError> {
    if token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok() {
        return Ok(());
    }
    let Ok(kept) = serde_json::from_str::<f64>(token) else {
        return Ok(());
    };
    if significant(token) == significant(&kept.to_string()) {
        return Ok(());
    }
    let shown: String = token.chars().take(LONGEST_SHOWN).collect();
    Err(ScimError::invalid_value(format!(
        "the number {shown} has more digits than are kept; send it as a string"
    )))
}

/// A decimal's digits without zeros at either end, and the exponent of the last one: equal for equal numbers.
fn significant(number: &str) -> Option<(String, i64)> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let trimmed = digits.trim_end_matches('0');
    if trimmed.is_empty() {
        return Some((String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - trimmed.len()).ok()?;
    let exponent = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(dropped)?;
    Some((trimmed.trim_start_matches('0').to_owned(), exponent))
}

/// Builds a `Value` and refuses a name that stands twice in one object, which serde_json's own reader keeps silent about.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(Strict)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            match members.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(place) => {
                    let name: String = place.key().chars().take(LONGEST_SHOWN).collect();
                    return Err(A::Error::custom(format_args!(
                        "the name {name:?} stands twice in one object"
                    )));
                }
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::error::ScimErrorKind::{self, InvalidSyntax, InvalidValue};

    fn kind(bytes: &[u8]) -> Option<ScimErrorKind> {
        parse_json(bytes).err().map(|error| error.kind)
    }

    #[test]
    fn a_body_is_one_json_value_without_tricks() {
        for good in [
            &b"\xEF\xBB\xBF{\"a\":1}"[..],
            b" [1, -2.5e3, null] ",
            br#""\ud83d\ude00 \\u0000 \" [""#,
            b"true",
        ] {
            assert_eq!(kind(good), None, "{}", String::from_utf8_lossy(good));
        }
        for broken in [
            &b""[..],
            b"{",
            b"{\"a\":1} x",
            b"{}{}",
            b"{\"a\":1,\"a\":2}",
            b"[{\"a\":{\"b\":1,\"b\":1}}]",
            b"\xff",
            b"{\"a\":NaN}",
            b"\xfe\xff\x00{",
            b"\"\\u12\"",
            b"\"\\",
            b"\"\\u",
            b"01",
            b"1e999",
            b"{'a':1}",
            b"[1,]",
            b"\"\n\"",
        ] {
            assert_eq!(
                kind(broken),
                Some(InvalidSyntax),
                "{}",
                String::from_utf8_lossy(broken)
            );
        }
    }

    #[test]
    fn characters_no_database_keeps_are_refused() {
        for text in [
            r#""\u0000""#,
            r#"{"\u0000":1}"#,
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\ud800""#,
            r#""\ud83dx\ude00""#,
        ] {
            assert_eq!(kind(text.as_bytes()), Some(InvalidValue), "{text}");
        }
    }

    #[test]
    fn nesting_is_counted_before_anything_is_built() {
        let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert_eq!(kind(&nested(MAX_NESTING)), None);
        assert_eq!(kind(&nested(MAX_NESTING + 1)), Some(InvalidSyntax));
        assert_eq!(kind(&nested(1_000_000)), Some(InvalidSyntax));
        assert_eq!(kind(format!("\"{}\"", "[".repeat(100)).as_bytes()), None);
    }

    #[test]
    fn a_number_comes_back_as_it_was_or_is_refused() {
        for number in [
            "0",
            "-0",
            "1.10",
            "0.1",
            "-1.5e-7",
            "123456789012345.5",
            "18446744073709551615",
            "1e22",
            "0.000",
            "5E+2",
        ] {
            assert_eq!(kind(number.as_bytes()), None, "{number}");
        }
        for number in [
            "0.12345678901234567890",
            "123456789012345678901234567",
            "1.0000000000000000001",
        ] {
            assert_eq!(kind(number.as_bytes()), Some(InvalidValue), "{number}");
        }
    }
}
