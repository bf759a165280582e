//! `/connections`: the identity providers that push, and how each is treated (`rest-and-console.md` A2, A8).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Answer, Body, Call};
use super::need;
use super::page::{Page, PageQuery};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::ConnectionId;
use crate::scim::quirks::Client;
use crate::scim::rights::AttributeRights;
use crate::scim::schema::Registry;
use crate::scim::switches::Switches;
use crate::service::ServiceError;
use crate::service::connections::{self, ConnectionFields, ConnectionRow};
use crate::service::listing::Place;

/// Which identity provider it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Idp {
    Okta,
    Entra,
    Generic,
}

/// Whether a connection's pushes take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionMode)]
pub enum Mode {
    /// They do.
    Live,
    /// They are stored; nobody is enrolled because of them.
    Observe,
    /// They are refused with 503 until the connection goes on.
    Paused,
}

/// Whether an account that the connection creates counts as approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionApproval)]
pub enum Approve {
    Auto,
    Manual,
    /// As the tenant's settings say.
    Inherit,
}

fn word<T: Serialize>(value: T) -> Option<String> {
    serde_json::to_value(value)
        .ok()?
        .as_str()
        .map(str::to_owned)
}

fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

/// A configured provisioning client.
#[derive(Debug, Serialize, ToSchema)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: String,
    pub idp: Idp,
    pub mode: Mode,
    pub approve: Approve,
    /// Whether name and members of the groups it makes are its own.
    pub lock_groups: bool,
    /// Which deviations from the SCIM specification are taken, and which of its optional parts are offered.
    #[schema(value_type = Object)]
    pub switches: Switches,
    /// A request that would bring it over so many new enrollments within an hour puts it on observation; null: none does.
    pub effect_brake: Option<i64>,
    /// What of a resource the client may read, write and name in a URL.
    pub attributes: Attributes,
    pub created_at: Instant,
    /// Enrollments that going live made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollments_created: Option<i64>,
}

impl From<&ConnectionRow> for Connection {
    fn from(row: &ConnectionRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            idp: read(&row.idp).unwrap_or(Idp::Generic),
            mode: read(&row.mode).unwrap_or(Mode::Observe),
            approve: read(&row.approve).unwrap_or(Approve::Inherit),
            lock_groups: row.lock_groups,
            switches: serde_json::from_str(&row.switches).unwrap_or_default(),
            effect_brake: row.effect_brake,
            attributes: serde_json::from_str(&row.attributes).unwrap_or_default(),
            created_at: Instant(row.created_at),
            enrollments_created: None,
        }
    }
}

/// List connections.
#[utoipa::path(get, path = "/connections", tag = "Connections", params(PageQuery), security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "A page of connections.", body = Page<Connection>)))]
pub async fn list(call: Call<need::TokensAdmin>) -> Answer {
    let list = call.list(call.query()?, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| connections::list(db, scope, &paging))
        .await?;
    let place = |row: &ConnectionRow| Place::id(row.id.0);
    Ok(call.page(found, &list, place, |row| Connection::from(row)))
}

/// A new connection. What is absent follows the identity provider.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Okta production", "idp": "okta", "mode": "observe"}))]
pub struct NewConnection {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    pub idp: Idp,
    #[serde(default)]
    #[schema(nullable = false)]
    pub mode: Option<Mode>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub approve: Option<Approve>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub lock_groups: Option<bool>,
    /// 500 unless told; null for none.
    #[serde(default, deserialize_with = "super::input::present")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    pub effect_brake: Option<Option<i64>>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub switches: Option<SwitchesEdit>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub attributes: Option<Attributes>,
}

/// What changes in a connection; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mode": "paused", "switches": {"unknown_scim_member": "reject"}}))]
pub struct ConnectionEdit {
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub mode: Option<Mode>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub approve: Option<Approve>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub lock_groups: Option<bool>,
    /// Null for none.
    #[serde(default, deserialize_with = "super::input::present")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    pub effect_brake: Option<Option<i64>>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub switches: Option<SwitchesEdit>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub attributes: Option<Attributes>,
}

