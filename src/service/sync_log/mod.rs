//! The sync log: what each inbound SCIM request was, did and was answered (`rest-and-console.md` A7).
//!
//! A write records its row in its own transaction ([`record`]); reads and refusals go through [`SyncLogger`], in
//! batches, without slowing the answer. Bodies are redacted before they can reach a row: [`Body`] has no other maker.

mod body;
mod logger;
mod reading;
mod sessions;

use std::borrow::Cow;
use std::time::Instant as Stopwatch;

use serde_json::Value;

use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId, TenantId};
use crate::scim::message::Note;
use crate::store::Db;
use crate::store::queries::sync_log::{self, SyncRow};

use super::scope::Actor;
use super::{Scope, ServiceError, tokens};

pub use body::{Body, MAX_BODY, declare_secrets, is_redacted};
pub use logger::SyncLogger;
pub use reading::{Query, SyncRequest, find, page};
pub use sessions::{Session, sessions};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The one spelling, in rows and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads the spelling back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What became of a request.
    Outcome {
        /// It did what it asked.
        Success = "success",
        /// Nothing changed: it was so already.
        NoOp = "no_op",
        /// Some values were skipped.
        Partial = "partial",
        /// Stored, but nothing is owed: the connection observes.
        Held = "held",
        /// Stored, but nothing is owed: the plan has no groups.
        Parked = "parked",
        /// Refused: the client must change something.
        Rejected = "rejected",
        /// Our mistake, or not now.
        Failed = "failed",
    }
}

words! {
    /// What a request asked for.
    Operation {
        Create = "create",
        Replace = "replace",
        Patch = "patch",
        Delete = "delete",
        /// One resource by its id.
        Read = "read",
        /// A list with a filter: is it there?
        Probe = "probe",
        /// A list without one.
        List = "list",
        /// A bulk request that was refused whole, or an operation of one that asks for nothing possible.
        Bulk = "bulk",
    }
}

impl Outcome {
    /// Whether somebody may want to look at it: all but what went well.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        !matches!(self, Self::Success | Self::NoOp)
    }
}

impl Operation {
    /// Whether it asked for no change.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Probe | Self::List)
    }
}

/// Who sent a request, as far as the log may know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    pub user_agent: Option<String>,
    /// The network it came from, such as `203.0.113.0/24`.
    pub ip: Option<String>,
    /// The trace that the sender says it belongs to.
    pub trace: Option<String>,
}

/// One request on its way into the log.
#[derive(Clone, Debug)]
pub struct SyncEntry {
    pub id: RequestId,
    pub at: Instant,
    pub connection: Option<ConnectionId>,
    /// The last characters of the token's `jti`.
    pub token_hint: String,
    pub method: Cow<'static, str>,
    /// Path and query; a query that names a secret attribute is left out.
    pub path: String,
    pub operation: Operation,
    pub resource_type: Option<Cow<'static, str>>,
    pub resource_id: Option<String>,
    /// `userName` or `displayName`: what an admin calls the resource.
    pub resource_label: Option<String>,
    pub external_id: Option<String>,
    pub outcome: Outcome,
    pub http_status: u16,
    pub scim_type: Option<String>,
    pub detail: Option<String>,
    pub duration_us: i64,
    pub members_added: i64,
    pub members_ended: i64,
    pub enrollments: i64,
    pub notes: Vec<Note>,
    /// Before and after of each changed attribute.
    pub changes: Value,
    pub request_body: Option<Body>,
    pub response_body: Option<Body>,
    pub sender: Sender,
    started: Stopwatch,
}

