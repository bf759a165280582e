//! CSV out: learners, members, enrollments, the sync log; page by page as the client takes them, never a whole list in memory (A4).

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::call::{Answer, Call};
use super::figures::{Knowledge, question};
use super::need::{self, Need};
use super::problem::Failure;
use crate::clock::Instant;
use crate::csv::write::{self, Style};
use crate::ids::{GroupId, LearnerId};
use crate::learning::calendar::local_date;
use crate::learning::obligation::Status;
use crate::service::audit::EventFilter;
use crate::service::exports::{self, Line, What};
use crate::service::{Scope, ServiceError, groups};
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

async fn answer<N: Need>(call: &Call<N>, what: What, file: &str) -> Answer {
    let asked: Export = call.query()?;
    let read = move |db: &mut Db, scope: &Scope, after| exports::page(db, scope, what, after);
    lines(call, asked.raw, what.header(), file, read).await
}

pub(super) const fn style(raw: Option<bool>) -> Style {
    Style {
        delimiter: b',',
        raw: matches!(raw, Some(true)),
    }
}

/// A list as CSV whose pages are read by the key of their last line.
async fn lines<N: Need>(
    call: &Call<N>,
    raw: Option<bool>,
    header: Vec<&str>,
    file: &str,
    read: impl Fn(&mut Db, &Scope, Option<Uuid>) -> Result<Vec<Line>, ServiceError>
    + Clone
    + Send
    + 'static,
) -> Answer {
    let style = style(raw);
    let mut head = String::new();
    write::line(&mut head, style, header);
    let pages = pages(call, None, move |db, scope, after| {
        let rows = read(db, scope, after)?;
        let next = rows.last().map(|row| Some(row.key));
        Ok((text(style, &rows), next))
    });
    Ok(csv(&file_name(call, file).await?, head, pages))
}

fn text(style: Style, rows: &[Line]) -> String {
    let mut text = String::new();
    for row in rows {
        write::line(&mut text, style, &row.cells);
    }
    text
}

/// The name of a file: what is in it, the date where the tenant is, and the time zone of that date.
pub(super) async fn file_name<N: Need>(call: &Call<N>, what: &str) -> Result<String, Failure> {
    let zone = call.read(groups::zone).await?;
    let date = local_date(call.scope.now, zone);
    Ok(format!("{what}-{date}-{}", plain(zone.name())))
}

/// A name as a file's name takes it.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

/// Learners as CSV.
#[utoipa::path(get, path = "/exports/learners.csv", tag = "Exports", params(Export), security(("token" = ["learners:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn learners(call: Call<need::LearnersRead>) -> Answer {
    answer(&call, What::Learners, "learners").await
}

/// The live members of a group as CSV.
#[utoipa::path(get, path = "/groups/{id}/members.csv", tag = "Exports", params(("id" = GroupId, Path), Export), security(("token" = ["groups:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn members(call: Call<need::GroupsRead>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let _: Export = call.query()?;
    // The header tells that there is such a group; the pages only tell what is in it.
    let group = call
        .read(move |db, scope| groups::find(db, scope, id))
        .await?;
    let name = plain(&group.name);
    answer(&call, What::Members(id), &format!("members-{name}")).await
}

/// The members of every group as CSV: what an import of members reads.
#[utoipa::path(get, path = "/exports/members.csv", tag = "Exports", params(Export), security(("token" = ["groups:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn all_members(call: Call<need::GroupsRead>) -> Answer {
    answer(&call, What::AllMembers, "members").await
}

/// Enrollments as CSV.
#[utoipa::path(get, path = "/exports/enrollments.csv", tag = "Exports", params(Export), security(("token" = ["enrollments:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn enrollments(call: Call<need::EnrollmentsRead>) -> Answer {
    answer(&call, What::Enrollments, "enrollments").await
}

/// The sync log as CSV.
#[utoipa::path(get, path = "/exports/sync-requests.csv", tag = "Exports", params(Export), security(("token" = ["sync:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn sync_requests(call: Call<need::SyncRead>) -> Answer {
    answer(&call, What::SyncRequests, "sync-requests").await
}

/// Completions as CSV, voided ones and those of former learners included: what an import of completions reads.
#[utoipa::path(get, path = "/exports/completions.csv", tag = "Exports", params(Export), security(("token" = ["completions:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn completions(call: Call<need::CompletionsRead>) -> Answer {
    let asked: Export = call.query()?;
    let header = write::names(exports::COMPLETIONS);
    let read = exports::completions;
    lines(&call, asked.raw, header, "completions", read).await
}

/// What narrows an export of the audit trail.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportEvents {
    pub actor: Option<String>,
    /// `group`, `course`, `assignment`, `learner`, `enrollment`, `token`, `connection`, …
    pub entity: Option<String>,
    /// Such as `group.created`.
    pub r#type: Option<String>,
    #[param(inline)]
    pub since: Option<Instant>,
    #[param(inline)]
    pub until: Option<Instant>,
    /// Cells go out as they are, also those that a spreadsheet would run as a formula. For programs.
    pub raw: Option<bool>,
}

/// The audit trail as CSV, oldest first.
#[utoipa::path(get, path = "/exports/audit-events.csv", tag = "Exports", params(ExportEvents), security(("token" = ["audit:read"])),
    responses((status = 200, description = "One line each.", body = String, content_type = "text/csv")))]
pub async fn audit_events(call: Call<need::AuditRead>) -> Answer {
    let asked: ExportEvents = call.query()?;
    let filter = EventFilter {
        actor: asked.actor,
        entity: asked.entity,
        entity_id: None,
        event_type: asked.r#type,
        since: asked.since,
        until: asked.until,
    };
    let read = move |db: &mut Db, scope: &Scope, after| exports::events(db, scope, &filter, after);
    let header = write::names(exports::EVENTS);
    lines(&call, asked.raw, header, "audit-events", read).await
}

/// Which obligations an export of compliance has.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportMatrix {
    /// Only these statuses: `overdue,expired`.
    #[param(inline, style = Form, explode = false)]
    pub status: Option<Vec<Status>>,
    /// Extra time counts as expired.
    pub strict: Option<bool>,
    /// The instant; now unless told.
    #[param(inline)]
    pub as_of: Option<Instant>,
    #[param(inline)]
    pub knowledge: Option<Knowledge>,
    /// Cells go out as they are, also those that a spreadsheet would run as a formula. For programs.
    pub raw: Option<bool>,
}

/// The compliance matrix as CSV: one line per learner, group and course, members who are away or wait included.
#[utoipa::path(get, path = "/exports/compliance.csv", tag = "Exports", params(ExportMatrix), security(("token" = ["reports:read"])),
    responses((status = 200, description = "One line per obligation.", body = String, content_type = "text/csv")))]
pub async fn compliance(call: Call<need::ReportsRead>) -> Answer {
    let asked: ExportMatrix = call.query()?;
    let question = question(&call, asked.strict, asked.as_of, asked.knowledge);
    let (style, wanted) = (style(asked.raw), asked.status.unwrap_or_default());
    let mut head = String::new();
    write::line(&mut head, style, write::names(exports::MATRIX));
    let pages = pages(&call, None, move |db, scope, after: Option<LearnerId>| {
        let keep = |status: Status| wanted.is_empty() || wanted.contains(&status);
        let page = exports::matrix(db, scope, question, keep, after)?;
        Ok(match page {
            Some((rows, upto)) => (text(style, &rows), Some(Some(upto))),
            None => (String::new(), None),
        })
    });
    Ok(csv(&file_name(&call, "compliance").await?, head, pages))
}
