//! The tenant's settings as use cases: read, and change some of them; each change leaves an event (§2.1).
//!
//! Stored as one JSON text, so that a setting this binary does not know survives an edit by it. Not here: the plan.

use serde_json::{Map, Value, json};

use crate::learning::event::{Entity, Event, EventType};
use crate::learning::settings::Settings;
use crate::store::Db;
use crate::store::queries::{events, tenants};

use super::enroll::by;
use super::{Scope, ServiceError};

/// The name of the setting that makes `If-Match` a duty.
pub const REQUIRE_IF_MATCH: &str = "require_if_match";

/// Settings, with the defaults where nothing is stored, and their version.
#[derive(Clone, Debug)]
pub struct Shown {
    pub time_zone: String,
    pub require_if_match: bool,
    pub settings: Settings,
    pub version: i64,
}

fn stored(db: &mut Db, scope: &Scope) -> Result<(String, Map<String, Value>), ServiceError> {
    let row = tenants::find(db, scope.tenant)?
        .ok_or_else(|| ServiceError::not_found("tenant", scope.tenant))?;
    let fields: Value = serde_json::from_str(&row.settings).unwrap_or_default();
    let Value::Object(mut fields) = fields else {
        return Ok((row.time_zone, Map::new()));
    };
    fields.retain(|_, value| !value.is_null());
    Ok((row.time_zone, fields))
}

fn shown(time_zone: String, fields: &Map<String, Value>) -> Shown {
    let version = fields.get("version").and_then(Value::as_i64).unwrap_or(1);
    Shown {
        time_zone,
        require_if_match: fields.get(REQUIRE_IF_MATCH) == Some(&Value::Bool(true)),
        settings: Settings::parse(&Value::Object(fields.clone()).to_string()),
        version,
    }
}

/// Reads the settings.
pub fn read(db: &mut Db, scope: &Scope) -> Result<Shown, ServiceError> {
    let (zone, fields) = stored(db, scope)?;
    Ok(shown(zone, &fields))
}

/// Changes what `edit` names; nested objects are merged. Errors: stale, a zone or number that nobody can mean.
pub fn edit(
    db: &mut Db,
    scope: &Scope,
    expected: Option<i64>,
    mut edit: Map<String, Value>,
) -> Result<Shown, ServiceError> {
    let (zone, mut fields) = stored(db, scope)?;
    let before = shown(zone.clone(), &fields);
    if expected.is_some_and(|version| version != before.version) {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    let zone = match edit.remove("time_zone").as_ref().and_then(Value::as_str) {
        None => zone,
        Some(text) => text
            .parse::<chrono_tz::Tz>()
            .map(|zone| zone.name().to_owned())
            .map_err(|_| {
                ServiceError::invalid(
                    "/time_zone",
                    format!("`{text}` is not an IANA time zone such as `Europe/Berlin`"),
                )
            })?,
    };
    let was = (before.time_zone.clone(), fields.clone());
    merge(&mut fields, edit);
    if was == (zone.clone(), fields.clone()) {
        return Ok(before);
    }
    fields.insert("version".to_owned(), Value::from(before.version + 1));
    let after = shown(zone.clone(), &fields);
    after.settings.check()?;
    let text = Value::Object(fields.clone()).to_string();
    tenants::set_settings(db, scope.tenant, &zone, &text)?;
    let told =
        |zone: &str, fields: &Map<String, Value>| json!({"time_zone": zone, "settings": fields});
    let event = Event {
        entity: Entity::Tenant,
        entity_id: uuid::Uuid::nil(),
        event_type: EventType::SettingsUpdated,
        data: json!({"before": told(&was.0, &was.1), "after": told(&zone, &fields)}),
    };
    events::insert(db, scope.tenant, &by(scope), &event)?;
    Ok(after)
}

fn merge(fields: &mut Map<String, Value>, edit: Map<String, Value>) {
    for (name, value) in edit {
        match (fields.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
}

/// Refuses an edit without `If-Match` where the tenant wants one (A1).
pub fn require_version(db: &mut Db, scope: &Scope) -> Result<(), ServiceError> {
    if read(db, scope)?.require_if_match {
        return Err(ServiceError::Refused(
            super::error::Refusal::PreconditionRequired,
        ));
    }
    Ok(())
}
