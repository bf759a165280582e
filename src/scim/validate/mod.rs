//! What may come in: a body against its schema, and the one place where a
//! [`Resource`](super::resource::Resource) is made from input.
//!
//! The matrix characteristic × context, with three outcomes: accept, ignore, refuse. Rules: `scim-conformance.md` §2.3
//! to §2.5 (types, elements, empty values), §3.1 and §10 (`schemas`, unknown names), §11 (POST), §18 (PUT). PATCH uses
//! [`normalize`] for its values and [`check_whole`] for its result. Not here: whether a unique value is taken, whether
//! a member exists.

mod accept;
mod contents;
mod members;
mod note;
mod schemas;
mod value;
mod whole;

#[cfg(test)]
mod tests;

pub(in crate::scim) use accept::refuse_twins;
pub use accept::{Accepted, Context, accept};
pub use contents::check_contents;
pub(in crate::scim) use members::read as read_members;
pub use members::{MAX_MEMBERS, MemberInput, MembersInput};
pub use value::{MAX_VALUES, normalize};
pub use whole::check_whole;
