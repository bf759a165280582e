//! `/imports`: CSV files of people and groups (A4): upload, plan, commit. The dry run is always first.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::import_view::{Import, RowOutcome, show};
use super::need;
use super::page::{Page, PageQuery};
use super::problem::Failure;
use super::reply::Reply;
use super::upload::{Stream, Upload, digest, receive, settings, stage, stopping};
use crate::csv::write;
use crate::ids::JobId;
use crate::service::ServiceError;
use crate::service::imports::book::{self, Commit, ImportError, ImportRow};
use crate::service::imports::spec::{AT_ONCE, Outcome, Phase};
use crate::service::jobs::drive::drive;
use crate::service::jobs::run::{Runner, Tools};
use crate::service::listing::Place;

/// How many changes a plan shows; the rows have the rest.
const CHANGES: i64 = 50;

/// Upload a CSV file; the answer is its plan. Nothing of it is written yet.
#[utoipa::path(post, path = "/imports", tag = "Imports", params(Upload), security(("token" = ["learners:write", "members:write"])),
    request_body(content = String, content_type = "text/csv", description = "The file, up to 50 MB."),
    responses((status = 201, description = "The plan.", body = Import), (status = 202, description = "The plan is being made.", body = Import),
        (status = 422, description = "The file cannot be read: `empty_file`, `missing_column`, `unknown_column`, `duplicate_column`, `too_many_rows`, `not_text`")))]
pub async fn create(call: Call<need::Token>, stream: Stream) -> Answer {
    let asked: Upload = call.query()?;
    let settings = settings(&asked)?;
    let kind = asked.kind;
    // Before fifty megabytes are taken from who may not send them.
    call.read(move |db, scope| book::check(db, scope, kind))
        .await?;
    let mut file = receive(&call.request, stream).await?;
    let (file, digest) = web::block(move || digest(&mut file).map(|digest| (file, digest)))
        .await
        .map_err(|_| stopping())??;
    let work = async {
        let (store, scope, runner) = (call.state.store.clone(), call.scope.clone(), Runner::new());
        let staged = move || stage(&store, &scope, (file, digest), &asked, &settings, runner);
        let (id, rows) = web::block(staged).await.map_err(|_| stopping())??;
        if rows <= AT_ONCE {
            finish(&call, runner, id).await?;
        }
        let shown = shown(&call, id).await?;
        let made = Reply::created(&format!("/imports/{id}"), None, &shown)?;
        Ok(match shown.state {
            Phase::Planning => Reply {
                status: 202,
                ..made
            },
            _ => made,
        })
    };
    call.once(Some(digest), work).await
}

/// Goes through the job of an import before the answer.
async fn finish(call: &Call<need::Token>, runner: Runner, id: JobId) -> Result<(), Failure> {
    let state = &call.state;
    let tools = Arc::new(Tools {
        registry: Arc::clone(&state.registry),
    });
    let job = (call.scope.tenant, id);
    Ok(drive(&state.store, &state.clock, &tools, runner, job).await?)
}

async fn shown(call: &Call<need::Token>, id: JobId) -> Result<Import, Failure> {
    call.read(move |db, scope| {
        let (job, spec) = book::find(db, scope, id)?;
        let changes = if spec.plan.is_some() {
            book::changes(db, scope, id, CHANGES)?
        } else {
            Vec::new()
        };
        Ok(show(&job, &spec, &changes))
    })
    .await
}

/// Read an import: how far it is, what it would do or has done.
#[utoipa::path(get, path = "/imports/{id}", tag = "Imports", params(("id" = JobId, Path)), security(("token" = [])),
    responses((status = 200, description = "The import.", body = Import)))]
pub async fn get(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    let import = shown(&call, id).await?;
    Ok(call.shown(None, &import))
}

/// Give up an import; what it has committed stays.
#[utoipa::path(delete, path = "/imports/{id}", tag = "Imports", params(("id" = JobId, Path)), security(("token" = [])),
    responses((status = 204, description = "It is canceled."), (status = 409, description = "`import_not_ready`: it is over.")))]
