//! `POST /Bulk`: limits, the loop over transactions, the BulkResponse. RFC 7644 §3.7.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::error::{self, ScimFailure};
use crate::http::guard::{self, Provisioner};
use crate::http::limits::Class;
use crate::scim::bulk::{Action, BulkOperation, BulkRequest, MAX_PAYLOAD};
use crate::scim::version::Version;
use crate::service::bulk::{self, Done, Plan, Progress};
use crate::service::directory::{Call, Kind, Parts};
use crate::service::sync_log::{Operation, SyncEntry};
use crate::service::{Scope, ServiceError};
use crate::store::Db;

use super::asked::{header_list, may, offered};
use super::exchange;
use super::respond::Reply;
use super::write::logged;

/// What one operation is answered.
struct Answer {
    status: StatusCode,
    place: Option<(Kind, String)>,
    version: Option<Version>,
    failure: Option<ScimFailure>,
}

/// Who asks, and what every transaction of the request needs.
struct Run {
    state: AppState,
    scope: Scope,
    base: Arc<str>,
    user_agent: Option<String>,
    plan: Arc<Plan>,
}

/// `POST /Bulk`.
pub async fn bulk(
    request: HttpRequest,
    who: Provisioner,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let entry = exchange::entry(&request, &scope, Operation::Bulk, None);
    let base = exchange::base(&state, &request);
    // every operation writes: each would be refused for the same reason (A21), so the body is not even read (AU-02)
    let allowed = offered(scope.switches().bulk, "bulk requests")
        .and_then(|()| may(&scope, Permission::ScimBulk))
        .and_then(|()| may(&scope, Permission::ScimWrite));
    if let Err(error) = allowed {
        return exchange::refuse(&state, &scope, entry, &error::scim(&error, scope.request));
    }
    let body = match exchange::json(&request, payload, MAX_PAYLOAD).await {
        Ok((body, _)) => body,
        Err(mut failure) => {
            if failure.status == StatusCode::PAYLOAD_TOO_LARGE {
                failure.detail = format!("the body exceeds maxPayloadSize ({MAX_PAYLOAD} bytes)");
            }
            return exchange::refuse(&state, &scope, entry, &failure);
        }
    };
    let refused = |error: ServiceError| {
        exchange::refuse(
            &state,
            &scope,
            entry.clone(),
            &error::scim(&error, scope.request),
        )
    };
    let plan = match BulkRequest::parse(body, &base, &state.registry, &scope.switches()) {
        Ok(bulk) => {
            let count = u64::try_from(bulk.operations.len()).unwrap_or(u64::MAX);
            let meter = guard::meter(&request);
            let taken = meter.map(|meter| state.limits.take(&meter, Class::Bulk, count));
            if let Some(Err(too_fast)) = taken {
                let wait = too_fast.wait.0;
                let status = StatusCode::TOO_MANY_REQUESTS;
                let failure = ScimFailure::of(status, None, too_fast.sentence());
                let mut answer = exchange::refuse(&state, &scope, entry, &failure);
                answer
                    .headers_mut()
                    .insert(header::RETRY_AFTER, header::HeaderValue::from(wait));
                return answer;
            }
            Arc::new(Plan::of(bulk))
        }
        Err(error) => return refused(error.into()),
    };
    let user_agent = header_list(&request, &header::USER_AGENT);
    let run = Run {
        state: state.get_ref().clone(),
        scope: scope.clone(),
        base,
        user_agent,
        plan,
    };
    match run.all().await {
        Ok(answers) => Reply::ok(run.response(&answers).to_string()).respond(),
        Err(error) => refused(error),
    }
}

impl Run {
    /// Runs the plan, many operations to a transaction. Errors: nothing was done, and not for the request's fault.
    async fn all(&self) -> Result<BTreeMap<usize, Answer>, ServiceError> {
        let mut answers = BTreeMap::new();
        let mut progress = Progress::default();
        let mut at = 0;
        while let Some(stretch) = self.plan.stretch(at, &progress) {
            at = stretch.end;
            match self.commit(stretch.clone(), &progress).await {
                Ok(done) => self.take(done, &mut progress, &mut answers),
                Err(error @ (ServiceError::Unavailable(_) | ServiceError::Retry))
                    if answers.is_empty() =>
                {
                    return Err(error);
                }
                // the operation to blame must not take the others of its transaction along
                Err(_) => self.one_by_one(stretch, &mut progress, &mut answers).await,
            }
        }
        Ok(answers)
    }

    async fn one_by_one(
        &self,
        stretch: Range<usize>,
        progress: &mut Progress,
        answers: &mut BTreeMap<usize, Answer>,
    ) {
        for unit in stretch {
            if self.plan.stretch(unit, progress).is_none() {
                return;
            }
            match self.commit(unit..unit + 1, progress).await {
                Ok(done) => self.take(done, progress, answers),
                Err(error) => {
                    let failure = error::scim(&error, self.scope.request);
                    for index in self.plan.operations(unit..unit + 1) {
                        let scope = Scope {
                            request: crate::ids::RequestId::new(),
                            ..self.scope.clone()
                        };
                        let entry =
                            bulk::entry(&self.plan, &scope, index, self.user_agent.as_deref());
                        self.state
                            .log
                            .log(scope.tenant, exchange::refused(entry, &failure));
                        progress.note(index, Err(()));
                        let answer = Answer {
                            status: failure.status,
                            place: None,
                            version: None,
                            failure: Some(failure.clone()),
                        };
                        answers.insert(index, answer);
                    }
                }
            }
        }
    }

