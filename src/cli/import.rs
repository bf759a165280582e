//! `rollcall import KIND FILE.csv`: a file's plan, and with `--commit` its commit; on the database itself, also while a server
//! uses it. Progress goes to a terminal only.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::Ended;
use super::commands::{existing, now, print};
use super::jobs::{finish_jobs, tools};
use crate::clock::Clock;
use crate::config::Config;
use crate::csv::columns::{Column, Kind};
use crate::csv::encoding::Encoding;
use crate::csv::reader::{BYTES, Reader, Settings};
use crate::csv::value::DateFormat;
use crate::csv::{delimiter, write};
use crate::ids::{JobId, TenantId};
use crate::service::imports::book::{self, Asked, Commit, ImportError};
use crate::service::imports::load::load;
use crate::service::imports::spec::{Mode, Outcome, Plan, Spec};
use crate::service::jobs::book::{JobRow, State};
use crate::service::jobs::drive::drive_blocking;
use crate::service::jobs::run::{self, Runner, Tools};
use crate::service::{Scope, ServiceError, tenants};
use crate::store::Store;

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    Learners,
    Members,
    Cohort,
    Assignments,
    Completions,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Learners => Self::Learners,
            KindArg::Members => Self::Members,
            KindArg::Cohort => Self::Cohort,
            KindArg::Assignments => Self::Assignments,
            KindArg::Completions => Self::Completions,
        }
    }
}

#[derive(Debug, Args)]
pub struct Import {
    /// What the rows are
    kind: KindArg,
    /// The CSV file: UTF-8, UTF-16 or Windows-1252, with commas, semicolons, tabs or bars
    file: PathBuf,
    /// Write what the plan says; without it nothing changes
    #[arg(long, env = "ROLLCALL_COMMIT", value_parser = super::boolish())]
    commit: bool,
    /// The tenant; may be left out when there is only one
    #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
    tenant: Option<String>,
    /// End the memberships of people whom a file of members does not name, in the groups that it names
    #[arg(long, env = "ROLLCALL_SYNC", value_parser = super::boolish())]
    sync: bool,
    /// With --sync: commit although more than 20 % of the memberships would end
    #[arg(long, env = "ROLLCALL_CONFIRM", value_parser = super::boolish())]
    confirm: bool,
    /// Write the refused rows with the reason into this file
    #[arg(long, value_name = "FILE", env = "ROLLCALL_ERRORS")]
    errors: Option<PathBuf>,
    /// How dates are written: iso, dd.mm.yyyy, dd/mm/yyyy or mm/dd/yyyy
    #[arg(
        long,
        value_name = "FORMAT",
        env = "ROLLCALL_DATE_FORMAT",
        default_value = "iso"
    )]
    date_format: String,
    /// Columns that are called otherwise in the file: group:Team,email:Mail
    #[arg(long, value_name = "NAMES", env = "ROLLCALL_COLUMNS")]
    columns: Option<String>,
    /// `,` `;` `tab` or `|`; found out unless told
    #[arg(long, value_name = "CHARACTER", env = "ROLLCALL_DELIMITER")]
    delimiter: Option<String>,
    /// utf-8, utf-16le, utf-16be or windows-1252; found out unless told
    #[arg(long, value_name = "NAME", env = "ROLLCALL_ENCODING")]
    encoding: Option<String>,
}

