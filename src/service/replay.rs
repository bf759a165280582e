//! SCIM requests run by somebody else than their client: for show, or again (`rest-and-console.md` A2, A7).
//!
//! They run as the operations of a bulk request do, in the scope of their connection, under the request of whoever asks.
//! Not here: what they are answered (`http`), and the dry run (`dry_run`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId};
use crate::scim::bulk::BulkRequest;
use crate::scim::fold::fold;
use crate::scim::message::Note;
use crate::store::Db;
use crate::store::queries::sync_log::{self as rows, SyncRow};

use super::bulk::{self, Done, Plan, Progress};
use super::directory::Call;
use super::sync_log::{self, Operation, Sender, SyncEntry, is_redacted};
use super::{Actor, Scope, ServiceError, connections};

/// One SCIM request.
#[derive(Clone, Debug, PartialEq)]
pub struct ScimRequest {
    pub method: String,
    /// With `/scim/v2` before it or without.
    pub path: String,
    /// Null where there is none.
    pub body: Value,
}

/// What came of requests that were run, in their order.
#[derive(Debug)]
pub struct Ran {
    pub plan: Plan,
    pub done: Vec<Done>,
}

/// The scope of a connection on behalf of whoever asks; without a connection, that of a token which belongs to none.
pub fn on_behalf(
    db: &mut Db,
    scope: &Scope,
    connection: Option<ConnectionId>,
    why: &str,
) -> Result<Scope, ServiceError> {
    let connection = connection
        .map(|id| connections::find(db, scope.tenant, id))
        .transpose()?;
    let name = connection.as_ref().map_or("SCIM", |one| one.name.as_str());
    let jti = match &scope.actor {
        Actor::Scim { jti, .. } | Actor::Api { jti, .. } => Arc::clone(jti),
        Actor::System(name) => Arc::from(*name),
    };
    Ok(Scope {
        actor: Actor::Scim {
            jti,
            label: format!("{name}, {why} by {}", scope.actor).into(),
        },
        connection: connection.map(Arc::new),
        ..scope.clone()
    })
}

/// Runs requests one after the other, each all or nothing. Errors: only those that concern all of them.
pub fn run(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    requests: &[ScimRequest],
) -> Result<Ran, ServiceError> {
    let operations: Vec<Value> = requests.iter().enumerate().map(operation).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    let plan = Plan::of(BulkRequest::parse(
        body,
        call.base,
        call.registry,
        &scope.switches(),
    )?);
    let (mut progress, mut done) = (Progress::default(), Vec::with_capacity(requests.len()));
    for index in 0..requests.len() {
        let one = bulk::alone(db, scope, call, &plan, index, &progress)?;
        progress.take(&one);
        done.push(one);
    }
    Ok(Ran { plan, done })
}

fn operation((n, request): (usize, &ScimRequest)) -> Value {
    let path = request.path.split('?').next().unwrap_or_default();
    let path = path.split_once("/scim/v2").map_or(path, |(_, rest)| rest);
    let mut operation = Map::new();
    operation.insert("method".to_owned(), request.method.clone().into());
    operation.insert("path".to_owned(), path.into());
    if request.method.eq_ignore_ascii_case("POST") {
        operation.insert("bulkId".to_owned(), format!("request-{n}").into());
    }
    if !request.body.is_null() {
        operation.insert("data".to_owned(), request.body.clone());
    }
    Value::Object(operation)
}

fn refused(code: &'static str, detail: impl Into<String>) -> ServiceError {
    ServiceError::Replay {
        code,
        detail: detail.into(),
    }
}

fn not_replayable(detail: impl Into<String>) -> ServiceError {
    refused("not_replayable", detail)
}

/// Runs a request of the log again, against what is there today. `close` fills the entry of the new one.
///
/// Errors: not found; `not_replayable`: it succeeded, only looked, or its body is not there as it was; `superseded`: what it
/// wrote has been written since, unless `force`d by somebody who may change the tenant's settings.
pub fn again(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    (id, force): (RequestId, bool),
    close: &dyn Fn(SyncEntry, &Scope, &Ran) -> SyncEntry,
) -> Result<(RequestId, Ran), ServiceError> {
    let row = rows::find(db, scope.tenant, id)?;
    let row = row.ok_or_else(|| ServiceError::not_found("request", id))?;
    let request = request(&row)?;
    if force && !scope.permissions.contains(Permission::SettingsAdmin) {
        return Err(ServiceError::Denied(
            "force a replay: it lacks the scope `settings:admin`".to_owned(),
        ));
    }
    if !force {
        not_superseded(db, scope, &row, &request)?;
    }
    let acting = on_behalf(db, scope, row.connection_id, "replayed")?;
    let operation = Operation::parse(&row.operation).unwrap_or(Operation::Bulk);
    let body = (!request.body.is_null()).then(|| request.body.to_string());
    let mut entry = SyncEntry::start(
        &acting,
        operation,
        &row.method,
        &row.path,
        body.as_deref(),
        Sender {
            user_agent: Some("Rollcall replay".to_owned()),
            ..Sender::default()
        },
    );
    // Several may run under one request of the asker.
    if rows::find(db, scope.tenant, scope.request)?.is_some() {
        entry.id = RequestId::new();
    }
    let ran = run(db, &acting, call, &[request])?;
    let mut entry = close(entry, &acting, &ran);
    let made = entry.id;
    entry.notes.push(Note {
        code: "replay_of",
        path: id.to_string(),
    });
    sync_log::record(db, scope, entry)?;
    Ok((made, ran))
}

