//! `/imports`: CSV files of people and groups (A4): upload, plan, commit. The dry run is always first.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use futures_util::future::{Ready, ready};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::need;
use super::page::{self, Page};
use super::problem::Failure;
use crate::clock::Instant;
use crate::csv::columns::{Column, Kind};
use crate::csv::encoding::Encoding;
use crate::csv::reader::{BYTES, Reader, Settings};
use crate::csv::value::DateFormat;
use crate::csv::{delimiter, write};
use crate::ids::JobId;
use crate::service::imports::book::{self, Asked, Commit, ImportError, ImportRow};
use crate::service::imports::load::load;
use crate::service::imports::spec::{AT_ONCE, Mode, Outcome, Phase, Plan, Spec};
use crate::service::jobs::book::JobRow;
use crate::service::jobs::drive::drive;
use crate::service::jobs::run::{Runner, Tools};
use crate::service::{Scope, ServiceError};
use crate::store::Store;

/// How many rows of a file are stored in one transaction.
const STAGE: usize = 500;

/// How many changes a plan shows; the rows have the rest.
const CHANGES: i64 = 50;

/// A file that was read, and what becomes of its rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Import {
    pub id: JobId,
    pub kind: Kind,
    pub state: Phase,
    pub mode: Mode,
    pub max_change_pct: i64,
    pub atomic: bool,
    pub file: ImportedFile,
    /// Rows of the file.
    pub total: i64,
    /// How many of them the present phase has gone through.
    pub done: i64,
    pub plan: Option<ImportPlan>,
    /// What a commit has done so far: rows by outcome, enrollments.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// The refused rows with the reason, to be corrected and sent again.
    pub errors_url: Option<String>,
    pub rows_url: String,
    pub error: Option<String>,
    pub by: String,
    pub created_at: Instant,
    pub committed_at: Option<Instant>,
}

/// How a file was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFile {
    pub name: Option<String>,
    pub encoding: String,
    pub delimiter: String,
    /// Our name of each column that is read, and the file's.
    pub columns: Vec<ReadColumn>,
    pub ignored_columns: Vec<String>,
    /// `encoding_guessed`, `columns_ignored`.
    pub notes: Vec<String>,
    pub sha256: String,
}

/// A column that is read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadColumn {
    pub column: String,
    pub header: String,
}

/// What committing would do (A5).
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportPlan {
    pub plan_id: JobId,
    pub expires_at: Option<Instant>,
    pub summary: Summary,
    /// The first changes; every row's outcome stands in `rows_url`.
    pub changes: Vec<Change>,
    /// Codes with how many rows they are about.
    pub warnings: Vec<PlanWarning>,
    pub state_hash: String,
}

/// A plan in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    /// Rows by outcome.
    #[schema(value_type = Object)]
    pub rows: Value,
    pub learners_affected: i64,
    pub learners: Made,
    pub groups: Made,
    pub assignments: Made,
    pub completions: Made,
    pub memberships: MembershipChanges,
    pub enrollments: EnrollmentChanges,
    pub cycles_opened: i64,
    pub becomes_overdue: i64,
    pub becomes_expired: i64,
    pub emails: i64,
}

/// How many are made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made {
    pub create: i64,
}

/// Memberships that begin, end, and wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembershipChanges {
    pub add: i64,
    pub end: i64,
    pub pend: i64,
}

/// Enrollments that are made or kept. None is ever removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrollmentChanges {
    pub create: i64,
    pub keep: i64,
    pub remove: i64,
}

/// What a row changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    pub line: i64,
    pub outcome: Outcome,
    #[schema(value_type = Object)]
    pub row: Value,
}

/// What a person should know before they commit.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanWarning {
    pub code: String,
    pub count: i64,
}

/// What becomes of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowOutcome {
    pub line: i64,
    pub outcome: Outcome,
    pub code: Option<String>,
    pub detail: Option<String>,
    /// The cells as they stand in the file.
    pub cells: Vec<String>,
}

impl From<&ImportRow> for RowOutcome {
    fn from(row: &ImportRow) -> Self {
        Self {
            line: row.line,
            outcome: Outcome::parse(&row.outcome).unwrap_or(Outcome::Error),
            code: row.code.clone(),
            detail: row.detail.clone(),
            cells: serde_json::from_str(&row.cells).unwrap_or_default(),
        }
    }
}

