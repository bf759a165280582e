//! Tenants as use cases: make, list, change the plan; and the very first start of a database (B19).

use crate::auth::permission::TokenKind;
use crate::clock::Instant;
use crate::ids::TenantId;
use crate::learning::calendar::{add_days, local_date};
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::plan::SubscriptionPlan;
use crate::scim::fold::fold;
use crate::scim::quirks::Client;
use crate::store::queries::tenants::{self, TenantRow};
use crate::store::queries::{events, groups_learning};
use crate::store::{Db, StoreError};

use super::admins::{self, Role};
use super::enroll::{self, Effects, EnrollScope, by};
use super::tokens::{self, NewToken};
use super::{Scope, ServiceError};
use super::{connections, obligations};

/// One customer organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub plan: SubscriptionPlan,
    /// An IANA name; due dates end in this zone.
    pub time_zone: String,
    pub created_at: Instant,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = ServiceError;

    fn try_from(row: TenantRow) -> Result<Self, ServiceError> {
        let plan = SubscriptionPlan::parse(&row.plan).ok_or_else(|| {
            ServiceError::Bug(anyhow::anyhow!(
                "tenant {} has the plan `{}`",
                row.tenant_id,
                row.plan
            ))
        })?;
        Ok(Self {
            id: row.id(),
            name: row.name,
            plan,
            time_zone: row.time_zone,
            created_at: Instant(row.created_at),
        })
    }
}

/// Makes a tenant. Its name is unique, ignoring case.
pub fn create(
    db: &mut Db,
    name: &str,
    plan: SubscriptionPlan,
    time_zone: &str,
    now: Instant,
) -> Result<Tenant, ServiceError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(ServiceError::invalid(
            "/name",
            "a tenant's name has 1 to 100 printable characters",
        ));
    }
    let zone: chrono_tz::Tz = time_zone.parse().map_err(|_| {
        ServiceError::invalid(
            "/time_zone",
            format!("`{time_zone}` is not an IANA time zone such as `Europe/Berlin`"),
        )
    })?;
    let row = TenantRow {
        tenant_id: tenants::next_id(db)?.0,
        name: name.to_owned(),
        plan: plan.as_str().to_owned(),
        time_zone: zone.name().to_owned(),
        settings: "{}".to_owned(),
        created_at: now.0,
    };
    let added = tenants::insert(db, &row, &fold(name)).map_err(|error| match error {
        // Another node took the number meanwhile: run the whole transaction again, with the next one.
        StoreError::Conflict => StoreError::Retry,
        other => other,
    })?;
    if !added {
        return Err(ServiceError::Taken {
            attribute: "tenant",
            detail: format!("there is a tenant `{name}` already"),
        });
    }
    row.try_into()
}

/// All tenants by number.
pub fn list(db: &mut Db) -> Result<Vec<Tenant>, ServiceError> {
    tenants::list(db)?
        .into_iter()
        .map(Tenant::try_from)
        .collect()
}

/// The tenant of a name, ignoring case.
pub fn find(db: &mut Db, name: &str) -> Result<Tenant, ServiceError> {
    let row = tenants::find_by_key(db, &fold(name.trim()))?;
    row.ok_or_else(|| ServiceError::not_found("tenant", name))?
        .try_into()
}

/// The scope's tenant.
pub fn of_scope(db: &mut Db, scope: &Scope) -> Result<Tenant, ServiceError> {
    let row = tenants::find(db, scope.tenant)?;
    row.ok_or_else(|| ServiceError::not_found("tenant", scope.tenant))?
        .try_into()
}

/// Changes the plan of the scope's tenant. One that brings groups back enrolls whoever is owed something, with time to
/// do it: no due date lies before today plus the renewal window (§7.15).
pub fn set_plan(
    db: &mut Db,
    scope: &Scope,
    plan: SubscriptionPlan,
) -> Result<Effects, ServiceError> {
    if plan.includes_groups() {
        // Whoever joins a group meanwhile waits for us, or we see them.
        groups_learning::lock_all(db, scope.tenant)?;
    }
    let before = tenants::find(db, scope.tenant)?
        .ok_or_else(|| ServiceError::not_found("tenant", scope.tenant))?;
    let had_groups =
        SubscriptionPlan::parse(&before.plan).is_some_and(SubscriptionPlan::includes_groups);
    tenants::set_plan(db, scope.tenant, plan.as_str())?;
    if before.plan != plan.as_str() {
        let change = Event {
            entity: Entity::Tenant,
            entity_id: uuid::Uuid::nil(),
            event_type: EventType::PlanChanged,
            data: serde_json::json!({"before": before.plan, "after": plan.as_str()}),
        };
        events::insert(db, scope.tenant, &by(scope), &change)?;
    }
    if !plan.includes_groups() {
        return Ok(Effects::default());
    }
    let floor = if had_groups {
        None
    } else {
        let (settings, policy) = (
            obligations::settings(db, scope.tenant)?,
            obligations::policy(db, scope.tenant)?,
        );
        Some(add_days(
            local_date(scope.now, policy.zone),
            settings.renewal_window_days,
        ))
    };
    enroll::enroll_with(db, scope, &EnrollScope::Tenant, floor)
}

/// Whether nobody has used this database yet.
pub fn is_empty(db: &mut Db) -> Result<bool, ServiceError> {
    Ok(tenants::count(db)? == 0)
}

/// The credentials of a new installation, shown once.
#[derive(Clone)]
pub struct FirstStart {
    pub tenant: Tenant,
    pub email: String,
    pub scim_token: String,
    pub api_token: String,
}

/// The e-mail of the first owner.
pub const FIRST_OWNER: &str = "owner@localhost";

/// On an empty database: tenant `default` on the Business plan, its owner, one SCIM and one API token. `None` when the
/// database is in use, by another node that was faster, too. The password comes hashed: hashing has no place in a transaction.
pub fn first_start(
    db: &mut Db,
    password_hash: &str,
    now: Instant,
) -> Result<Option<FirstStart>, ServiceError> {
    if !is_empty(db)? {
        return Ok(None);
    }
    let tenant = match create(db, "default", SubscriptionPlan::Business, "UTC", now) {
        // Another node started at the same instant and its commit came first.
        Err(ServiceError::Taken { .. }) => return Ok(None),
        made => made?,
    };
    admins::create(db, tenant.id, FIRST_OWNER, password_hash, Role::Owner, now)?;
    let connection =
        connections::find_or_create(db, tenant.id, connections::UNNAMED, Client::Generic, now)?;
    let mut token = |kind, connection| {
        let new = NewToken {
            kind,
            connection,
            label: "first start".to_owned(),
            ..NewToken::of(tenant.id, kind)
        };
        tokens::create(db, &new, now).map(|minted| minted.token)
    };
    let scim_token = token(TokenKind::Scim, Some(connection.id))?;
    let api_token = token(TokenKind::Api, None)?;
    Ok(Some(FirstStart {
        tenant,
        email: FIRST_OWNER.to_owned(),
        scim_token,
        api_token,
    }))
}