/// Which attributes a client may read, write and name in a URL. Names are SCIM attribute names or schema URNs; a list that
/// is `null` means every attribute.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// What it may read, beside `id`, `schemas` and `meta`. What it may not read is absent and filters as unassigned.
    #[schema(max_items = 500)]
    pub readable: Option<Vec<String>>,
    /// What it may write. A change of anything else is refused with 403.
    #[schema(max_items = 500)]
    pub writable: Option<Vec<String>>,
    /// What may not stand in the filter of a GET; such a filter belongs into the body of a `.search`.
    #[schema(max_items = 500)]
    pub confidential: Vec<String>,
}

impl Attributes {
    /// The rights, if every name means something.
    fn checked(self, registry: &Registry) -> Result<AttributeRights, ServiceError> {
        let rights = AttributeRights {
            readable: self.readable,
            writable: self.writable,
            confidential: self.confidential,
        };
        for (list, names) in rights.lists() {
            if names.len() > MOST_NAMES {
                return Err(ServiceError::invalid(
                    format!("/attributes/{list}"),
                    format!("at most {MOST_NAMES} names"),
                ));
            }
        }
        match rights.unknown(registry) {
            None => Ok(rights),
            Some((list, place, name)) => Err(ServiceError::invalid(
                format!("/attributes/{list}/{place}"),
                format!(
                    "no resource type has an attribute or schema `{name}`; sub-attributes cannot be named here"
                ),
            )),
        }
    }
}

/// As many names stand in one list.
const MOST_NAMES: usize = 500;

macro_rules! switches_edit {
    ($($name:ident: $kind:ty),* $(,)?) => {
        /// Tolerances and optional parts to turn on or off; absent ones stay.
        #[derive(Clone, Debug, Default, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct SwitchesEdit { $(#[serde(default)] #[schema(nullable = false)] pub $name: Option<$kind>),* }

        impl SwitchesEdit {
            fn over(&self, before: Switches) -> Switches {
                Switches { $($name: self.$name.map_or(before.$name, Into::into)),* }
            }
        }
    };
}

switches_edit!(
    ci_ops: bool, bool_strings: bool, remove_value_list: bool, dotted_keys: bool, wrap_scalar: bool,
    bracket_sub_filter: bool, ignore_unknown_attrs: bool, ignore_unknown_schemas: bool,
    put_omitted_members: OmittedMembers, unknown_scim_member: UnknownMember, replace_creates: bool, infer_schemas: bool,
    any_country: bool, any_certificate: bool, any_manager: bool, require_if_match: bool,
    patch: bool, bulk: bool, filter: bool, sort: bool, cursors: bool,
);

/// What a PUT of a group without `members` means.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OmittedMembers {
    Keep,
    Clear,
}

impl From<OmittedMembers> for crate::scim::switches::OmittedMembers {
    fn from(word: OmittedMembers) -> Self {
        match word {
            OmittedMembers::Keep => Self::Keep,
            OmittedMembers::Clear => Self::Clear,
        }
    }
}

/// What happens to member ids that name nobody.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMember {
    SkipAndWarn,
    Reject,
}

impl From<UnknownMember> for crate::scim::switches::UnknownMember {
    fn from(word: UnknownMember) -> Self {
        match word {
            UnknownMember::SkipAndWarn => Self::SkipAndWarn,
            UnknownMember::Reject => Self::Reject,
        }
    }
}

fn client(idp: Idp) -> Client {
    match idp {
        Idp::Okta => Client::Okta,
        Idp::Entra => Client::Entra,
        Idp::Generic => Client::Generic,
    }
}

/// Create a connection.
#[utoipa::path(post, path = "/connections", tag = "Connections", request_body = NewConnection, security(("token" = ["tokens:admin"])),
    responses((status = 201, description = "The connection.", body = Connection), (status = 409, description = "`already_taken`")))]
