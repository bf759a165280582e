//! The switches of one connection: which deviations it may send (`scim-conformance.md` §0), and which optional parts of
//! the protocol it is offered (SP-02).

use serde::{Deserialize, Serialize};

/// What a PUT of a group without `members` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OmittedMembers {
    Keep,
    Clear,
}

/// What happens to member ids that do not exist, beside ids that do (T-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMember {
    SkipAndWarn,
    Reject,
}

/// Which deviations from the RFC are taken. [`Switches::default`] is the product's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    pub ci_ops: bool,
    pub bool_strings: bool,
    pub remove_value_list: bool,
    pub dotted_keys: bool,
    pub wrap_scalar: bool,
    pub bracket_sub_filter: bool,
    pub ignore_unknown_attrs: bool,
    pub ignore_unknown_schemas: bool,
    pub put_omitted_members: OmittedMembers,
    pub unknown_scim_member: UnknownMember,
    pub replace_creates: bool,
    pub infer_schemas: bool,
    /// `addresses.country` may hold any text (U-13).
    pub any_country: bool,
    /// `x509Certificates.value` may hold any bytes (U-14).
    pub any_certificate: bool,
    /// `manager.value` may name nobody (N-03).
    pub any_manager: bool,
    /// PUT, PATCH and DELETE must carry `If-Match` (ET-12): no tolerance, but a demand, and off in the strict mode too.
    pub require_if_match: bool,
    /// Optional parts of the protocol. What is off is announced as unsupported and not done (SP-02); none is a tolerance, so
    /// the strict mode offers them all. ETags have no switch (ET-14).
    pub patch: bool,
    pub bulk: bool,
    pub filter: bool,
    pub sort: bool,
    /// Pages by cursor; pages by index are always there.
    pub cursors: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            ci_ops: true,
            bool_strings: true,
            remove_value_list: true,
            dotted_keys: true,
            wrap_scalar: true,
            bracket_sub_filter: true,
            ignore_unknown_attrs: true,
            ignore_unknown_schemas: true,
            put_omitted_members: OmittedMembers::Keep,
            unknown_scim_member: UnknownMember::SkipAndWarn,
            replace_creates: false,
            infer_schemas: false,
            any_country: true,
            any_certificate: true,
            any_manager: true,
            require_if_match: false,
            patch: true,
            bulk: true,
            filter: true,
            sort: true,
            cursors: true,
        }
    }
}

impl Switches {
    /// Everything off: the RFC to the letter.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            ci_ops: false,
            bool_strings: false,
            remove_value_list: false,
            dotted_keys: false,
            wrap_scalar: false,
            bracket_sub_filter: false,
            ignore_unknown_attrs: false,
            ignore_unknown_schemas: false,
            put_omitted_members: OmittedMembers::Clear,
            unknown_scim_member: UnknownMember::Reject,
            replace_creates: false,
            infer_schemas: false,
            any_country: false,
            any_certificate: false,
            any_manager: false,
            require_if_match: false,
            patch: true,
            bulk: true,
            filter: true,
            sort: true,
            cursors: true,
        }
    }
}
