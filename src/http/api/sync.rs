//! `GET /sync/requests` and `/sync/requests/{id}`: the inbound SCIM log (`rest-and-console.md` A7).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::error::problem;
use crate::http::guard::ApiCaller;
use crate::ids::RequestId;
use crate::service::sync_log::{self, Operation, Outcome, Page, Query};
use crate::service::{Scope, ServiceError};

/// A page, newest first: `?outcome=&operation=&resource_type=&resource_id=&connection=&limit=&cursor=`.
pub async fn list(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    let ApiCaller(scope) = who;
    let id = scope.request;
    match page(&request, &scope, &state).await {
        Ok(page) => {
            let next = page.next.map(|next| next.to_string());
            let mut answer = HttpResponse::Ok();
            answer.insert_header((header::CACHE_CONTROL, "no-store"));
            if let Some(next) = &next {
                answer.insert_header((
                    header::LINK,
                    format!("<{}>; rel=\"next\"", address_of(&request, next)),
                ));
            }
            answer.json(json!({"data": page.requests, "page": {"next_cursor": next, "has_more": next.is_some()}}))
        }
        Err(error) => problem(&error, id),
    }
}

async fn page(
    request: &HttpRequest,
    scope: &Scope,
    state: &AppState,
) -> Result<Page, ServiceError> {
    may_read(scope)?;
    let query = query(request.query_string())?;
    let scope = scope.clone();
    state
        .store
        .read(move |db| sync_log::page(db, &scope, &query))
        .await
}

/// One request with its bodies.
pub async fn get(
    id: web::Path<String>,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    let ApiCaller(scope) = who;
    let request = scope.request;
    match one(&id, scope, &state).await {
        Ok(found) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(found),
        Err(error) => problem(&error, request),
    }
}

async fn one(
    id: &str,
    scope: Scope,
    state: &AppState,
) -> Result<sync_log::SyncRequest, ServiceError> {
    may_read(&scope)?;
    let id: RequestId = id
        .parse()
        .map_err(|_| ServiceError::not_found("request", id))?;
    state
        .store
        .read(move |db| sync_log::find(db, &scope, id))
        .await
}

fn may_read(scope: &Scope) -> Result<(), ServiceError> {
    let needed = Permission::SyncRead;
    if scope.permissions.contains(needed) {
        return Ok(());
    }
    Err(ServiceError::Denied(format!(
        "read the sync log: it lacks the scope `{needed}`"
    )))
}

/// The same request with another cursor.
fn address_of(request: &HttpRequest, cursor: &str) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let pairs: Vec<&str> = kept.collect();
    let lead = if pairs.is_empty() {
        String::new()
    } else {
        format!("{}&", pairs.join("&"))
    };
    format!("{}?{lead}cursor={cursor}", request.path())
}

/// Reads the parameters; an unknown one is refused, so that a typo does not pass for a filter.
fn query(text: &str) -> Result<Query, ServiceError> {
    let unreadable = || ServiceError::invalid("query", "the query cannot be read");
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
        .map_err(|_| unreadable())?
        .into_inner();
    let mut query = Query {
        limit: 50,
        ..Query::default()
    };
    for (name, value) in pairs {
        let wrong = |what: &str| ServiceError::invalid("query", format!("`{name}`: {what}"));
        match name.as_str() {
            "outcome" => {
                query.outcomes =
                    words(&value, Outcome::parse).ok_or_else(|| wrong("not an outcome"))?;
            }
            "operation" => {
                query.operations =
                    words(&value, Operation::parse).ok_or_else(|| wrong("not an operation"))?;
            }
            "resource_type" => query.resource_type = Some(value),
            "resource_id" => query.resource_id = Some(value),
            "connection" => query.connection = Some(value.parse().map_err(|_| wrong("not an id"))?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=200).contains(limit));
                query.limit = limit.ok_or_else(|| wrong("a number from 1 to 200"))?;
            }
            "cursor" => {
                let after = value
                    .parse()
                    .map_err(|_| ServiceError::invalid("cursor", "this is no cursor of ours"))?;
                query.after = Some(after);
            }
            _ => {
                return Err(ServiceError::invalid(
                    "query",
                    format!("there is no parameter `{name}`"),
                ));
            }
        }
    }
    Ok(query)
}

fn words<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_typos_are_refused() {
        let query = query("outcome=success,no_op&operation=patch&limit=2&resource_type=Group")
            .expect("a query");
        assert_eq!(query.outcomes, [Outcome::Success, Outcome::NoOp]);
        assert_eq!((query.operations, query.limit), (vec![Operation::Patch], 2));
        for wrong in [
            "outcom=success",
            "outcome=good",
            "limit=0",
            "limit=201",
            "cursor=x",
            "connection=x",
        ] {
            assert!(super::query(wrong).is_err(), "{wrong}");
        }
    }
}
