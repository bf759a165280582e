//! A group of any size as an answer, in bounded memory: of a GET, and of the writes that show it. RFC 7644 §3.4.1; row G-09.
//!
//! The group and the ids of its members are read in one transaction, so the body is the group at its `ETag`. A group with
//! few members is one body; a larger one is sent in chunks that are made while the client takes them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::health::InFlight;
use crate::ids::UserId;
use crate::scim::project::Projection;
use crate::scim::schema::ResourceType;
use crate::scim::version::IfNoneMatch;
use crate::service::directory::{self, Call, Kind, MEMBERS_AT_A_TIME, MemberView, Parts, Resource};
use crate::service::sync_log::{Outcome, SyncEntry};
use crate::service::{Scope, ServiceError};
use crate::store::Db;

use super::asked::{asked, header_list, may, parts, refuse_filter};
use super::exchange;
use super::respond::{self, Reply};

/// How long a client may take for the members of one group.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is left to send.
pub(super) struct Sending {
    state: web::Data<AppState>,
    scope: Scope,
    base: Arc<str>,
    view: MemberView,
    ids: Vec<UserId>,
    /// How many are sent.
    sent: usize,
    /// What stands before the first member; empty once it is sent.
    head: String,
    deadline: Instant,
    /// A server that stops waits for it.
    _in_flight: InFlight,
}

/// `GET /Groups/{id}`.
pub(super) async fn get(
    entry: SyncEntry,
    request: &HttpRequest,
    scope: &Scope,
    id: &str,
    state: &web::Data<AppState>,
) -> HttpResponse {
    match begin(request, scope, id, state).await {
        Ok((reply, None)) => exchange::finish(state, scope, entry, Ok(reply)),
        Ok((reply, Some(sending))) => {
            let done = entry.finish(Outcome::Success, reply.status.as_u16(), None);
            state.log.log(scope.tenant, done);
            sending.respond(reply)
        }
        Err(error) => exchange::finish(state, scope, entry, Err(error)),
    }
}

/// The whole answer, or its headers and what is to be sent.
async fn begin(
    request: &HttpRequest,
    scope: &Scope,
    id: &str,
    state: &web::Data<AppState>,
) -> Result<(Reply, Option<Sending>), ServiceError> {
    may(scope, Permission::ScimRead)?;
    refuse_filter(request)?;
    let asked = asked(state, request, scope, Kind::Group)?;
    let wanted = parts(&asked.resource_type, &asked.projection);
    let condition =
        header_list(request, &header::IF_NONE_MATCH).map(|text| IfNoneMatch::parse(&text));
    let (reader, registry, base, group) = (
        scope.clone(),
        state.registry.clone(),
        asked.base.clone(),
        id.to_owned(),
    );
    let job = move |db: &mut Db| {
        let call = Call {
            registry: &registry,
            base: &base,
            parts: Parts {
                members: false,
                ..wanted
            },
        };
        let head = directory::get(db, &reader, call, Kind::Group, &group)?;
        let known = condition
            .as_ref()
            .is_some_and(|condition| condition.matches(head.version));
        let ids = match (known, wanted.members) {
            (true, _) => None,
            (false, false) => Some(Vec::new()),
            (false, true) => Some(directory::member_ids(db, &reader, &group)?),
        };
        Ok::<_, ServiceError>((head, ids))
    };
    // members may be many: those reads leave the worker
    let (head, ids): (Resource, Option<Vec<UserId>>) = if wanted.members {
        state.store.read(job).await?
    } else {
        state.store.read_short(job).await?
    };
    let Some(ids) = ids else {
        let mut unchanged = Reply::empty(StatusCode::NOT_MODIFIED);
        unchanged.version = Some(head.version);
        return Ok((unchanged, None));
    };
    let mut reply = respond::resource(&asked.resource_type, &asked.projection, &asked.base, head)?;
    if ids.is_empty() {
        return Ok((reply, None));
    }
    let view = view(&asked.resource_type, &asked.projection);
    let head = reply.body.take().unwrap_or_default();
    let mut sending = Sending::new(state, scope, asked.base, view, (head, ids));
    if sending.ids.len() > MEMBERS_AT_A_TIME {
        return Ok((reply, Some(sending)));
    }
    reply.body = Some(sending.piece().await?);
    Ok((reply, None))
}

