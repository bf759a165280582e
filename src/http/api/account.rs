//! `GET /whoami` and `/plan`: who a token is, and what the tenant's plan includes.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call};
use super::need;
use crate::auth::permission::TokenKind;
use crate::learning::plan::SubscriptionPlan;
use crate::service::groups;
use crate::service::tokens;
use crate::service::{Actor, tenants};

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhoAmI {
    pub tenant: TenantName,
    pub token: CallersToken,
    /// The server's version.
    pub version: String,
}

/// The tenant that a token opens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantName {
    pub name: String,
    pub plan: SubscriptionPlan,
    /// Where its calendar dates are.
    pub time_zone: String,
}

/// The caller's token.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallersToken {
    /// The last characters of its `jti`.
    pub hint: String,
    pub kind: TokenKind,
    pub label: String,
    pub scopes: Vec<String>,
}

/// Say whose token this is and what it may do.
#[utoipa::path(get, path = "/whoami", tag = "Account", security(("token" = [])),
    responses((status = 200, description = "The caller.", body = WhoAmI)))]
pub async fn whoami(call: Call<need::Token>) -> Answer {
    let tenant = call.read(tenants::of_scope).await?;
    let (jti, label) = match &call.scope.actor {
        Actor::Api { jti, label } | Actor::Scim { jti, label } => {
            (tokens::hint(jti), String::from(&**label))
        }
        Actor::System(name) => (String::new(), (*name).to_owned()),
    };
    let shown = WhoAmI {
        tenant: TenantName {
            name: tenant.name,
            plan: tenant.plan,
            time_zone: tenant.time_zone,
        },
        token: CallersToken {
            hint: jti,
            kind: TokenKind::Api,
            label,
            scopes: call
                .scope
                .permissions
                .iter()
                .map(|one| one.to_string())
                .collect(),
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(call.shown(None, &shown))
}

/// What the tenant's plan includes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanFeatures {
    pub plan: SubscriptionPlan,
    pub features: Features,
    /// Groups are there and the plan includes them no more: they are read-only.
    pub frozen: bool,
    /// The plans that include learner groups.
    pub plans_with_groups: Vec<SubscriptionPlan>,
}

/// What a plan can include.
#[derive(Debug, Serialize, ToSchema)]
pub struct Features {
    pub users: bool,
    pub learner_groups: bool,
}

/// Show the plan and what it includes.
#[utoipa::path(get, path = "/plan", tag = "Account", security(("token" = [])),
    responses((status = 200, description = "The plan.", body = PlanFeatures)))]
pub async fn plan(call: Call<need::Token>) -> Answer {
    let (plan, has_groups) = call
        .read(|db, scope| Ok((tenants::of_scope(db, scope)?.plan, groups::any(db, scope)?)))
        .await?;
    let shown = PlanFeatures {
        plan,
        features: Features {
            users: true,
            learner_groups: plan.includes_groups(),
        },
        frozen: has_groups && !plan.includes_groups(),
        plans_with_groups: SubscriptionPlan::WITH_GROUPS.to_vec(),
    };
    Ok(call.shown(None, &shown))
}