/// The request of a row, if it may run again and is there as it was.
fn request(row: &SyncRow) -> Result<ScimRequest, ServiceError> {
    if !matches!(&*row.outcome, "rejected" | "failed" | "partial") {
        return Err(not_replayable(format!(
            "its outcome was `{}`; only what was rejected, has failed or was skipped in part runs again",
            row.outcome
        )));
    }
    if !matches!(&*row.operation, "create" | "replace" | "patch" | "delete") {
        return Err(not_replayable("it only looked, or was no single request"));
    }
    let body = match &row.request_body {
        None if row.operation == "delete" => Value::Null,
        None => return Err(not_replayable("its body is no longer kept")),
        Some(text) if text.trim().is_empty() => Value::Null,
        Some(text) => serde_json::from_str(text)
            .map_err(|_| not_replayable("its body is no JSON, or was longer than the log keeps"))?,
    };
    if is_redacted(&body) {
        return Err(not_replayable(
            "its body held a secret, which the log does not keep",
        ));
    }
    Ok(ScimRequest {
        method: row.method.to_string(),
        path: row.path.clone(),
        body,
    })
}

/// Errors: a later request wrote the same attribute of the same resource.
fn not_superseded(
    db: &mut Db,
    scope: &Scope,
    row: &SyncRow,
    request: &ScimRequest,
) -> Result<(), ServiceError> {
    let Some(resource) = &row.resource_id else {
        return Ok(());
    };
    let touched = touched(row, request);
    for later in rows::later_writes(db, scope.tenant, resource, row.id)? {
        let wrote = wrote(&later);
        let both: Vec<&str> = match &touched {
            None => wrote.iter().map(String::as_str).collect(),
            Some(touched) => touched.intersection(&wrote).map(String::as_str).collect(),
        };
        if !both.is_empty() || later.operation == "delete" {
            return Err(refused(
                "superseded",
                format!(
                    "request {} of {} has written {} since",
                    later.id,
                    Instant(later.at),
                    if both.is_empty() {
                        "the end of it".to_owned()
                    } else {
                        both.join(", ")
                    }
                ),
            ));
        }
    }
    Ok(())
}

/// The attributes that a request is about, folded; `None`: the whole resource.
fn touched(row: &SyncRow, request: &ScimRequest) -> Option<BTreeSet<String>> {
    let names = |value: &Value| -> Vec<String> {
        let fields = value.as_object().into_iter().flatten();
        fields.map(|(name, _)| attribute(name)).collect()
    };
    if row.operation == "delete" {
        return None;
    }
    if row.operation != "patch" {
        return Some(names(&request.body).into_iter().collect());
    }
    let operations = request.body.as_object().into_iter().flatten();
    let operations = operations.filter(|(name, _)| name.eq_ignore_ascii_case("operations"));
    let mut touched = BTreeSet::new();
    for operation in operations.filter_map(|(_, list)| list.as_array()).flatten() {
        match operation.get("path").and_then(Value::as_str) {
            Some(path) => {
                touched.insert(attribute(path));
            }
            None => touched.extend(operation.get("value").map(names).unwrap_or_default()),
        }
    }
    Some(touched)
}

/// The attributes that a request of the log has written, folded.
fn wrote(row: &SyncRow) -> BTreeSet<String> {
    let changes: Value = serde_json::from_str(&row.changes).unwrap_or_default();
    let fields = changes.as_object().into_iter().flatten();
    let mut wrote: BTreeSet<String> = fields.map(|(name, _)| attribute(name)).collect();
    if row.members_added + row.members_ended > 0 {
        wrote.insert("members".to_owned());
    }
    wrote
}

/// The attribute at the head of a path, without the URN of its schema.
fn attribute(path: &str) -> String {
    let bare = path.split(['[', ' ']).next().unwrap_or_default();
    let bare = match bare.rsplit_once(':') {
        // A version stands in a URN, so its dots are no path.
        Some((_, name)) if !name.is_empty() => name,
        _ => bare,
    };
    fold(bare.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_about_the_attribute_at_its_head() {
        for (path, expected) in [
            ("displayName", "displayname"),
            ("name.familyName", "name"),
            ("emails[type eq \"work\"].value", "emails"),
            ("members[value eq \"a:b.c\"]", "members"),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                "department",
            ),
        ] {
            assert_eq!(attribute(path), expected, "{path}");
        }
    }
}
