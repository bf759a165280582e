//! PATCH: from the message to a changed document. RFC 7644 §3.5.2.
//!
//! [`PatchRequest::parse`] reads the message, [`compile`] resolves its paths against the schema, [`apply`] runs the
//! steps on a copy of the stored document. `members` of a group is detached: it never appears in a document, so
//! operations on it come out as [`MembersChange`]s for the store, in order, without looking at stored members.
//! Not here: uniqueness and references (they need the database), versions, the answer.

mod add;
mod apply;
mod changes;
mod compile;
mod document;
mod elements;
#[cfg(test)]
mod laws;
mod members;
mod remove;
mod replace;
mod request;
mod target;
#[cfg(test)]
mod vectors;
mod work;

use crate::scim::message::Note;

pub use apply::apply;
pub use changes::{Applied, MembersChange};
pub use compile::{CompiledPatch, compile};
pub use request::{MAX_OPERATIONS, Op, Operation, PatchRequest};

/// Notes of one PATCH: ten thousand unknown names are summed up, not listed.
const MAX_NOTES: usize = 100;

fn note(notes: &mut Vec<Note>, code: &'static str, path: impl Into<String>) {
    if notes.len() < MAX_NOTES {
        notes.push(Note {
            code,
            path: path.into(),
        });
    }
}
