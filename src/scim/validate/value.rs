//! One attribute value → its canonical stored form. RFC 7643 §2.3, §2.4, §2.5; rows T-*, M-50 to M-66, E6, E7, W-14.

use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::{Map, Value};

use super::members::reference;
use super::note::{excerpt, note, unknown_attribute};
use crate::clock::Instant;
use crate::scim::error::ScimError;
use crate::scim::fold::fold;
use crate::scim::message::Note;
use crate::scim::schema::{AttributeDef, Mutability, Type, Uniqueness};
use crate::scim::switches::Switches;

/// Values of one multi-valued attribute (E7).
pub const MAX_VALUES: usize = 200;
/// Characters of a string, of a name that is looked up, of a URI or formatted text; bytes of a binary (E6).
const MAX_STRING: usize = 4096;
const MAX_KEY: usize = 512;
const MAX_LONG_STRING: usize = 8192;
const MAX_BINARY: usize = 64 << 10;

/// Padding or none: both are base64 (T-08).
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Checks one attribute's value and brings it into the stored form; `None` means unassigned.
///
/// `path` is what an error names. Sub-attributes the server computes are left out; whether the attribute itself may
/// be written is the caller's question.
///
/// # Errors
/// `invalidValue`, naming the path, never the value.
pub fn normalize(
    attr: &AttributeDef,
    path: &str,
    value: Value,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<Option<Value>, ScimError> {
    if attr.mutability == Mutability::WriteOnly {
        // U-04: never stored, so its content does not matter
        if !value.is_null() {
            note(notes, "password_discarded", path);
        }
        return Ok(None);
    }
    let mut input = Input { switches, notes };
    if attr.multi_valued {
        input.list(attr, path, value)
    } else {
        input.single(attr, path, value)
    }
}

/// What every step needs beside the value.
struct Input<'a> {
    switches: &'a Switches,
    notes: &'a mut Vec<Note>,
}