pub async fn cancel(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    call.change("cancel import", move |db, scope| {
        book::cancel(db, scope, id)?;
        Ok(Reply::none())
    })
    .await
}

/// What narrows the rows of an import.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListRows {
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub outcome: Option<Vec<Outcome>>,
}

/// What becomes of each row, in the order of the file.
#[utoipa::path(get, path = "/imports/{id}/rows", tag = "Imports", params(("id" = JobId, Path), ListRows, PageQuery), security(("token" = [])),
    responses((status = 200, description = "A page of rows.", body = Page<RowOutcome>)))]
pub async fn rows(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    let (asked, page): (ListRows, _) = call.listed()?;
    let list = call.list(page, "")?;
    let (paging, outcomes) = (list.paging.clone(), asked.outcome.unwrap_or_default());
    let found = call
        .read(move |db, scope| book::page(db, scope, id, &outcomes, &paging))
        .await?;
    let place = |row: &ImportRow| Place::of(row.line, uuid::Uuid::nil());
    Ok(call.page(found, &list, place, |row| RowOutcome::from(row)))
}

/// The refused rows with a column `error`, to be corrected and uploaded again.
#[utoipa::path(get, path = "/imports/{id}/errors.csv", tag = "Imports", params(("id" = JobId, Path)), security(("token" = [])),
    responses((status = 200, description = "The rows.", body = String, content_type = "text/csv")))]
pub async fn errors(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    let (_, spec) = call
        .read(move |db, scope| book::find(db, scope, id))
        .await?;
    let style = write::Style {
        delimiter: spec.delimiter,
        raw: false,
    };
    let mut head = String::new();
    book::error_header(&mut head, style, &spec);
    let pages = super::exports::pages(&call, 0_i64, move |db, scope, after| {
        book::errors(db, scope, id, (&spec, style), after)
    });
    Ok(super::exports::csv(
        &format!("import-{id}-errors"),
        head,
        pages,
    ))
}

/// How a plan is committed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"confirm": true}))]
pub struct CommitImport {
    /// More of the membership may end than `max_change_pct`.
    #[serde(default)]
    pub confirm: bool,
}

/// Commit a plan. Refused with `plan_stale` when the groups have changed since: a new plan is made then.
#[utoipa::path(post, path = "/imports/{id}/commit", tag = "Imports", params(("id" = JobId, Path)), request_body = CommitImport,
    security(("token" = [])),
    responses((status = 200, description = "It is committed.", body = Import), (status = 202, description = "It is being committed.", body = Import),
        (status = 409, description = "`plan_stale`, `import_not_ready`"), (status = 422, description = "`impact_confirmation_required`")))]
pub async fn commit(call: Call<need::Token>, body: Body) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    let asked: CommitImport = body.read()?;
    // The dry run of a commit is its plan.
    if call.is_dry_run()? {
        return Ok(HttpResponse::Ok().json(shown(&call, id).await?));
    }
    let work = async {
        let (scope, runner) = (call.scope.clone(), Runner::new());
        let begun = call
            .state
            .store
            .write("commit import", move |db| {
                book::commit(db, &scope, id, asked.confirm, (runner, AT_ONCE))
            })
            .await?;
        let (_, spec) = call
            .read(move |db, scope| book::find(db, scope, id))
            .await?;
        if spec.rows <= AT_ONCE {
            finish(&call, runner, id).await?;
        }
        if let Commit::Stale(why) = begun {
            return Err(ServiceError::Import(ImportError::PlanStale { why }).into());
        }
        let shown = shown(&call, id).await?;
        let done = Reply::ok(&shown)?;
        Ok(match shown.state {
            Phase::Committing => Reply {
                status: 202,
                location: Some(format!("/api/v1/jobs/{id}")),
                ..done
            },
            _ => done,
        })
    };
    call.once(body.digest(), work).await
}
