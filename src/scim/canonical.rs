//! The canonical form of e-mail addresses and telephone numbers, for `display`. RFC 7643 §2.4, §4.1.2; row M-57.
//!
//! A `value` goes out as it came in (M-30). Who asks for `emails` or `phoneNumbers` by name also reads the canonical form, in
//! the `display` of an element that has none of its own; nobody else does, because a client that compares what it wrote with
//! what it reads would take it for a difference.

use serde_json::{Map, Value};

/// Fills `display` in the elements of `emails` and `phoneNumbers` that have none, where the canonical form differs.
pub fn fill_display(attribute: &str, value: &mut Value) {
    let canonical = match attribute {
        "emails" => email,
        "phoneNumbers" => telephone,
        _ => return,
    };
    let elements = value.as_array_mut().into_iter().flatten();
    for element in elements.filter_map(Value::as_object_mut) {
        fill(element, canonical);
    }
}

fn fill(element: &mut Map<String, Value>, canonical: fn(&str) -> Option<String>) {
    let Some(value) = element.get("value").and_then(Value::as_str) else {
        return;
    };
    if let Some(display) = canonical(value).filter(|display| display != value)
        && !element.contains_key("display")
    {
        element.insert("display".to_owned(), display.into());
    }
}

/// The address with its domain in lower case; the part before it is the mailbox's own business (RFC 5321 §2.4).
fn email(value: &str) -> Option<String> {
    let (mailbox, domain) = value.rsplit_once('@')?;
    Some(format!("{mailbox}@{}", domain.to_lowercase()))
}

/// An international number as RFC 3966 writes it; a local one means nothing elsewhere and has no such form.
fn telephone(value: &str) -> Option<String> {
    let scheme = value
        .get(..4)
        .filter(|head| head.eq_ignore_ascii_case("tel:"));
    let number = value.get(scheme.map_or(0, str::len)..)?.trim();
    let digits = number.strip_prefix('+')?;
    let mut plain = String::with_capacity(digits.len() + 5);
    plain.push_str("tel:+");
    let mut count = 0;
    for c in digits.chars() {
        match c {
            '0'..='9' => {
                plain.push(c);
                count += 1;
            }
            // separators for the eye
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return None,
        }
    }
    // E.164: fifteen digits at most
    (1..=15).contains(&count).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::{email, telephone};

    #[test]
    fn a_domain_is_lower_case_and_a_mailbox_is_not_touched() {
        // M-57
        assert_eq!(email("Ada.O@ACME.Test").as_deref(), Some("Ada.O@acme.test"));
        assert_eq!(email("\"a@b\"@X.test").as_deref(), Some("\"a@b\"@x.test"));
        assert_eq!(email("ada"), None);
    }

    #[test]
    fn an_international_number_is_a_tel_uri_and_a_local_one_is_left_alone() {
        // M-57
        let plain = Some("tel:+12015550123");
        for written in [
            "+1-201-555-0123",
            "+1 (201) 555.0123",
            "tel:+1-201-555-0123",
            "TEL:+12015550123",
        ] {
            assert_eq!(telephone(written).as_deref(), plain, "{written}");
        }
        for local in [
            "555 0123",
            "+",
            "+1 201 CALL",
            "+1;ext=5",
            "+1234567890123456",
            "té:+1",
        ] {
            assert_eq!(telephone(local), None, "{local}");
        }
    }
}
