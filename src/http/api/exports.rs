//! CSV out: learners, members, enrollments, the sync log; page by page as the client takes them, never a whole list in memory (A4).

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Call};
use super::need::{self, Need};
use crate::csv::write::{self, Style};
use crate::ids::GroupId;
use crate::service::exports::{self, What};
use crate::service::{Scope, ServiceError};
use crate::store::Db;

/// Pages of lines, each read when the one before has been sent. `read` gives lines and where the next page begins.
pub(super) fn pages<N: Need, K: Clone + Send + 'static>(
    call: &Call<N>,
    first: K,
    read: impl Fn(&mut Db, &Scope, K) -> Result<(String, Option<K>), ServiceError>
    + Clone
    + Send
    + 'static,
) -> impl Stream<Item = Result<Bytes, ServiceError>> + 'static {
    let (store, scope) = (call.state.store.clone(), call.scope.clone());
    stream::unfold(Some(first), move |key| {
        let (store, scope, read) = (store.clone(), scope.clone(), read.clone());
        async move {
            let key = key?;
            let page = store.read(move |db| read(db, &scope, key.clone())).await;
            match page {
                Ok((_, None)) => None,
                Ok((text, next)) => Some((Ok(Bytes::from(text)), next)),
                Err(error) => {
                    log::error!("an export broke off: {error}");
                    Some((Err(error), None))
                }
            }
        }
    })
}

/// A CSV answer: a header, then pages.
pub(super) fn csv(
    name: &str,
    head: String,
    pages: impl Stream<Item = Result<Bytes, ServiceError>> + 'static,
) -> HttpResponse {
    let head = stream::once(async move { Ok(Bytes::from(head)) });
    let body = head
        .chain(pages)
        .map(|page| page.map_err(|error| std::io::Error::other(error.to_string())));
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ))
        .streaming(Box::pin(body))
}

/// How an export is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Export {
    /// Cells go out as they are, also those that a spreadsheet would run as a formula. For programs.
    pub raw: Option<bool>,
}

fn answer<N: Need>(call: &Call<N>, what: What, file: &str) -> Answer {
    let asked: Export = call.query()?;
    let style = Style {
        delimiter: b',',
        raw: asked.raw.unwrap_or(false),
    };
    let mut head = String::new();
    write::line(&mut head, style, what.header());
    let pages = pages(call, None, move |db, scope, after| {
        let rows = exports::page(db, scope, what, after)?;
        let next = rows.last().map(|row| Some(row.key));
        let mut text = String::new();
        for row in &rows {
            write::line(&mut text, style, &row.cells);
        }
        Ok((text, next))
    });
    let date = crate::learning::calendar::local_date(call.scope.now, chrono_tz::UTC);
    Ok(csv(&format!("{file}-{date}-utc"), head, pages))
}

/// Learners as CSV.
#[utoipa::path(get, path = "/exports/learners.csv", tag = "Exports", params(Export), security(("token" = ["learners:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn learners(call: Call<need::LearnersRead>) -> Answer {
    answer(&call, What::Learners, "learners")
}

/// The live members of a group as CSV.
#[utoipa::path(get, path = "/groups/{id}/members.csv", tag = "Exports", params(("id" = GroupId, Path), Export), security(("token" = ["groups:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn members(call: Call<need::GroupsRead>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    // The header tells that there is such a group; the pages only tell what is in it.
    let scope = call.scope.clone();
    let group = call
        .state
        .store
        .read(move |db| crate::service::groups::find(db, &scope, id))
        .await?;
    let name: String = group
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    answer(&call, What::Members(id), &format!("members-{name}"))
}

/// The members of every group as CSV: what an import of members reads.
#[utoipa::path(get, path = "/exports/members.csv", tag = "Exports", params(Export), security(("token" = ["groups:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn all_members(call: Call<need::GroupsRead>) -> Answer {
    answer(&call, What::AllMembers, "members")
}

/// Enrollments as CSV.
#[utoipa::path(get, path = "/exports/enrollments.csv", tag = "Exports", params(Export), security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn enrollments(call: Call<need::EnrollmentsRead>) -> Answer {
    answer(&call, What::Enrollments, "enrollments")
}

/// The sync log as CSV.
#[utoipa::path(get, path = "/exports/sync-requests.csv", tag = "Exports", params(Export), security(("token" = ["sync:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn sync_requests(call: Call<need::SyncRead>) -> Answer {
    answer(&call, What::SyncRequests, "sync-requests")
}
