//! What a PATCH came to: the new document, and what is to happen to the members.

use crate::scim::filter::checked::CheckedFilter;
use crate::scim::message::Note;
use crate::scim::resource::Resource;
use crate::scim::validate::MemberInput;

/// The result of a PATCH. Nothing is stored yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The whole resource after all operations; it has passed `check_whole`.
    pub resource: Resource,
    /// Whether the document differs from the one before. Members are not looked at (see [`Applied::members`]).
    pub changed: bool,
    /// What happens to the detached members, in the order of the operations. Whether anything moves, the store tells.
    pub members: Vec<MembersChange>,
    /// What was ignored or rewritten, for the sync log.
    pub notes: Vec<Note>,
}

/// One change to the detached members of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum MembersChange {
    /// These become members; who is one already stays untouched (PA-34).
    Add(Vec<MemberInput>),
    /// These cease to be members; who is none is no error (PA-48).
    Remove(Vec<String>),
    /// Exactly these are the members afterwards; never empty.
    ReplaceAll(Vec<MemberInput>),
    /// Nobody is a member afterwards.
    RemoveAll,
    /// Those for whom the filter holds cease to be members. Its tests name sub-attributes of `members`.
    RemoveWhere(CheckedFilter),
}