    async fn commit(
        &self,
        stretch: Range<usize>,
        progress: &Progress,
    ) -> Result<Vec<Done>, ServiceError> {
        let (scope, registry, base, progress) = (
            self.scope.clone(),
            self.state.registry.clone(),
            self.base.clone(),
            progress.clone(),
        );
        let (plan, user_agent) = (self.plan.clone(), self.user_agent.clone());
        self.state
            .store
            .write("scim bulk", move |db: &mut Db| {
                let call = Call {
                    registry: &registry,
                    base: &base,
                    parts: Parts {
                        members: false,
                        groups: false,
                        learner: false,
                        names: false,
                    },
                };
                let close = |entry: SyncEntry, scope: &Scope, done: &Done| {
                    closed(&plan, entry, scope, done)
                };
                bulk::run(
                    db,
                    &scope,
                    call,
                    &plan,
                    (stretch.clone(), &progress),
                    user_agent.as_deref(),
                    &close,
                )
            })
            .await
    }

    fn take(&self, all: Vec<Done>, progress: &mut Progress, answers: &mut BTreeMap<usize, Answer>) {
        for done in all {
            progress.note(
                done.index,
                done.result
                    .as_ref()
                    .map(|written| written.id.as_str())
                    .map_err(|_| ()),
            );
            let answer = match &done.result {
                Ok(written) => Answer {
                    status: success(self.plan.request.operations.get(done.index)),
                    place: done.place,
                    version: (written.version.0 > 0).then_some(written.version),
                    failure: None,
                },
                Err(error) => {
                    let failure = error::scim(error, self.scope.request);
                    Answer {
                        status: failure.status,
                        place: done.place,
                        version: None,
                        failure: Some(failure),
                    }
                }
            };
            answers.insert(done.index, answer);
        }
    }

    /// B-08 to B-11, B-22: the results in the order of the request.
    fn response(&self, answers: &BTreeMap<usize, Answer>) -> Value {
        let operations: Vec<Value> = answers
            .iter()
            .filter_map(|(index, answer)| {
                Some(self.result(self.plan.request.operations.get(*index)?, answer))
            })
            .collect();
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": operations })
    }

    fn result(&self, operation: &BulkOperation, answer: &Answer) -> Value {
        let mut result = Map::new();
        result.insert("method".to_owned(), Value::from(operation.method.as_str()));
        if let Some(bulk_id) = &operation.bulk_id {
            result.insert("bulkId".to_owned(), Value::from(bulk_id.as_str()));
        }
        if let Some((kind, id)) = &answer.place {
            let endpoint = kind
                .resource_type(&self.state.registry)
                .map(|found| found.endpoint.clone())
                .unwrap_or_default();
            result.insert(
                "location".to_owned(),
                Value::from(format!("{}{endpoint}/{id}", self.base)),
            );
        }
        if let Some(version) = answer.version {
            result.insert("version".to_owned(), Value::from(version.to_string()));
        }
        result.insert(
            "status".to_owned(),
            Value::from(answer.status.as_u16().to_string()),
        );
        if let Some(failure) = &answer.failure {
            result.insert(
                "response".to_owned(),
                serde_json::from_str(&failure.body()).unwrap_or_default(),
            );
        }
        Value::Object(result)
    }
}

/// What the single request would answer.
pub(in crate::http) fn success(operation: Option<&BulkOperation>) -> StatusCode {
    let planned = operation.and_then(|operation| operation.planned.as_ref().ok());
    match planned.map(|planned| (&planned.action, planned.resource_type.name)) {
        Some((Action::Create, _)) => StatusCode::CREATED,
        Some((Action::Delete(_), _)) => StatusCode::NO_CONTENT,
        Some((Action::Patch(_), name)) if name == Kind::Group.name() => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    }
}

/// The log's row of an operation.
pub(in crate::http) fn closed(
    plan: &Plan,
    mut entry: SyncEntry,
    scope: &Scope,
    done: &Done,
) -> SyncEntry {
    match (&done.result, &done.place) {
        (Ok(written), Some((kind, _))) => {
            let status = success(plan.request.operations.get(done.index));
            logged(entry, *kind, written.clone(), &Reply::empty(status))
        }
        (Ok(_), None) => entry.finish(
            crate::service::sync_log::Outcome::Success,
            StatusCode::OK.as_u16(),
            None,
        ),
        (Err(error), place) => {
            if let Some((kind, id)) = place {
                entry.resource(kind.name(), id, None, None);
            }
            exchange::refused(entry, &error::scim(error, scope.request))
        }
    }
}
