//! The members of a group that is too large for one string: their ids in one snapshot, their text piece by piece.
//!
//! Sixteen bytes for each member are held, and the text of [`MEMBERS_AT_A_TIME`] of them. The ids are what the group's
//! version stands for; names are looked up while the text is made, each piece in a short read of its own, so that a slow
//! client holds no connection and no snapshot (C22, C28).

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::ids::{GroupId, UserId};
use crate::store::Db;
use crate::store::queries::membership_views;

use super::super::{Scope, ServiceError};
use super::document;
use super::types::{Kind, id_of};

/// Members in one piece of text.
pub const MEMBERS_AT_A_TIME: usize = 1000;
/// Ids read by one statement.
const IDS_AT_A_TIME: i64 = 20_000;

/// Which parts of a member are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberView {
    pub value: bool,
    pub reference: bool,
    pub kind: bool,
    pub display: bool,
}

/// The ids of a group's members, in their order. Errors: not found for text that is no id.
pub fn member_ids(db: &mut Db, scope: &Scope, group: &str) -> Result<Vec<UserId>, ServiceError> {
    let group: GroupId = id_of(Kind::Group, group)?;
    let mut all = Vec::new();
    loop {
        let after = all.last().copied();
        let batch =
            membership_views::member_ids_after(db, scope.tenant, group, after, IDS_AT_A_TIME)?;
        let is_last = i64::try_from(batch.len()).unwrap_or(0) < IDS_AT_A_TIME;
        all.extend(batch);
        if is_last {
            return Ok(all);
        }
    }
}

/// Some members as the inside of a JSON array.
pub fn members_text(
    db: &mut Db,
    scope: &Scope,
    base: &str,
    view: MemberView,
    ids: &[UserId],
) -> Result<String, ServiceError> {
    let mut names: HashMap<UserId, String> = HashMap::new();
    if view.display {
        let found = membership_views::names_of(db, scope.tenant, ids)?;
        names.extend(found.into_iter().map(|one| (one.user_id, one.user_name)));
    }
    let mut out = String::with_capacity(ids.len() * (base.len() + 180));
    for id in ids {
        out.push_str(if out.is_empty() { "{" } else { ",{" });
        let mut separator = "";
        // writing to a String cannot fail
        if view.value {
            let _ = write!(out, "\"value\":\"{id}\"");
            separator = ",";
        }
        if view.reference {
            let _ = write!(out, "{separator}\"$ref\":\"{base}/Users/{id}\"");
            separator = ",";
        }
        if view.kind {
            let _ = write!(out, "{separator}\"type\":\"User\"");
            separator = ",";
        }
        if let Some(name) = names.get(id) {
            let _ = write!(out, "{separator}\"display\":{}", document::text(name));
        }
        out.push('}');
    }
    Ok(out)
}