impl SyncEntry {
    /// Opens an entry when the request has come in; the clock of its duration runs from here.
    #[must_use]
    pub fn start(
        scope: &Scope,
        operation: Operation,
        method: &str,
        path: &str,
        request_body: Option<&str>,
        sender: Sender,
    ) -> Self {
        let token_hint = match &scope.actor {
            Actor::Scim { jti, .. } | Actor::Api { jti, .. } => tokens::hint(jti),
            Actor::System(name) => (*name).to_owned(),
        };
        Self {
            id: scope.request,
            at: scope.now,
            connection: scope.connection.as_ref().map(|connection| connection.id),
            token_hint,
            method: word(method),
            path: body::safe_path(path),
            operation,
            resource_type: None,
            resource_id: None,
            resource_label: None,
            external_id: None,
            outcome: Outcome::Failed,
            http_status: 0,
            scim_type: None,
            detail: None,
            duration_us: 0,
            members_added: 0,
            members_ended: 0,
            enrollments: 0,
            notes: Vec::new(),
            changes: Value::Null,
            request_body: request_body.map(Body::of),
            response_body: None,
            sender: Sender {
                user_agent: sender
                    .user_agent
                    .map(|agent| body::cut(&agent, 256).to_owned()),
                ..sender
            },
            started: Stopwatch::now(),
        }
    }

    /// Names the resource it is about; what is `None` stays as it was.
    pub fn resource(
        &mut self,
        resource_type: &'static str,
        id: &str,
        label: Option<&str>,
        external_id: Option<&str>,
    ) {
        self.resource_type = Some(resource_type.into());
        self.resource_id = Some(body::storable(body::cut(id, 256).to_owned()));
        if let Some(label) = label {
            self.resource_label = Some(label.to_owned());
        }
        if let Some(external_id) = external_id {
            self.external_id = Some(external_id.to_owned());
        }
    }

    /// Closes the entry with its outcome and the answer.
    #[must_use]
    pub fn finish(
        mut self,
        outcome: Outcome,
        http_status: u16,
        response_body: Option<&str>,
    ) -> Self {
        self.outcome = outcome;
        self.http_status = http_status;
        self.response_body = response_body.map(Body::of);
        self.duration_us = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        self
    }

    fn row(self, tenant: TenantId) -> SyncRow {
        let notes = if self.notes.is_empty() {
            Ok("[]".into())
        } else {
            serde_json::to_string(&self.notes).map(Cow::Owned)
        };
        SyncRow {
            tenant_id: tenant.0,
            id: self.id,
            at: self.at.0,
            connection_id: self.connection,
            token_hint: self.token_hint,
            method: self.method,
            path: self.path,
            operation: self.operation.as_str().into(),
            resource_type: self.resource_type,
            resource_id: self.resource_id,
            resource_label: self.resource_label.map(body::storable),
            external_id: self.external_id.map(body::storable),
            outcome: self.outcome.as_str().into(),
            http_status: i64::from(self.http_status),
            scim_type: self.scim_type,
            detail: self.detail.map(body::storable),
            duration_us: self.duration_us,
            members_added: self.members_added,
            members_ended: self.members_ended,
            enrollments: self.enrollments,
            notes: notes.unwrap_or(Cow::Borrowed("[]")),
            changes: if self.changes.is_null() {
                "{}".into()
            } else {
                body::safe_changes(&self.changes).into()
            },
            request_body: self.request_body.map(Body::into_text),
            response_body: self.response_body.map(Body::into_text),
            user_agent: self.sender.user_agent,
            client_ip: self.sender.ip,
            trace_id: self.sender.trace,
        }
    }
}

/// A method's name; the usual ones cost no memory.
fn word(method: &str) -> Cow<'static, str> {
    let usual = ["GET", "PATCH", "POST", "PUT", "DELETE", "HEAD"];
    match usual.into_iter().find(|usual| *usual == method) {
        Some(usual) => usual.into(),
        None => method.to_owned().into(),
    }
}

/// Records several requests in the transaction of what they did.
pub fn record_all(db: &mut Db, scope: &Scope, entries: Vec<SyncEntry>) -> Result<(), ServiceError> {
    let rows: Vec<SyncRow> = entries
        .into_iter()
        .map(|entry| entry.row(scope.tenant))
        .collect();
    sync_log::insert(db, &rows)?;
    Ok(())
}

/// Records a request in the transaction of what it did.
pub fn record(db: &mut Db, scope: &Scope, entry: SyncEntry) -> Result<(), ServiceError> {
    sync_log::insert(db, &[entry.row(scope.tenant)])?;
    Ok(())
}

#[cfg(test)]
mod tests;
