//! Uploads of CSV files: how they are told to be read, their bytes into a file without a name, their rows into an import.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt as _;
use futures_util::future::{Ready, ready};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::problem::Failure;
use crate::csv::columns::{Column, Kind};
use crate::csv::delimiter;
use crate::csv::encoding::Encoding;
use crate::csv::reader::{BYTES, Reader, Settings};
use crate::csv::value::DateFormat;
use crate::ids::JobId;
use crate::service::imports::book::{Asked, ImportError};
use crate::service::imports::load::load;
use crate::service::imports::spec::{AT_ONCE, Mode};
use crate::service::jobs::run::Runner;
use crate::service::{Scope, ServiceError};
use crate::store::Store;

/// How many rows of a file are stored in one transaction.
const STAGE: usize = 500;

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

pub(super) fn settings(asked: &Upload) -> Result<Settings, Failure> {
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
pub(super) async fn receive(request: &HttpRequest, stream: Stream) -> Result<File, Failure> {
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

/// The server goes down while a thread was to read.
pub(super) fn stopping() -> Failure {
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
pub(super) fn stage(
    store: &Store,
    scope: &Scope,
    (mut file, digest): (File, [u8; 32]),
    asked: &Upload,
    settings: &Settings,
    runner: Runner,
) -> Result<(JobId, i64), ServiceError> {
    let lost = |error: std::io::Error| {
        ServiceError::Bug(anyhow::Error::new(error).context("an upload's file"))
    };
    let refused = |error| ServiceError::Import(ImportError::File(error));
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
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

/// The SHA-256 of a file. Blocks.
pub(super) fn digest(file: &mut File) -> Result<[u8; 32], ServiceError> {
    hash(file)
        .map_err(|error| ServiceError::Bug(anyhow::Error::new(error).context("an upload's file")))
}

fn hash(file: &mut File) -> std::io::Result<[u8; 32]> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut piece)? {
            0 => break,
            more => hash.update(piece.get(..more).unwrap_or_default()),
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(hash.finalize().into())
}
