//! Which SCIM attribute is which fact of ours: a user's document → columns, value rows, the learner's name.

use serde_json::Value;

use crate::scim::error::ScimError;
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::store::placement;
use crate::store::queries::values::ValueRow;

use super::super::ServiceError;

/// The facts of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct UserFacts {
    pub user_name: String,
    pub user_name_key: String,
    pub external_id: Option<String>,
    pub display_name_key: Option<String>,
    /// `None` when unassigned, which counts as not active (U-08).
    pub active: Option<bool>,
    pub display_name: String,
    pub email: Option<String>,
    pub values: Vec<ValueRow>,
}

/// What the account tells about its learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnerFacts {
    pub display_name: String,
    pub email: Option<String>,
    pub active: bool,
    pub external_id: Option<String>,
}

impl UserFacts {
    /// Reads them from a valid document. Errors: `invalidValue` when there is no `userName`, which validation excludes.
    pub fn of(resource: &Resource) -> Result<Self, ServiceError> {
        let user_name = resource
            .text("userName", None)
            .ok_or_else(|| ScimError::invalid_value("userName is required"))?
            .to_owned();
        let given = resource.text("name", Some("givenName"));
        let family = resource.text("name", Some("familyName"));
        let display_name = resource
            .text("displayName", None)
            .or_else(|| resource.text("name", Some("formatted")))
            .map(str::to_owned)
            .or_else(|| match (given, family) {
                (None, None) => None,
                (given, family) => Some(
                    [given, family]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                        .join(" "),
                ),
            })
            .unwrap_or_else(|| user_name.clone());
        Ok(Self {
            user_name_key: fold(&user_name),
            external_id: resource.text("externalId", None).map(str::to_owned),
            display_name_key: resource.text("displayName", None).map(fold),
            active: resource.document().get("active").and_then(Value::as_bool),
            display_name,
            email: primary_email(resource),
            values: placement::user_values(resource),
            user_name,
        })
    }

    /// The part that concerns the learner.
    #[must_use]
    pub fn learner(&self) -> LearnerFacts {
        LearnerFacts {
            display_name: self.display_name.clone(),
            email: self.email.clone(),
            active: self.active.unwrap_or(false),
            external_id: self.external_id.clone(),
        }
    }
}

fn primary_email(resource: &Resource) -> Option<String> {
    let emails = resource.document().get("emails")?.as_array()?;
    let primary = emails
        .iter()
        .find(|email| email.get("primary").and_then(Value::as_bool) == Some(true));
    primary
        .or_else(|| emails.first())?
        .get("value")?
        .as_str()
        .map(str::to_owned)
}