fn summary(plan: &Plan) -> Summary {
    Summary {
        rows: json!(plan.rows),
        learners_affected: plan.learners_affected,
        learners: Made {
            create: plan.learners_created,
        },
        groups: Made {
            create: plan.groups_created,
        },
        assignments: Made {
            create: plan.assignments_created,
        },
        completions: Made {
            create: plan.completions_recorded,
        },
        memberships: MembershipChanges {
            add: plan.memberships_added,
            end: plan.memberships_ended,
            pend: plan.memberships_pended,
        },
        enrollments: EnrollmentChanges {
            create: plan.enrollments_created,
            keep: plan.enrollments_kept,
            remove: 0,
        },
        cycles_opened: plan.cycles_opened,
        becomes_overdue: plan.becomes_overdue,
        becomes_expired: 0,
        emails: 0,
    }
}

fn warnings(plan: &Plan) -> Vec<PlanWarning> {
    [
        ("member_pending_approval", plan.memberships_pended),
        ("due_date_in_past", plan.becomes_overdue),
        ("rows_refused", plan.count(Outcome::Error)),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(code, count)| PlanWarning {
        code: code.to_owned(),
        count,
    })
    .collect()
}

fn show(job: &JobRow, spec: &Spec, changes: &[ImportRow]) -> Import {
    let phase = book::phase(job, spec);
    let plan = spec.plan.as_ref().map(|plan| ImportPlan {
        plan_id: job.id,
        expires_at: job.expires_at().filter(|_| phase == Phase::Planned),
        summary: summary(plan),
        changes: changes
            .iter()
            .map(|row| Change {
                line: row.line,
                outcome: Outcome::parse(&row.outcome).unwrap_or(Outcome::Error),
                row: serde_json::from_str(&row.fields).unwrap_or_default(),
            })
            .collect(),
        warnings: warnings(plan),
        state_hash: spec.state_hash.clone().unwrap_or_default(),
    });
    let refused = spec
        .plan
        .as_ref()
        .is_some_and(|plan| plan.count(Outcome::Error) > 0);
    Import {
        id: job.id,
        kind: spec.kind(),
        state: phase,
        mode: Mode::parse(&spec.mode).unwrap_or(Mode::AddOnly),
        max_change_pct: spec.max_change_pct,
        atomic: spec.atomic,
        file: ImportedFile {
            name: spec.file_name.clone(),
            encoding: spec.encoding.clone(),
            delimiter: delimiter::name(spec.delimiter).to_owned(),
            columns: spec
                .columns
                .iter()
                .map(|(column, header)| ReadColumn {
                    column: column.clone(),
                    header: header.clone(),
                })
                .collect(),
            ignored_columns: spec.ignored.clone(),
            notes: spec.notes.clone(),
            sha256: spec.digest.clone(),
        },
        total: spec.rows,
        done: job.done,
        plan,
        result: spec
            .committed_at
            .map(|_| serde_json::from_str(&job.result).unwrap_or_default()),
        errors_url: refused.then(|| format!("/api/v1/imports/{}/errors.csv", job.id)),
        rows_url: format!("/api/v1/imports/{}/rows", job.id),
        error: job.error.clone(),
        by: job.actor.clone(),
        created_at: job.created_at,
        committed_at: spec.committed_at.map(Instant),
    }
}

/// What is said of a file beside its bytes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Upload {
    /// What the rows are.
    #[param(inline)]
    pub kind: Kind,
    /// `sync`: the file is the truth for the groups it names; memberships of people it does not name end.
    #[param(inline)]
    pub mode: Option<Mode>,
    /// With `sync`: how much of the membership may end without `confirm`, in percent.
    #[param(minimum = 0, maximum = 100, default = 20)]
    pub max_change_pct: Option<i64>,
    /// Commit all rows in one transaction. Others wait meanwhile.
    pub atomic: Option<bool>,
    /// How dates are written that are not `YYYY-MM-DD`.
    #[param(inline)]
    pub date_format: Option<DateFormat>,
    /// `,` `;` `tab` `|`; found out unless told.
    #[param(max_length = 3)]
    pub delimiter: Option<String>,
    /// `utf-8`, `utf-16le`, `utf-16be`, `windows-1252`; found out unless told.
    #[param(max_length = 20)]
    pub encoding: Option<String>,
    /// Columns that are called otherwise in the file: `group:Team,email:Mail address`.
    #[param(max_length = 2000)]
    pub columns: Option<String>,
    #[param(max_length = 200)]
    pub file_name: Option<String>,
}

