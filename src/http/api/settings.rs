//! `/settings`: what a tenant decides (`rest-and-console.md` A2, `learning-domain.md` §2.1).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Body, Call};
use super::input::present;
use super::need;
use super::problem::Failure;
use super::reply::Reply;
use crate::service::ServiceError;
use crate::service::settings::{self, Shown};

/// Whether coming this way counts as the approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalRule {
    Auto,
    Manual,
}

/// Where the next period of a recertification runs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecertificationAnchor {
    Completion,
    PreviousExpiry,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $kind:ty $(= ($($bound:tt)*))?),* $(,)?) => {
        /// The tenant's settings, defaults filled in.
        #[derive(Debug, Serialize, Deserialize, ToSchema)]
        pub struct TenantSettings {
            $($(#[$doc])* pub $name: $kind,)*
            pub approval: ApprovalRules,
            pub scim: ScimRules,
            /// The last day on which an erasure leaves a training record its name; null: none does.
            #[serde(default)]
            pub retain_compliance_records_until: Option<chrono::NaiveDate>,
            pub version: i64,
        }

        /// Settings to change; absent ones stay.
        #[derive(Debug, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        #[schema(example = json!({"time_zone": "Europe/Berlin", "return_grace_days": 7, "approval": {"import": "manual"}}))]
        pub struct SettingsEdit {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false $(, $($bound)*)?)] pub $name: Option<$kind>,)*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub approval: Option<ApprovalRulesEdit>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub scim: Option<ScimRules>,
            /// The last day on which an erasure leaves a training record its name; null: none does.
            #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
            #[schema(value_type = Option<chrono::NaiveDate>)]
            pub retain_compliance_records_until: Option<Option<chrono::NaiveDate>>,
        }
    };
}

settings!(
    /// An IANA name; due dates end in this zone.
    time_zone: String,
    /// Edits of groups, assignments, courses and settings need `If-Match`.
    require_if_match: bool,
    /// How long before it lapses a certificate can be renewed.
    renewal_window_days: u16 = (minimum = 0, maximum = 3650),
    recert_anchor: RecertificationAnchor,
    /// The least time for whoever joins when the due date is near or past.
    late_joiner_grace_days: u16 = (minimum = 0, maximum = 3650),
    /// Extra time after coming back from an absence.
    return_grace_days: u16 = (minimum = 0, maximum = 3650),
    /// How long somebody may leave a group and still resume the old clock.
    rejoin_resume_days: u16 = (minimum = 0, maximum = 3650),
    /// A completion earned before joining counts.
    honor_prior_completion: bool,
    /// How long bodies of the sync log are kept.
    payload_retention_days: u16 = (minimum = 0, maximum = 3650),
);

/// Who approves, by the way a learner comes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApprovalRules {
    pub self_signup: ApprovalRule,
    pub invite: ApprovalRule,
    pub import: ApprovalRule,
    pub scim: ApprovalRule,
}

/// The same, as far as it changes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRulesEdit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub self_signup: Option<ApprovalRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invite: Option<ApprovalRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub import: Option<ApprovalRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scim: Option<ApprovalRule>,
}

/// How SCIM accounts are taken.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScimRules {
    /// A SCIM-created account counts as registered.
    pub registers: bool,
}

fn fields<T: Serialize>(value: &T) -> Result<Map<String, Value>, ServiceError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(ServiceError::Bug(error.into())),
    }
}

fn show(shown: &Shown) -> Result<TenantSettings, ServiceError> {
    let mut all = fields(&shown.settings)?;
    all.insert("time_zone".to_owned(), shown.time_zone.clone().into());
    all.insert("require_if_match".to_owned(), shown.require_if_match.into());
    all.insert("version".to_owned(), shown.version.into());
    serde_json::from_value(Value::Object(all)).map_err(|error| ServiceError::Bug(error.into()))
}

/// Read the settings.
#[utoipa::path(get, path = "/settings", tag = "Account", security(("token" = ["settings:admin"])),
    responses((status = 200, description = "The settings.", body = TenantSettings)))]
pub async fn get(call: Call<need::SettingsAdmin>) -> Answer {
    let shown = call.read(settings::read).await?;
    let body = show(&shown).map_err(Failure::from)?;
    Ok(call.resource(shown.version, &body))
}

/// Change settings.
#[utoipa::path(patch, path = "/settings", tag = "Account", request_body = SettingsEdit, security(("token" = ["settings:admin"])),
    responses((status = 200, description = "The settings.", body = TenantSettings)))]
pub async fn edit(call: Call<need::SettingsAdmin>, body: Body) -> Answer {
    let edit = fields(&body.read::<SettingsEdit>()?).map_err(Failure::from)?;
    let expected = call.expected();
    call.change("edit settings", move |db, scope| {
        let shown = settings::edit(db, scope, expected, edit.clone())?;
        Reply::resource(shown.version, &show(&shown)?)
    })
    .await
}
