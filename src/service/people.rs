//! People whom a person adds or takes away: invited or registered at once, with an account, so that a directory's probe finds
//! them; ended with every account (§2.2). Not here: approval and activity (`learners`).

use serde_json::json;

use crate::csv::row::Person;
use crate::ids::LearnerId;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::learner::{RegisteredVia, Registration};
use crate::learning::settings::ApprovalPolicy;
use crate::scim::schema::Registry;
use crate::store::Db;
use crate::store::queries::events;
use crate::store::queries::imports::{self as rows, Admitted};
use crate::store::queries::learners::LearnerRow;

use super::enroll::by;
use super::imports::people::make;
use super::{Scope, ServiceError, directory, learners, obligations};

/// Adds somebody: invited, so that whatever waits for their registration takes effect with it, or registered at once.
/// Errors: what the schema of users refuses, user name taken.
pub fn add(
    db: &mut Db,
    scope: &Scope,
    registry: &Registry,
    person: &Person,
    registered: bool,
) -> Result<LearnerRow, ServiceError> {
    let new =
        make(registry, scope.now, person)?.map_err(|detail| ServiceError::invalid("", detail))?;
    let settings = obligations::settings(db, scope.tenant)?;
    let via = if registered {
        RegisteredVia::Rest
    } else {
        RegisteredVia::Invite
    };
    let how = Admitted {
        registration: if registered {
            Registration::Registered
        } else {
            Registration::Invited
        },
        approved: settings.approval.invite == ApprovalPolicy::Auto,
        via,
    };
    let (id, user) = (new.user.learner_id, new.user.id);
    if rows::insert_people(db, scope.tenant, &[new], how, &by(scope))?.is_empty() {
        return Err(ServiceError::Taken {
            attribute: "userName",
            detail: format!("userName `{}` is already taken", person.user_name),
        });
    }
    let event = Event {
        entity: Entity::Learner,
        entity_id: id.0,
        event_type: EventType::LearnerCreated,
        data: json!({"user_id": user, "registered_via": via.as_str(), "registration": how.registration.as_str()}),
    };
    events::insert(db, scope.tenant, &by(scope), &event)?;
    learners::find(db, scope, id)
}

/// Takes somebody away: every account ends, and with it every membership; enrollments, completions and history stay (§8).
/// Errors: not found, also who has left already.
pub fn remove(db: &mut Db, scope: &Scope, id: LearnerId) -> Result<(), ServiceError> {
    directory::end_learner(db, scope, id).map(drop)
}