pub async fn create(call: Call<need::TokensAdmin>, body: Body) -> Answer {
    let new: NewConnection = body.read()?;
    let client = client(new.idp);
    let attributes = new
        .attributes
        .map(|lists| lists.checked(&call.state.registry));
    let fields = ConnectionFields {
        name: Some(new.name),
        mode: new.mode.and_then(word),
        approve: new.approve.and_then(word),
        lock_groups: new.lock_groups,
        effect_brake: new.effect_brake,
        switches: new
            .switches
            .map(|edit| edit.over(connections::switches(client))),
        attributes: attributes.transpose()?,
    };
    call.change("create connection", move |db, scope| {
        let row = connections::add(db, scope, client, &fields)?;
        Reply::created(
            &format!("/connections/{}", row.id),
            None,
            &Connection::from(&row),
        )
    })
    .await
}

/// Read a connection.
#[utoipa::path(get, path = "/connections/{id}", tag = "Connections", params(("id" = ConnectionId, Path)), security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "The connection.", body = Connection)))]
pub async fn get(call: Call<need::TokensAdmin>) -> Answer {
    let id: ConnectionId = call.id("connection", "id")?;
    let row = call
        .read(move |db, scope| connections::row(db, scope, id))
        .await?;
    Ok(call.shown(None, &Connection::from(&row)))
}

/// Edit a connection. Turning it live enrolls whoever is owed something because of it.
#[utoipa::path(patch, path = "/connections/{id}", tag = "Connections", params(("id" = ConnectionId, Path)), request_body = ConnectionEdit,
    security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "The connection.", body = Connection), (status = 409, description = "`already_taken`")))]
pub async fn edit(call: Call<need::TokensAdmin>, body: Body) -> Answer {
    let id: ConnectionId = call.id("connection", "id")?;
    let edit: ConnectionEdit = body.read()?;
    let attributes = edit
        .attributes
        .clone()
        .map(|lists| lists.checked(&call.state.registry));
    let attributes = attributes.transpose()?;
    changed(&call, id, move |before| ConnectionFields {
        name: edit.name.clone(),
        mode: edit.mode.and_then(word),
        approve: edit.approve.and_then(word),
        lock_groups: edit.lock_groups,
        effect_brake: edit.effect_brake,
        switches: edit.switches.as_ref().map(|edit| edit.over(before)),
        attributes: attributes.clone(),
    })
    .await
}

/// Go live: whoever is owed something because of the connection is enrolled.
#[utoipa::path(post, path = "/connections/{id}/go-live", tag = "Connections", params(("id" = ConnectionId, Path)),
    security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "The connection.", body = Connection)))]
pub async fn go_live(call: Call<need::TokensAdmin>) -> Answer {
    let id: ConnectionId = call.id("connection", "id")?;
    changed(&call, id, live).await
}

fn live(_: Switches) -> ConnectionFields {
    ConnectionFields {
        mode: word(Mode::Live),
        ..ConnectionFields::default()
    }
}

async fn changed(
    call: &Call<need::TokensAdmin>,
    id: ConnectionId,
    fields: impl Fn(Switches) -> ConnectionFields + Send + 'static,
) -> Answer {
    let answer = call
        .change("edit connection", move |db, scope| {
            let before = connections::find(db, scope.tenant, id)?;
            let (row, effects) = connections::edit(db, scope, id, &fields(before.switches))?;
            Reply::ok(&Connection {
                enrollments_created: Some(effects.enrollments),
                ..Connection::from(&row)
            })
        })
        .await?;
    if !call.is_dry_run()? {
        call.state.tokens.forget_connection(id);
    }
    Ok(answer)
}

/// What going live would enroll, as a plan.
#[utoipa::path(get, path = "/connections/{id}/owed", tag = "Connections", params(("id" = ConnectionId, Path)),
    security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "The plan.", body = crate::service::dry_run::Plan)))]
pub async fn owed(call: Call<need::TokensAdmin>) -> Answer {
    let id: ConnectionId = call.id("connection", "id")?;
    call.rehearse("show what is owed", move |db, scope| {
        let (row, effects) = connections::edit(db, scope, id, &live(Switches::default()))?;
        Reply::ok(&Connection {
            enrollments_created: Some(effects.enrollments),
            ..Connection::from(&row)
        })
    })
    .await
}
