//! A row of learners as an account: the same document, columns and values that a SCIM client's account has.

use serde_json::{Map, Value, json};

use crate::clock::Instant;
use crate::csv::row::Person;
use crate::ids::{LearnerId, UserId};
use crate::scim::schema::Registry;
use crate::scim::switches::Switches;
use crate::scim::validate::{self, Context};
use crate::service::ServiceError;
use crate::service::directory::bindings::UserFacts;
use crate::service::directory::document;
use crate::store::queries::imports::NewPerson;
use crate::store::queries::users::NewUser;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The account of a person; the inner error says what is wrong with them.
pub fn make(
    registry: &Registry,
    now: Instant,
    person: &Person,
) -> Result<Result<NewPerson, String>, ServiceError> {
    let resource_type = registry
        .resource_type("User")
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no User")))?;
    let accepted = match validate::accept(
        resource_type,
        body(person),
        Context::Create,
        &Switches::default(),
    ) {
        Ok(accepted) => accepted,
        Err(error) => return Ok(Err(error.detail)),
    };
    let facts = UserFacts::of(&accepted.resource)?;
    let user = NewUser {
        id: UserId::new(),
        learner_id: LearnerId::new(),
        connection_id: None,
        user_name: facts.user_name,
        user_name_key: facts.user_name_key,
        external_id: facts.external_id,
        display_name_key: facts.display_name_key,
        active: facts.active,
        created_at: now,
        doc: document::stored(resource_type, &accepted.resource),
    };
    Ok(Ok(NewPerson {
        user,
        display_name: facts.display_name,
        email: facts.email,
        active: facts.active.unwrap_or(false),
        values: facts.values,
    }))
}

/// The request that would make the account over SCIM. Active unless the row says otherwise.
fn body(person: &Person) -> Value {
    let mut body = Map::new();
    let mut schemas = vec![USER];
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("userName", person.user_name.as_str().into());
    put("active", person.active.unwrap_or(true).into());
    let texts = [
        ("externalId", &person.external_id),
        ("displayName", &person.display_name),
        ("title", &person.title),
        ("locale", &person.locale),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            put(name, text.as_str().into());
        }
    }
    if person.given_name.is_some() || person.family_name.is_some() {
        let mut name = Map::new();
        for (part, text) in [
            ("givenName", &person.given_name),
            ("familyName", &person.family_name),
        ] {
            if let Some(text) = text {
                name.insert(part.to_owned(), text.as_str().into());
            }
        }
        put("name", Value::Object(name));
    }
    if let Some(email) = &person.email {
        put(
            "emails",
            json!([{"value": email, "type": "work", "primary": true}]),
        );
    }
    if person.department.is_some() || person.employee_number.is_some() {
        schemas.push(ENTERPRISE);
        let mut extension = Map::new();
        for (part, text) in [
            ("department", &person.department),
            ("employeeNumber", &person.employee_number),
        ] {
            if let Some(text) = text {
                extension.insert(part.to_owned(), text.as_str().into());
            }
        }
        put(ENTERPRISE, Value::Object(extension));
    }
    put("schemas", json!(schemas));
    Value::Object(body)
}