/// A line on a terminal that is written over; nothing where there is none.
struct Progress {
    shown: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
        }
    }

    fn say(&self, text: &str) {
        if self.shown {
            // A terminal that went away is no reason to stop.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}

fn usage(error: ServiceError) -> Ended {
    match error {
        ServiceError::Invalid { detail, .. } => Ended::Usage(detail),
        other => Ended::Failed(other.into()),
    }
}

fn settings(asked: &Import) -> Result<Settings, Ended> {
    let wrong = |what: &str, text: &str| Ended::Usage(format!("{what} cannot be `{text}`"));
    let mut settings = Settings::of(asked.kind.into());
    settings.dates = DateFormat::parse(&asked.date_format)
        .ok_or_else(|| wrong("--date-format", &asked.date_format))?;
    if let Some(text) = &asked.delimiter {
        settings.delimiter =
            Some(delimiter::parse(text).ok_or_else(|| wrong("--delimiter", text))?);
    }
    if let Some(text) = &asked.encoding {
        settings.encoding = Some(Encoding::parse(text).ok_or_else(|| wrong("--encoding", text))?);
    }
    for pair in asked.columns.iter().flat_map(|text| text.split(',')) {
        let (ours, theirs) = pair
            .split_once(':')
            .ok_or_else(|| wrong("--columns", pair))?;
        let column = Column::parse(ours.trim()).ok_or_else(|| wrong("--columns", pair))?;
        settings.columns.push((column, theirs.trim().to_owned()));
    }
    Ok(settings)
}

/// The tenant that is named, or the only one.
fn tenant(store: &Store, name: Option<&str>) -> Result<TenantId, Ended> {
    let name = name.map(str::to_owned);
    if let Some(name) = name {
        let found = store.read_blocking(move |db| tenants::find(db, &name));
        return Ok(found.map_err(usage)?.id);
    }
    let all = store.read_blocking(tenants::list)?;
    match all.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Ended::Failed(anyhow::anyhow!("there is no tenant"))),
        _ => Err(Ended::Usage(
            "there are several tenants; name one with --tenant".to_owned(),
        )),
    }
}

fn digest(file: &mut File) -> std::io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
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

/// `rollcall import`.
pub fn import(config: &Config, asked: &Import) -> Result<(), Ended> {
    let settings = settings(asked)?;
    let name = asked.file.display();
    let mut file = File::open(&asked.file).with_context(|| format!("{name} cannot be opened"))?;
    let length = file.metadata().with_context(|| format!("{name}"))?.len();
    if length > BYTES {
        return Err(Ended::Failed(anyhow::anyhow!(
            "{name} is larger than {} MB; split it",
            BYTES >> 20
        )));
    }
    let digest = digest(&mut file).with_context(|| format!("{name} cannot be read"))?;
    let encoding = match settings.encoding {
        Some(told) => told,
        None => Encoding::detect(&file).with_context(|| format!("{name} cannot be read"))?,
    };
    file.seek(SeekFrom::Start(0))
        .with_context(|| format!("{name} cannot be read"))?;
    let mut reader = Reader::open(&file, encoding, &settings)
        .map_err(|error| Ended::Failed(anyhow::anyhow!("{name}: {error}")))?;

    let store = existing(config)?;
    let scope = Scope::system(tenant(&store, asked.tenant.as_deref())?, "import", now());
    let told = Asked {
        kind: asked.kind.into(),
        mode: if asked.sync {
            Mode::Sync
        } else {
            Mode::AddOnly
        },
        max_change_pct: None,
        atomic: false,
        file_name: asked
            .file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        digest,
    };
    let tools = tools()?;
    let (progress, runner) = (Progress::new(), Runner::new());
    let mine = (runner, i64::MAX);
    let (id, _) = load(&store, &scope, &told, &mut reader, 500, mine, |count| {
        progress.say(&format!("reading: {count} rows"));
    })
    .map_err(usage)?;
    work(&store, &scope, &tools, &progress, "planning", (runner, id))?;
    let (_, spec) = find(&store, &scope, id)?;
    let plan = spec.plan.clone().unwrap_or_default();
    if let Some(path) = &asked.errors
        && plan.count(Outcome::Error) > 0
    {
        write_errors(&store, &scope, &spec, id, path)?;
    }
    if asked.commit {
        let (who, confirmed) = (scope.clone(), asked.confirm);
        let begun = store.write_blocking("commit import", move |db| {
            book::commit(db, &who, id, confirmed, mine)
        });
        if let Commit::Stale(why) = begun.map_err(usage)? {
            return Err(Ended::Failed(
                ServiceError::Import(ImportError::PlanStale { why }).into(),
            ));
        }
        work(
            &store,
            &scope,
            &tools,
            &progress,
            "committing",
            (runner, id),
        )?;
        finish_jobs(&store, &tools)?;
    }
    drop(progress);
    let (job, spec) = find(&store, &scope, id)?;
    print(&table(asked, &job, &spec, &plan));
    let refused = plan.count(Outcome::Error);
    if refused > 0 {
        return Err(Ended::Failed(anyhow::anyhow!("{refused} rows are refused")));
    }
    Ok(())
}

