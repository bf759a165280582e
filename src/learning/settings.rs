//! What a tenant decides about learning: the settings of §2.1 with their defaults.
//!
//! Stored as one JSON text; what is absent is the default. Not here: the time zone and the plan, which are columns.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::error::LearningError;

/// Who decides about a new learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalPolicy {
    /// Coming this way counts as the approval.
    Auto,
    /// Somebody says yes first.
    Manual,
}

/// Where the next period of a recertification runs from (§9.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecertAnchor {
    /// The new completion.
    Completion,
    /// The expiry before, when renewed inside its window.
    PreviousExpiry,
}

/// Who approves, by the way a learner comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Approvals {
    pub self_signup: ApprovalPolicy,
    pub invite: ApprovalPolicy,
    pub import: ApprovalPolicy,
    pub scim: ApprovalPolicy,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            self_signup: ApprovalPolicy::Manual,
            invite: ApprovalPolicy::Auto,
            import: ApprovalPolicy::Auto,
            scim: ApprovalPolicy::Auto,
        }
    }
}

/// How SCIM accounts are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScimSettings {
    /// A SCIM-created account counts as registered; otherwise the person is invited.
    pub registers: bool,
}

impl Default for ScimSettings {
    fn default() -> Self {
        Self { registers: true }
    }
}

/// The settings of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub approval: Approvals,
    pub scim: ScimSettings,
    /// How long before it lapses a certificate can be renewed.
    pub renewal_window_days: u16,
    pub recert_anchor: RecertAnchor,
    /// The least time for whoever joins when the due date is (nearly) past.
    pub late_joiner_grace_days: u16,
    /// Extra time after coming back from an absence.
    pub return_grace_days: u16,
    /// How long somebody may leave a group and still resume the old clock.
    pub rejoin_resume_days: u16,
    /// A completion earned before joining counts.
    pub honor_prior_completion: bool,
    /// How long bodies of the sync log are kept.
    pub payload_retention_days: u16,
    /// The last day on which an erasure leaves a training record its name (B50).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_compliance_records_until: Option<NaiveDate>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            approval: Approvals::default(),
            scim: ScimSettings::default(),
            renewal_window_days: 30,
            recert_anchor: RecertAnchor::Completion,
            late_joiner_grace_days: 0,
            return_grace_days: 14,
            rejoin_resume_days: 30,
            honor_prior_completion: true,
            payload_retention_days: 90,
            retain_compliance_records_until: None,
        }
    }
}

impl Settings {
    /// Reads what is stored; a text that cannot be read is the default.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Refuses numbers of days that nobody can mean.
    pub fn check(&self) -> Result<(), LearningError> {
        for (field, days) in [
            ("renewal_window_days", self.renewal_window_days),
            ("late_joiner_grace_days", self.late_joiner_grace_days),
            ("return_grace_days", self.return_grace_days),
            ("rejoin_resume_days", self.rejoin_resume_days),
            ("payload_retention_days", self.payload_retention_days),
        ] {
            if days > 3650 {
                return Err(LearningError::Invalid {
                    field,
                    detail: format!("`{field}` is 0 to 3650 days"),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_stored_is_the_default() {
        let settings = Settings::parse(
            r#"{"return_grace_days":7,"approval":{"scim":"manual"},"of_tomorrow":1}"#,
        );
        assert_eq!(settings.return_grace_days, 7);
        assert_eq!(settings.approval.scim, ApprovalPolicy::Manual);
        assert_eq!(settings.approval.self_signup, ApprovalPolicy::Manual);
        assert_eq!(settings.renewal_window_days, 30);
        assert_eq!(Settings::parse("{}"), Settings::default());
        assert_eq!(Settings::parse("no json"), Settings::default());
    }

    #[test]
    fn ten_years_is_the_longest_grace() {
        let settings = Settings {
            return_grace_days: 3651,
            ..Settings::default()
        };
        assert!(settings.check().is_err());
        assert!(Settings::default().check().is_ok());
    }
}