/// Which parts of a member the client wants to see.
pub(super) fn view(rt: &ResourceType, projection: &Projection) -> MemberView {
    let wants = |part| projection.wants_part(rt, "members", part);
    MemberView {
        value: wants("value"),
        reference: wants("$ref"),
        kind: wants("type"),
        display: wants("display"),
    }
}

/// A JSON object up to where its last member, `members`, begins.
fn opened(object: String) -> String {
    let mut head = object;
    head.pop();
    head.push_str(if head.len() > 1 {
        ",\"members\":["
    } else {
        "\"members\":["
    });
    head
}

/// The whole of a group with few members; `group` is it without them.
pub(super) fn with_members(group: String, members: &str) -> String {
    if members.is_empty() {
        return group;
    }
    let mut whole = opened(group);
    whole.push_str(members);
    whole.push_str("]}");
    whole
}

impl Sending {
    /// The members `ids` behind a group without them.
    pub(super) fn new(
        state: &web::Data<AppState>,
        scope: &Scope,
        base: Arc<str>,
        view: MemberView,
        (group, ids): (String, Vec<UserId>),
    ) -> Self {
        Self {
            state: state.clone(),
            scope: scope.clone(),
            base,
            view,
            ids,
            sent: 0,
            head: opened(group),
            deadline: Instant::now() + PATIENCE,
            _in_flight: state.metrics.enter(),
        }
    }

    /// The answer in chunks.
    pub(super) fn respond(self, reply: Reply) -> HttpResponse {
        reply.respond_in_chunks(Box::pin(stream::try_unfold(self, next)))
    }

    /// The next piece of the body: its beginning, some members, or some members and its end.
    async fn piece(&mut self) -> Result<String, ServiceError> {
        let end = self.ids.len().min(self.sent + MEMBERS_AT_A_TIME);
        let ids: Vec<UserId> = self.ids.get(self.sent..end).unwrap_or_default().to_vec();
        let (scope, base, view) = (self.scope.clone(), self.base.clone(), self.view);
        let job = move |db: &mut Db| directory::members_text(db, &scope, &base, view, &ids);
        let text = self.state.store.read(job).await?;
        let mut piece = std::mem::take(&mut self.head);
        if self.sent > 0 {
            piece.push(',');
        }
        piece.push_str(&text);
        self.sent = end;
        if self.sent == self.ids.len() {
            piece.push_str("]}");
        }
        Ok(piece)
    }
}

/// One chunk of the body. What fails on the way breaks the connection off, so that nobody takes a part for the whole.
async fn next(mut sending: Sending) -> Result<Option<(Bytes, Sending)>, actix_web::Error> {
    if sending.sent == sending.ids.len() {
        return Ok(None);
    }
    if Instant::now() > sending.deadline {
        log::warn!("a client took too long for the members of a group");
        return Err(actix_web::error::ErrorRequestTimeout("too slow"));
    }
    match sending.piece().await {
        Ok(piece) => Ok(Some((Bytes::from(piece), sending))),
        Err(error) => {
            log::warn!("the members of a group could not be sent: {error}");
            Err(actix_web::error::ErrorServiceUnavailable("broken off"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::opened;

    #[test]
    fn members_are_the_last_of_an_object() {
        assert_eq!(
            opened("{\"id\":\"1\"}".to_owned()),
            "{\"id\":\"1\",\"members\":["
        );
        assert_eq!(opened("{}".to_owned()), "{\"members\":[");
    }
}
