//! Permissions: what a token or a console role may do. A closed set, spelled as scopes on the wire.
//!
//! A token's `scope` claim is a list of these; unknown names are refused when a token is made and ignored when one is
//! read, so that a token made by a newer version keeps its other rights on an older node.

use std::fmt;

/// Which door a token opens: a SCIM token is refused on the REST API and vice versa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `/scim/v2`, for provisioning clients.
    Scim,
    /// `/api/v1`, for scripts and other systems.
    Api,
}

impl TokenKind {
    /// The one spelling: in claims, rows and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::Api => "api",
        }
    }

    /// Reads the spelling back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "scim" => Some(Self::Scim),
            "api" => Some(Self::Api),
            _ => None,
        }
    }

    /// Everything a token of this kind can carry.
    #[must_use]
    pub fn permissions(self) -> Permissions {
        Permission::ALL
            .iter()
            .copied()
            .filter(|permission| permission.kind() == self)
            .collect()
    }

    /// What a token of this kind may do when nobody says otherwise: everything its door offers a program.
    #[must_use]
    pub fn default_permissions(self) -> Permissions {
        self.permissions()
            .iter()
            .filter(|permission| *permission != Permission::ScimMe)
            .collect()
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One right.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Permission { $($(#[$doc])* $name),* }

        impl Permission {
            /// Every permission, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The scope's spelling.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Reads a scope's spelling; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

permissions! {
    /// Read users and groups over SCIM.
    ScimRead = "scim:read",
    /// Write users and groups over SCIM.
    ScimWrite = "scim:write",
    /// Send Bulk requests; each inner operation needs its own right as well.
    ScimBulk = "scim:bulk",
    /// Read one's own account at `/Me` and change what is one's own to change; for tokens made for a person.
    ScimMe = "scim:me",
    /// Read groups and their members.
    GroupsRead = "groups:read",
    /// Make, change and delete groups.
    GroupsWrite = "groups:write",
    /// Add and remove members.
    MembersWrite = "members:write",
    /// Read courses.
    CoursesRead = "courses:read",
    /// Make, change and publish courses.
    CoursesWrite = "courses:write",
    /// Assign courses to groups.
    AssignmentsWrite = "assignments:write",
    /// Read learners.
    LearnersRead = "learners:read",
    /// Make and change learners.
    LearnersWrite = "learners:write",
    /// Approve or reject learners.
    LearnersApprove = "learners:approve",
    /// Read enrollments with their reasons.
    EnrollmentsRead = "enrollments:read",
    /// Enroll and withdraw by hand.
    EnrollmentsWrite = "enrollments:write",
    /// Read completions.
    CompletionsRead = "completions:read",
    /// Record completions.
    CompletionsWrite = "completions:write",
    /// Read compliance reports.
    ReportsRead = "reports:read",
    /// Read the sync log.
    SyncRead = "sync:read",
    /// Run a failed request of the sync log again.
    SyncReplay = "sync:replay",
    /// Make, list and revoke tokens.
    TokensAdmin = "tokens:admin",
    /// Configure outbound hooks.
    WebhooksAdmin = "webhooks:admin",
    /// Change the tenant's settings.
    SettingsAdmin = "settings:admin",
    /// Read the audit trail.
    AuditRead = "audit:read",
}

impl Permission {
    /// The kind of token that may carry it.
    #[must_use]
    pub const fn kind(self) -> TokenKind {
        match self {
            Self::ScimRead | Self::ScimWrite | Self::ScimBulk | Self::ScimMe => TokenKind::Scim,
            _ => TokenKind::Api,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u32);

impl Permissions {
    /// No right at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Every right: the server's own work.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether the set holds a permission.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | (1 << permission as u32))
    }

    /// What both sets hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.contains(*permission))
    }

    /// Reads a `scope` claim or a stored list: names between spaces or commas, unknown ones left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        names(text).filter_map(Permission::parse).collect()
    }

    /// Reads what a person asks for: an unknown name is the error.
    pub fn parse(text: &str) -> Result<Self, UnknownPermission> {
        names(text)
            .map(|name| Permission::parse(name).ok_or_else(|| UnknownPermission(name.to_owned())))
            .collect()
    }
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',']).filter(|name| !name.is_empty())
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::none(), Self::with)
    }
}

/// As in a `scope` claim: names between single spaces.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, permission) in self.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(permission.as_str())?;
        }
        Ok(())
    }
}

/// A scope name that is none.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownPermission(pub String);

impl fmt::Display for UnknownPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scope `{}` is unknown; the scopes are", self.0)?;
        for permission in Permission::ALL {
            write!(f, " {permission}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownPermission {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_read_back_from_its_spelling() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(*permission));
        }
        assert_eq!(
            Permissions::read(&Permissions::all().to_string()),
            Permissions::all()
        );
    }

    #[test]
    fn an_unknown_name_is_refused_when_asked_for_and_skipped_when_stored() {
        assert_eq!(
            Permissions::parse("scim:read,scim:fly"),
            Err(UnknownPermission("scim:fly".into()))
        );
        assert_eq!(
            Permissions::read("scim:read scim:fly"),
            Permissions::none().with(Permission::ScimRead)
        );
    }

    #[test]
    fn a_kind_never_has_the_other_kinds_permissions() {
        let scim = TokenKind::Scim.default_permissions();
        let api = TokenKind::Api.default_permissions();
        assert!(scim.contains(Permission::ScimWrite) && !scim.contains(Permission::GroupsRead));
        assert!(api.contains(Permission::TokensAdmin) && !api.contains(Permission::ScimRead));
        assert!(scim.and(api).is_empty());
    }
}