impl Input<'_> {
    fn list(
        &mut self,
        attr: &AttributeDef,
        path: &str,
        value: Value,
    ) -> Result<Option<Value>, ScimError> {
        let complex = attr.attribute_type == Type::Complex;
        let elements = match value {
            Value::Null => return Ok(None),
            Value::Array(elements) => elements,
            object @ Value::Object(_) if complex && self.switches.wrap_scalar => vec![object],
            // a client that clears everything with "" means the list too (D-38)
            Value::String(text)
                if text.is_empty() && self.switches.wrap_scalar && !attr.detached =>
            {
                return Ok(None);
            }
            other => return Err(wrong(path, "an array", &other)),
        };
        if elements.len() > MAX_VALUES && !attr.detached {
            return Err(ScimError::invalid_value(format!(
                "{path} holds more than {MAX_VALUES} values"
            )));
        }
        let objects = elements.iter().any(Value::is_object);
        if objects
            && elements
                .iter()
                .any(|element| !element.is_object() && !element.is_null())
        {
            return Err(ScimError::invalid_value(format!(
                "{path} mixes objects with other values"
            )));
        }
        let mut kept = Vec::with_capacity(elements.len());
        for (index, element) in elements.into_iter().enumerate() {
            let path = format!("{path}[{index}]");
            let element = if complex {
                self.complex(attr, &path, element)?
                    .filter(|element| !is_bare(element))
            } else if element.is_null() {
                None
            } else {
                self.scalar(attr, &path, element)?
            };
            kept.extend(element);
        }
        let merged = merge_equal(attr, kept);
        Ok(if merged.is_empty() {
            None
        } else {
            Some(Value::Array(merged))
        })
    }

    fn single(
        &mut self,
        attr: &AttributeDef,
        path: &str,
        value: Value,
    ) -> Result<Option<Value>, ScimError> {
        match value {
            Value::Null => Ok(None),
            Value::Array(elements) if elements.is_empty() => Ok(None),
            value if attr.attribute_type != Type::Complex => self.scalar(attr, path, value),
            Value::Array(mut elements) if elements.len() == 1 && self.switches.wrap_scalar => {
                self.complex(attr, path, elements.pop().unwrap_or_default())
            }
            value => self.complex(attr, path, value),
        }
    }

    /// A complex value; a bare string is taken for its `value` (PA-17, T-15).
    fn complex(
        &mut self,
        attr: &AttributeDef,
        path: &str,
        value: Value,
    ) -> Result<Option<Value>, ScimError> {
        let wraps = self.switches.wrap_scalar && attr.sub("value").is_some();
        let object = match value {
            Value::Null => return Ok(None),
            Value::Object(object) => object,
            Value::String(text) if wraps => {
                Map::from_iter([("value".to_owned(), Value::String(text))])
            }
            other => return Err(wrong(path, "an object", &other)),
        };
        let mut out = Map::with_capacity(object.len());
        let mut stand_in = None;
        for (key, value) in object {
            let Some(sub) = attr.sub(&key) else {
                match value {
                    // OneLogin's templates name the id of a manager `managerId`
                    Value::String(id) if key.eq_ignore_ascii_case(&format!("{}Id", attr.name)) => {
                        stand_in = Some(id)
                    }
                    _ => unknown_attribute(&format!("{path}.{key}"), self.switches, self.notes)?,
                }
                continue;
            };
            if sub.derived || sub.mutability == Mutability::ReadOnly {
                if let (true, Value::String(uri)) = (sub.attribute_type == Type::Reference, &value)
                {
                    stand_in = stand_in.or_else(|| Some(reference(uri).0.to_owned()));
                }
                continue;
            }
            if let Some(value) = normalize(
                sub,
                &format!("{path}.{}", sub.name),
                value,
                self.switches,
                self.notes,
            )? {
                out.insert(sub.name.clone(), value);
            }
        }
        // T-13: a reference stands in for a missing value
        if let (false, Some(sub), Some(id)) =
            (out.contains_key("value"), attr.sub("value"), stand_in)
        {
            let id = self.scalar(sub, &format!("{path}.value"), Value::String(id))?;
            out.extend(id.map(|id| ("value".to_owned(), id)));
        }
        Ok(if out.is_empty() {
            None
        } else {
            Some(Value::Object(out))
        })
    }

    fn scalar(
        &mut self,
        attr: &AttributeDef,
        path: &str,
        value: Value,
    ) -> Result<Option<Value>, ScimError> {
        match attr.attribute_type {
            Type::Boolean => self.boolean(path, value).map(Some),
            Type::Integer => match &value {
                Value::Number(number) if number.is_i64() => Ok(Some(value)),
                _ => Err(wrong(
                    path,
                    "an integer of at most 64 bits, without fraction or exponent",
                    &value,
                )),
            },
            Type::Decimal => match &value {
                Value::Number(_) => Ok(Some(value)),
                _ => Err(wrong(path, "a number", &value)),
            },
            Type::Complex => Err(wrong(path, "an object", &value)),
            Type::String | Type::DateTime | Type::Binary | Type::Reference => match value {
                // M-64
                Value::String(text) if text.is_empty() => Ok(None),
                Value::String(text) => {
                    text_value(attr, path, text).map(|text| Some(Value::String(text)))
                }
                other => Err(wrong(path, "a string", &other)),
            },
        }
    }

    /// T-03: the strings `true` and `false` in any case, nothing else.
    fn boolean(&mut self, path: &str, value: Value) -> Result<Value, ScimError> {
        let flag = match &value {
            Value::Bool(_) => return Ok(value),
            Value::String(text)
                if self.switches.bool_strings && text.eq_ignore_ascii_case("true") =>
            {
                true
            }
            Value::String(text)
                if self.switches.bool_strings && text.eq_ignore_ascii_case("false") =>
            {
                false
            }
            other => return Err(wrong(path, "true or false", other)),
        };
        note(self.notes, "string_boolean", path);
        Ok(Value::Bool(flag))
    }
}

