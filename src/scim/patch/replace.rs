//! `replace`. RFC 7644 §3.5.2.3; PA-37..PA-43.
//!
//! Only a whole multi-valued attribute is treated otherwise than by `add`; `add.rs` knows the rest by its `Mode`.

use serde_json::Value;

use super::add::{Mode, write_elements, write_single};
use super::document::put;
use super::elements::{dedupe, is_primary};
use super::target::Place;
use super::work::Work;
use crate::scim::error::ScimError;
use crate::scim::validate;

/// Runs a `replace`.
pub(super) fn replace(work: &mut Work<'_>, place: &Place, value: Value) -> Result<(), ScimError> {
    let def = &place.attr.def;
    if !def.multi_valued {
        return write_single(work, place, value, Mode::Replace);
    }
    if place.filter.is_some() || place.attr.sub.is_some() {
        return write_elements(work, place, value, Mode::Replace);
    }
    let path = place.shown();
    let elements = match validate::normalize(def, &path, value, work.switches, &mut work.notes)? {
        Some(Value::Array(elements)) => dedupe(def, &path, elements)?,
        _ => Vec::new(),
    };
    if elements
        .iter()
        .filter(|element| is_primary(element))
        .count()
        > 1
    {
        return Err(ScimError::invalid_value(format!(
            "{path}: only one value can be primary"
        )));
    }
    put(
        &mut work.document,
        &place.attr,
        Some(Value::Array(elements)),
    );
    Ok(())
}