/// The columns that a person names.
fn told_columns(text: &str) -> Result<Vec<(Column, String)>, Failure> {
    let wrong = |detail: String| Failure::query("columns", "invalid", detail);
    text.split(',')
        .map(|pair| {
            let (ours, theirs) = pair
                .split_once(':')
                .ok_or_else(|| wrong(format!("`columns` is `ours:theirs,…`, not `{pair}`")))?;
            let column = Column::parse(ours.trim())
                .ok_or_else(|| wrong(format!("there is no column `{ours}`")))?;
            Ok((column, theirs.trim().to_owned()))
        })
        .collect()
}

fn settings(asked: &Upload) -> Result<Settings, Failure> {
    let mut settings = Settings::of(asked.kind);
    settings.dates = asked.date_format.unwrap_or(DateFormat::Iso);
    if let Some(text) = &asked.delimiter {
        let found = delimiter::parse(text).ok_or_else(|| {
            Failure::query(
                "delimiter",
                "invalid",
                "`delimiter` is `,` `;` `tab` or `|`".to_owned(),
            )
        })?;
        settings.delimiter = Some(found);
    }
    if let Some(text) = &asked.encoding {
        let found = Encoding::parse(text).ok_or_else(|| {
            Failure::query(
                "encoding",
                "invalid",
                "`encoding` is utf-8, utf-16le, utf-16be or windows-1252".to_owned(),
            )
        })?;
        settings.encoding = Some(found);
    }
    if let Some(text) = &asked.columns {
        settings.columns = told_columns(text)?;
    }
    Ok(settings)
}

/// A request's body as it arrives; nothing is read before the handler asks.
pub struct Stream(Payload);

impl FromRequest for Stream {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(payload.take())))
    }
}

/// Writes a body into a file that has no name, so that nothing stays behind. Errors: 413, 415.
async fn receive(request: &HttpRequest, stream: Stream) -> Result<File, Failure> {
    let limit = usize::try_from(BYTES).unwrap_or(usize::MAX);
    let kind = request.headers().get(header::CONTENT_TYPE);
    if let Some(kind) = kind {
        let text = kind.to_str().unwrap_or("?").to_ascii_lowercase();
        let essence = text.split(';').next().unwrap_or_default().trim();
        if !matches!(
            essence,
            "text/csv"
                | "text/plain"
                | "text/tab-separated-values"
                | "application/octet-stream"
                | "application/vnd.ms-excel"
        ) {
            return Err(Failure::MediaType(essence.to_owned()));
        }
    }
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Failure::TooLarge(limit));
    }
    let lost = |error: std::io::Error| {
        Failure::from(ServiceError::Bug(
            anyhow::Error::new(error).context("an upload's file"),
        ))
    };
    let mut file = web::block(unnamed)
        .await
        .map_err(|_| stopping())?
        .map_err(lost)?;
    let Stream(mut payload) = stream;
    let (mut length, mut waiting) = (0, Vec::new());
    loop {
        let piece = payload.next().await;
        let ended = piece.is_none();
        if let Some(piece) = piece {
            let piece =
                piece.map_err(|error| Failure::NotJson(format!("the body broke off: {error}")))?;
            length += piece.len();
            if length > limit {
                return Err(Failure::TooLarge(limit));
            }
            waiting.extend_from_slice(&piece);
        }
        if waiting.len() > 1 << 20 || (ended && !waiting.is_empty()) {
            let bytes = std::mem::take(&mut waiting);
            file = web::block(move || {
                file.write_all(&bytes)?;
                Ok::<_, std::io::Error>(file)
            })
            .await
            .map_err(|_| stopping())?
            .map_err(lost)?;
        }
        if ended {
            return Ok(file);
        }
    }
}

fn stopping() -> Failure {
    ServiceError::Unavailable("the server is stopping".to_owned()).into()
}