fn text_value(attr: &AttributeDef, path: &str, text: String) -> Result<String, ScimError> {
    if text.contains('\0') {
        return Err(ScimError::invalid_value(format!(
            "{path} holds the character U+0000"
        )));
    }
    if attr.attribute_type == Type::Binary {
        return binary(path, &text);
    }
    let longest = match attr.name.as_str() {
        "userName" | "externalId" => MAX_KEY,
        // what is unique is compared whole, in an index
        _ if attr.uniqueness != Uniqueness::None => MAX_KEY,
        "formatted" => MAX_LONG_STRING,
        _ if attr.attribute_type == Type::Reference => MAX_LONG_STRING,
        _ => MAX_STRING,
    };
    // a character is a byte at least: short texts need no counting
    if text.len() > longest && text.chars().count() > longest {
        return Err(ScimError::invalid_value(format!(
            "{path} is longer than {longest} characters"
        )));
    }
    match attr.attribute_type {
        Type::DateTime => date_time(path, &text),
        _ if is_email(attr, path) && !looks_like_email(&text) => Err(ScimError::invalid_value(
            format!("{path} is not an e-mail address"),
        )),
        // M-34: a suggested value in its suggested spelling, anything else as it is
        _ => match attr
            .canonical_values
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&text))
        {
            Some(known) => Ok(known.clone()),
            None => Ok(text),
        },
    }
}

/// T-06, T-07: date and time with a capital `T` and `Z`, to UTC in milliseconds.
fn date_time(path: &str, text: &str) -> Result<String, ScimError> {
    let instant = if text.contains('z') {
        None
    } else {
        Instant::parse(text)
    };
    match instant {
        Some(instant) => Ok(instant.to_string()),
        None => Err(ScimError::invalid_value(format!(
            "{path} must be a date and time such as 2026-03-01T12:00:00Z"
        ))),
    }
}

/// T-08, T-09: either alphabet, padded or not, to the standard form.
fn binary(path: &str, text: &str) -> Result<String, ScimError> {
    let standard: String = text
        .chars()
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    let bytes = ANY_PADDING
        .decode(&standard)
        .map_err(|_| ScimError::invalid_value(format!("{path} must be base64")))?;
    if bytes.len() > MAX_BINARY {
        return Err(ScimError::invalid_value(format!(
            "{path} is longer than {MAX_BINARY} bytes"
        )));
    }
    Ok(STANDARD.encode(bytes))
}

fn is_email(attr: &AttributeDef, path: &str) -> bool {
    attr.name == "value"
        && path
            .get(..6)
            .is_some_and(|head| head.eq_ignore_ascii_case("emails"))
}

/// U-15: loosely; an internationalized address is one too.
fn looks_like_email(text: &str) -> bool {
    let around = text.rsplit_once('@');
    around.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !text.contains(char::is_whitespace)
}

/// An element that says nothing but which kind it would be (M-58).
fn is_bare(element: &Value) -> bool {
    element
        .as_object()
        .is_some_and(|object| object.keys().all(|key| key == "type" || key == "primary"))
}

/// M-55: equal elements become one at the first one's place, later sub-attributes win.
fn merge_equal(attr: &AttributeDef, elements: Vec<Value>) -> Vec<Value> {
    let mut known: HashMap<String, usize> = HashMap::with_capacity(elements.len());
    let mut merged: Vec<Value> = Vec::with_capacity(elements.len());
    for element in elements {
        let key = identity(attr, &element);
        match known.get(&key).and_then(|&index| merged.get_mut(index)) {
            Some(present) => {
                if let (Value::Object(present), Value::Object(new)) = (present, element) {
                    present.extend(new);
                }
            }
            None => {
                known.insert(key, merged.len());
                merged.push(element);
            }
        }
    }
    merged
}

/// What makes two elements the same: `type` and `value`; without a `value`, everything.
fn identity(attr: &AttributeDef, element: &Value) -> String {
    let part = |name: &str| {
        let value = element.get(name)?;
        Some(
            attr.sub(name)
                .map_or_else(|| value.to_string(), |sub| comparable(sub, value)),
        )
    };
    match part("value") {
        Some(value) => format!("{value}\0{}", part("type").unwrap_or_default()),
        None if element.is_object() => {
            let mut parts: Vec<String> = attr
                .sub_attributes
                .iter()
                .filter_map(|sub| Some(format!("{}\0{}", sub.name, element.get(&sub.name)?)))
                .collect();
            parts.sort_unstable();
            format!("\u{1}{}", parts.join("\u{1}"))
        }
        None => comparable(attr, element),
    }
}

fn comparable(def: &AttributeDef, value: &Value) -> String {
    match value {
        Value::String(text) if def.attribute_type == Type::String && !def.case_exact => fold(text),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn wrong(path: &str, wanted: &str, got: &Value) -> ScimError {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    ScimError::invalid_value(format!("{} must be {wanted}, not {got}", excerpt(path)))
}
