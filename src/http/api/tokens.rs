//! `/tokens`: credentials of the tenant, each shown once (`rest-and-console.md` A8).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Answer, Body, Call};
use super::need;
use super::page::{Page, PageQuery};
use super::problem::Failure;
use super::reply::Reply;
use crate::auth::permission::{Permission, Permissions, TokenKind};
use crate::clock::Instant;
use crate::ids::ConnectionId;
use crate::service::listing::Place;
use crate::service::tokens::{self, LIFETIME, Minted, NewToken, TokenRow, manage};

/// Milliseconds of a day.
const DAY: i64 = 24 * 3600 * 1000;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    pub jti: String,
    /// The last characters of `jti`, as logs show them.
    pub hint: String,
    pub kind: TokenKind,
    pub label: String,
    pub scopes: Vec<String>,
    pub connection_id: Option<ConnectionId>,
    pub created_by: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
    /// The network it was last used from, such as `203.0.113.0/24`; behind a proxy, the proxy's.
    pub last_used_ip: Option<String>,
    pub last_used_agent: Option<String>,
    /// The token itself, in the answer that makes it and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl From<&TokenRow> for Token {
    fn from(row: &TokenRow) -> Self {
        Self {
            hint: tokens::hint(&row.jti),
            jti: row.jti.clone(),
            kind: TokenKind::parse(&row.kind).unwrap_or(TokenKind::Api),
            label: row.label.clone(),
            scopes: Permissions::read(&row.scopes)
                .iter()
                .map(|one| one.to_string())
                .collect(),
            connection_id: row.connection_id,
            created_by: row.created_by.clone(),
            created_at: Instant(row.created_at),
            expires_at: Instant(row.expires_at),
            revoked_at: row.revoked_at.map(Instant),
            last_used_at: row.last_used_at.map(Instant),
            last_used_ip: row.last_used_ip.clone(),
            last_used_agent: row.last_used_agent.clone(),
            token: None,
        }
    }
}

fn made((minted, row): (Minted, TokenRow)) -> Result<Reply, crate::service::ServiceError> {
    let shown = Token {
        token: Some(minted.token),
        ..Token::from(&row)
    };
    Ok(Reply::created(&format!("/tokens/{}", row.jti), None, &shown)?.once())
}

/// List tokens, revoked and expired ones included.
#[utoipa::path(get, path = "/tokens", tag = "Tokens", params(PageQuery), security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "A page of tokens.", body = Page<Token>)))]
pub async fn list(call: Call<need::TokensAdmin>) -> Answer {
    let list = call.list(call.query()?, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| manage::page(db, scope, &paging))
        .await?;
    let place = |row: &TokenRow| Place::of(&row.jti, uuid::Uuid::nil());
    Ok(call.page(found, &list, place, |row| Token::from(row)))
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "Nightly HR script", "kind": "api", "scopes": ["groups:read", "members:write"], "expires_in_days": 90}))]
pub struct NewApiToken {
    #[schema(min_length = 1, max_length = 100)]
    pub label: String,
    pub kind: TokenKind,
    /// Everything of its kind unless told; never more than the caller has.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1)]
    pub scopes: Option<Vec<String>>,
    /// A year unless told.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 400)]
    pub expires_in_days: Option<i64>,
    /// The connection a SCIM token belongs to.
    #[serde(default)]
    pub connection_id: Option<ConnectionId>,
}

/// Make a token. The answer shows it once.
#[utoipa::path(post, path = "/tokens", tag = "Tokens", request_body = NewApiToken, security(("token" = ["tokens:admin"])),
    responses((status = 201, description = "The token with its secret.", body = Token)))]
pub async fn create(call: Call<need::TokensAdmin>, body: Body) -> Answer {
    let new: NewApiToken = body.read()?;
    let permissions = match &new.scopes {
        None if new.kind == TokenKind::Api => {
            new.kind.default_permissions().and(call.scope.permissions)
        }
        None => new.kind.default_permissions(),
        Some(list) => scopes(list)?,
    };
    let wanted = NewToken {
        label: new.label,
        permissions,
        lifetime: new.expires_in_days.map_or(LIFETIME, |days| days * DAY),
        connection: new.connection_id,
        ..NewToken::of(call.scope.tenant, new.kind)
    };
    call.change("make token", move |db, scope| {
        made(manage::mint(db, scope, &wanted)?)
    })
    .await
}

fn scopes(list: &[String]) -> Result<Permissions, Failure> {
    list.iter()
        .enumerate()
        .map(|(n, name)| {
            let known = Permission::ALL.iter().map(|one| one.as_str());
            Permission::parse(name).ok_or_else(|| {
                Failure::field(
                    format!("/scopes/{n}"),
                    super::conform::unknown("scope", name, known),
                )
            })
        })
        .collect()
}

/// Read a token's record.
#[utoipa::path(get, path = "/tokens/{jti}", tag = "Tokens", params(("jti" = String, Path)), security(("token" = ["tokens:admin"])),
    responses((status = 200, description = "The token, without its secret.", body = Token)))]
pub async fn get(call: Call<need::TokensAdmin>) -> Answer {
    let jti: String = call.id("token", "jti")?;
    let row = call
        .read(move |db, scope| manage::find(db, scope, &jti))
        .await?;
    Ok(call.shown(None, &Token::from(&row)))
}

/// Make a second token like this one. Both work until the old one is revoked.
#[utoipa::path(post, path = "/tokens/{jti}/rotate", tag = "Tokens", params(("jti" = String, Path)), security(("token" = ["tokens:admin"])),
    responses((status = 201, description = "The new token with its secret.", body = Token)))]
pub async fn rotate(call: Call<need::TokensAdmin>) -> Answer {
    let jti: String = call.id("token", "jti")?;
    call.change("rotate token", move |db, scope| {
        made(manage::rotate(db, scope, &jti)?)
    })
    .await
}

/// Revoke a token, at once.
#[utoipa::path(delete, path = "/tokens/{jti}", tag = "Tokens", params(("jti" = String, Path)), security(("token" = ["tokens:admin"])),
    responses((status = 204, description = "It works no more.")))]
pub async fn revoke(call: Call<need::TokensAdmin>) -> Answer {
    let jti: String = call.id("token", "jti")?;
    let revoked = jti.clone();
    let answer = call
        .change("revoke token", move |db, scope| {
            manage::revoke(db, scope, &revoked)?;
            Ok(Reply::none())
        })
        .await?;
    if !call.is_dry_run()? {
        call.state.tokens.forget(&jti);
    }
    Ok(answer)
}
