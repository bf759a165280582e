//! The right a route needs, as a type: `Call<need::GroupsRead>` cannot be had without it. And whether the route is about
//! learner groups, which a plan must include.

use crate::auth::permission::Permission;

/// What a caller must be allowed.
pub trait Need: 'static {
    /// `None`: any valid token of the REST API.
    const PERMISSION: Option<Permission>;
    /// Whether it is about groups: a tenant that never had any and whose plan does not include them is told so (§7.15).
    const GROUPS: bool = false;
}

/// Any valid token of the REST API.
#[derive(Debug)]
pub struct Token;

impl Need for Token {
    const PERMISSION: Option<Permission> = None;
}

macro_rules! needs {
    ($groups:literal: $($name:ident = $permission:ident),* $(,)?) => {$(
        #[doc = concat!("[`Permission::", stringify!($permission), "`]")]
        #[derive(Debug)]
        pub struct $name;

        impl Need for $name {
            const PERMISSION: Option<Permission> = Some(Permission::$permission);
            const GROUPS: bool = $groups;
        }
    )*};
}

needs!(
    true:
    GroupsRead = GroupsRead,
    GroupsWrite = GroupsWrite,
    GroupReports = ReportsRead,
    MembersWrite = MembersWrite,
    AssignmentsWrite = AssignmentsWrite,
);

needs!(
    false:
    CoursesRead = CoursesRead,
    CoursesWrite = CoursesWrite,
    LearnersRead = LearnersRead,
    LearnersWrite = LearnersWrite,
    LearnersApprove = LearnersApprove,
    EnrollmentsRead = EnrollmentsRead,
    EnrollmentsWrite = EnrollmentsWrite,
    CompletionsRead = CompletionsRead,
    CompletionsWrite = CompletionsWrite,
    ReportsRead = ReportsRead,
    SyncRead = SyncRead,
    SyncReplay = SyncReplay,
    TokensAdmin = TokensAdmin,
    WebhooksAdmin = WebhooksAdmin,
    SettingsAdmin = SettingsAdmin,
    AuditRead = AuditRead,
);
