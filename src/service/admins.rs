//! Console logins as use cases. Hashing happens before: it takes long and belongs into no transaction.

use crate::clock::Instant;
use crate::ids::{AdminId, TenantId};
use crate::scim::fold::fold;
use crate::store::Db;
use crate::store::queries::admins::{self, AdminRow};

use super::ServiceError;

/// The five roles of the console (B26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, other owners included.
    Owner,
    /// Everything but owners.
    Admin,
    /// Groups, members and assignments.
    Manager,
    /// Reads everything.
    Auditor,
    /// Connections, tokens and the sync log; no learner's progress.
    It,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::Owner,
        Self::Admin,
        Self::Manager,
        Self::Auditor,
        Self::It,
    ];

    /// The one spelling, in rows and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
            Self::It => "it",
        }
    }

    /// Reads the spelling back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }
}

/// Makes a login. Its e-mail is unique in the tenant, ignoring case.
pub fn create(
    db: &mut Db,
    tenant: TenantId,
    email: &str,
    password_hash: &str,
    role: Role,
    now: Instant,
) -> Result<AdminId, ServiceError> {
    let email = email.trim();
    let parts = email
        .split_once('@')
        .filter(|(local, host)| !local.is_empty() && !host.is_empty());
    if parts.is_none()
        || email.len() > 254
        || email.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        return Err(ServiceError::invalid(
            "/email",
            format!("`{}` is not an e-mail address", email.escape_debug()),
        ));
    }
    let row = AdminRow {
        id: AdminId::new(),
        email: email.to_owned(),
        password_hash: password_hash.to_owned(),
        role: role.as_str().to_owned(),
        created_at: now.0,
    };
    if !admins::insert(db, tenant, &row, &fold(email))? {
        return Err(ServiceError::Taken {
            attribute: "email",
            detail: format!("`{email}` has a login already"),
        });
    }
    Ok(row.id)
}
