//! What the steps share: notes for the sync log, paths, and what happens to unknown names.

use crate::scim::error::ScimError;
use crate::scim::message::Note;
use crate::scim::schema::Schema;
use crate::scim::switches::Switches;

/// Notes of one request; a body of ten thousand unknown names is summed up, not listed.
pub(super) const MAX_NOTES: usize = 100;

/// An attribute's path: its name, after the URN of its extension.
pub(super) fn path_of(extension: Option<&Schema>, name: &str) -> String {
    match extension {
        Some(schema) => format!("{}:{name}", schema.id),
        None => name.to_owned(),
    }
}

/// W-09, W-11: an unknown name is left out and noted, or refused under a strict switch.
pub(super) fn unknown_attribute(
    path: &str,
    switches: &Switches,
    notes: &mut Vec<Note>,
) -> Result<(), ScimError> {
    if !switches.ignore_unknown_attrs {
        return Err(ScimError::invalid_value(format!(
            "no schema defines the attribute {}",
            excerpt(path)
        )));
    }
    note(notes, "unknown_attribute", excerpt(path));
    Ok(())
}

/// Adds a note, as long as there is room.
pub(super) fn note(notes: &mut Vec<Note>, code: &'static str, path: impl Into<String>) {
    if notes.len() < MAX_NOTES {
        notes.push(Note {
            code,
            path: path.into(),
        });
    }
}

/// Input as it may stand in a sentence: cut when long.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