fn find(store: &Store, scope: &Scope, id: JobId) -> Result<(JobRow, Spec), Ended> {
    let who = scope.clone();
    Ok(store.read_blocking(move |db| book::find(db, &who, id))?)
}

/// Drives the import's job to its end. Errors: it failed.
fn work(
    store: &Store,
    scope: &Scope,
    tools: &Tools,
    progress: &Progress,
    what: &str,
    (runner, id): (Runner, JobId),
) -> Result<(), Ended> {
    let mut done = 0;
    let job = (scope.tenant, id);
    let told = || {
        done += 1;
        if done % 20 == 1
            && let Ok((job, _)) = find(store, scope, id)
        {
            progress.say(&format!(
                "{what}: {} of {} rows",
                job.done,
                job.total.unwrap_or(0)
            ));
        }
    };
    let driven = drive_blocking(store, &Clock::system(), tools, runner, job, told);
    if let Err(error) = driven {
        let (tenant, why, now) = (scope.tenant, run::excuse(&error), now());
        store.write_blocking("give up a job", move |db| {
            run::fail(db, tenant, id, &why, now)
        })?;
        return Err(usage(error));
    }
    // A server beside us may have taken it: it goes on there.
    loop {
        let (job, _) = find(store, scope, id)?;
        match State::parse(&job.state) {
            Some(State::Waiting) => std::thread::sleep(std::time::Duration::from_millis(100)),
            Some(State::Failed) => {
                let why = job.error.unwrap_or_default();
                return Err(Ended::Failed(anyhow::anyhow!("the import failed: {why}")));
            }
            _ => return Ok(()),
        }
    }
}

fn write_errors(
    store: &Store,
    scope: &Scope,
    spec: &Spec,
    id: JobId,
    path: &Path,
) -> Result<(), Ended> {
    let style = write::Style {
        delimiter: spec.delimiter,
        raw: false,
    };
    let mut file = std::io::BufWriter::new(
        File::create(path).with_context(|| format!("{} cannot be written", path.display()))?,
    );
    let mut text = String::new();
    book::error_header(&mut text, style, spec);
    file.write_all(text.as_bytes())?;
    let mut after = Some(0);
    while let Some(line) = after {
        let (who, spec) = (scope.clone(), spec.clone());
        let (text, next) =
            store.read_blocking(move |db| book::errors(db, &who, id, (&spec, style), line))?;
        file.write_all(text.as_bytes())?;
        after = next;
    }
    file.flush()?;
    Ok(())
}

/// What is told at the end, one fact in a line.
fn table(asked: &Import, job: &JobRow, spec: &Spec, plan: &Plan) -> String {
    let mut lines = vec![
        format!("import\t{}", job.id),
        format!(
            "file\t{}: {}, delimiter {}, {} rows",
            asked.file.display(),
            spec.encoding,
            delimiter::name(spec.delimiter),
            spec.rows
        ),
    ];
    if !spec.ignored.is_empty() {
        lines.push(format!("ignored columns\t{}", spec.ignored.join(", ")));
    }
    for (name, count) in [
        ("learners made", plan.learners_created),
        ("groups made", plan.groups_created),
        ("assignments made", plan.assignments_created),
        ("completions recorded", plan.completions_recorded),
        ("memberships added", plan.memberships_added),
        ("memberships pending", plan.memberships_pended),
        ("memberships ended", plan.memberships_ended),
        ("enrollments made", plan.enrollments_created),
        ("enrollments kept", plan.enrollments_kept),
        ("rows without effect", plan.count(Outcome::NoOp)),
        ("rows refused", plan.count(Outcome::Error)),
    ] {
        if count > 0 {
            lines.push(format!("{name}\t{count}"));
        }
    }
    lines.push(if asked.commit {
        "committed".to_owned()
    } else {
        "nothing is written yet: this is the plan; --commit writes it".to_owned()
    });
    lines.join("\n")
}