/// A file that is gone when it is closed, however the process ends.
fn unnamed() -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!("rollcall-{}", uuid::Uuid::now_v7()));
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Reads a file into the rows of an import. Blocks. Errors: the file's, with `code`.
fn stage(
    store: &Store,
    scope: &Scope,
    mut file: File,
    asked: &Upload,
    settings: &Settings,
    runner: Runner,
) -> Result<(JobId, i64), ServiceError> {
    let lost = |error: std::io::Error| {
        ServiceError::Bug(anyhow::Error::new(error).context("an upload's file"))
    };
    let refused = |error| ServiceError::Import(ImportError::File(error));
    let digest = digest(&mut file).map_err(lost)?;
    let encoding = match settings.encoding {
        Some(told) => told,
        None => {
            let found = Encoding::detect(&file).map_err(lost)?;
            file.seek(SeekFrom::Start(0)).map_err(lost)?;
            found
        }
    };
    let mut reader = Reader::open(&file, encoding, settings).map_err(refused)?;
    let asked = Asked {
        kind: asked.kind,
        mode: asked.mode.unwrap_or(Mode::AddOnly),
        max_change_pct: asked.max_change_pct,
        atomic: asked.atomic.unwrap_or(false),
        file_name: asked.file_name.clone(),
        digest,
    };
    let mine = (runner, AT_ONCE);
    load(store, scope, &asked, &mut reader, STAGE, mine, |_| {})
}

fn digest(file: &mut File) -> std::io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut piece)? {
            0 => break,
            more => hash.update(piece.get(..more).unwrap_or_default()),
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

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
    let file = receive(&call.request, stream).await?;
    let (store, scope, runner) = (call.state.store.clone(), call.scope.clone(), Runner::new());
    let (id, rows) = web::block(move || stage(&store, &scope, file, &asked, &settings, runner))
        .await
        .map_err(|_| stopping())??;
    if rows <= AT_ONCE {
        finish(&call, runner, id).await?;
    }
    let shown = shown(&call, id).await?;
    let mut answer = if shown.state == Phase::Planning {
        HttpResponse::Accepted()
    } else {
        HttpResponse::Created()
    };
    Ok(answer
        .insert_header((header::LOCATION, format!("/api/v1/imports/{id}")))
        .json(shown))
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
    Ok(HttpResponse::Ok().json(shown(&call, id).await?))
}

/// Give up an import; what it has committed stays.
#[utoipa::path(delete, path = "/imports/{id}", tag = "Imports", params(("id" = JobId, Path)), security(("token" = [])),
    responses((status = 204, description = "It is canceled."), (status = 409, description = "`import_not_ready`: it is over.")))]
pub async fn cancel(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    call.change("cancel import", move |db, scope| {
        book::cancel(db, scope, id)?;
        Ok(super::reply::Reply::none())
    })
    .await
}

/// What narrows the rows of an import.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListRows {
    #[param(inline)]
    pub outcome: Option<Outcome>,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What becomes of each row, in the order of the file.
#[utoipa::path(get, path = "/imports/{id}/rows", tag = "Imports", params(("id" = JobId, Path), ListRows), security(("token" = [])),
    responses((status = 200, description = "A page of rows.", body = Page<RowOutcome>)))]
pub async fn rows(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Import", "id")?;
    let asked: ListRows = call.query()?;
    let (limit, after) = (
        page::limit(asked.limit),
        call.after::<i64>(asked.cursor.as_deref())?,
    );
    let rows = call
        .read(move |db, scope| {
            book::page(db, scope, id, asked.outcome, after.unwrap_or(0), limit + 1)
        })
        .await?;
    Ok(call.page(
        rows,
        limit,
        |row| row.line.to_string(),
        |row| RowOutcome::from(row),
    ))
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
        let rows = book::page(db, scope, id, Some(Outcome::Error), after, 1000)?;
        let next = rows.last().map(|row| row.line);
        let mut text = String::new();
        for row in &rows {
            book::error_line(&mut text, style, &spec, row);
        }
        Ok((text, next))
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
    Ok(if shown.state == Phase::Committing {
        HttpResponse::Accepted()
            .insert_header((header::LOCATION, format!("/api/v1/jobs/{id}")))
            .json(shown)
    } else {
        HttpResponse::Ok().json(shown)
    })
}
