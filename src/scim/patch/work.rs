//! The document between two steps of a PATCH.

use serde_json::{Map, Value};

use crate::scim::message::Note;
use crate::scim::switches::Switches;

/// The document between two steps. Dropped on the first error, so nothing half done is ever seen (PA-08).
pub(super) struct Work<'a> {
    pub document: Map<String, Value>,
    pub switches: &'a Switches,
    pub notes: Vec<Note>,
}
