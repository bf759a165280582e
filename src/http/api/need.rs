//! The right a route needs, as a type: `Call<need::GroupsRead>` cannot be had without it.

use crate::auth::permission::Permission;

/// What a caller must be allowed.
pub trait Need: 'static {
    /// `None`: any valid token of the REST API.
    const PERMISSION: Option<Permission>;
}

/// Any valid token of the REST API.
#[derive(Debug)]
pub struct Token;

impl Need for Token {
    const PERMISSION: Option<Permission> = None;
}

macro_rules! needs {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("[`Permission::", stringify!($name), "`]")]
        #[derive(Debug)]
        pub struct $name;

        impl Need for $name {
            const PERMISSION: Option<Permission> = Some(Permission::$name);
        }
    )*};
}

needs!(
    GroupsRead,
    GroupsWrite,
    MembersWrite,
    CoursesRead,
    CoursesWrite,
    AssignmentsWrite,
    LearnersRead,
    LearnersWrite,
    LearnersApprove,
    EnrollmentsRead,
    EnrollmentsWrite,
    CompletionsRead,
    CompletionsWrite,
    ReportsRead,
    SyncRead,
    SyncReplay,
    TokensAdmin,
    WebhooksAdmin,
    SettingsAdmin,
    AuditRead,
);
