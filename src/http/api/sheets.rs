//! Reports as CSV, for who accepts `text/csv` or says `format=csv` (`rest-and-console.md` A2, A4).

use actix_web::http::header;
use serde::Deserialize;
use utoipa::ToSchema;

use super::call::{Answer, Call};
use super::exports::{csv, file_name, pages, plain, style};
use super::figures::{
    CourseCompliance, GroupCompliance, ProgressCell, ProgressRow, ReportFigures, ReportLine,
    TenantReport,
};
use super::need::Need;
use crate::csv::write::{self, Column};
use crate::ids::GroupId;
use crate::service::compliance::{self, Question};
use crate::service::listing::{Paging, Place};

/// How a report is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportFormat)]
pub enum Format {
    Json,
    Csv,
}

/// Whether a report is to be CSV: what is said first in `Accept`, unless the query says.
pub fn wanted<N: Need>(call: &Call<N>, format: Option<Format>) -> bool {
    let accept = call.request.headers().get(header::ACCEPT);
    let accepts = || {
        let accept = accept.and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.trim_start().starts_with("text/csv"))
    };
    format.map_or_else(accepts, |format| format == Format::Csv)
}

/// The columns of figures.
const FIGURES: &[Column<ReportFigures>] = &[
    ("rate", |all| share(all.mandatory.rate)),
    ("on_track_rate", |all| share(all.mandatory.on_track_rate)),
    ("compliant", |all| all.mandatory.compliant.to_string()),
    ("expiring", |all| all.mandatory.expiring.to_string()),
    ("in_grace", |all| all.mandatory.in_grace.to_string()),
    ("in_progress", |all| all.mandatory.in_progress.to_string()),
    ("not_started", |all| all.mandatory.not_started.to_string()),
    ("overdue", |all| all.mandatory.overdue.to_string()),
    ("expired", |all| all.mandatory.expired.to_string()),
    ("waived", |all| all.mandatory.waived.to_string()),
    ("obligations", |all| all.mandatory.obligations.to_string()),
    ("optional_obligations", |all| {
        all.optional.obligations.to_string()
    }),
    ("progress", |all| share(all.progress)),
];

fn share(rate: Option<f64>) -> String {
    rate.map(|rate| rate.to_string()).unwrap_or_default()
}

/// Columns of what the figures are about, then those of the figures.
async fn file<N: Need, T>(
    call: &Call<N>,
    name: &str,
    columns: &[Column<T>],
    lines: &[T],
    figures: fn(&T) -> &ReportFigures,
    raw: Option<bool>,
) -> Answer {
    let style = style(raw);
    let mut text = String::new();
    let header = [write::names(columns), write::names(FIGURES)];
    write::line(&mut text, style, header.concat());
    for line in lines {
        let cells = [
            write::cells(columns, line),
            write::cells(FIGURES, figures(line)),
        ];
        write::line(&mut text, style, cells.concat());
    }
    let name = file_name(call, name).await?;
    Ok(csv(&name, text, futures_util::stream::empty()))
}

const COURSES: &[Column<CourseCompliance>] = &[
    ("course_id", |course| course.course_id.to_string()),
    ("course_title", |course| course.title.clone()),
    ("mandatory", |course| course.mandatory.to_string()),
];

/// A group's compliance: a line per course.
pub async fn of_group<N: Need>(
    call: &Call<N>,
    report: &GroupCompliance,
    raw: Option<bool>,
) -> Answer {
    let name = format!("compliance-{}", plain(&report.name));
    file(
        call,
        &name,
        COURSES,
        &report.courses,
        |course| &course.figures,
        raw,
    )
    .await
}

const LINES: &[Column<ReportLine>] = &[
    ("id", |line| {
        line.id.map(|id| id.to_string()).unwrap_or_default()
    }),
    ("name", |line| line.name.clone()),
];

/// The tenant's compliance: a line per group, course, department or manager.
pub async fn of_tenant<N: Need>(
    call: &Call<N>,
    report: &TenantReport,
    raw: Option<bool>,
) -> Answer {
    file(
        call,
        "compliance-report",
        LINES,
        &report.lines,
        |line| &line.figures,
        raw,
    )
    .await
}

/// The first columns of a group's progress: a member.
const MEMBER: &[Column<ProgressRow>] = &[
    ("learner_id", |row| row.learner_id.to_string()),
    ("display_name", |row| row.name.clone()),
    ("state", |row| row.state.as_str().to_owned()),
];

/// The others: one of the group's courses.
const COURSE: &[Column<ProgressCell>] = &[
    ("course_id", |cell| cell.course_id.to_string()),
    ("course_title", |cell| cell.title.clone()),
    ("mandatory", |cell| cell.mandatory.to_string()),
    ("status", |cell| cell.standing.status.to_string()),
    ("in_grace", |cell| cell.standing.in_grace.to_string()),
    ("due", |cell| day(cell.standing.due)),
    ("valid_until", |cell| day(cell.standing.valid_until)),
    ("progress_pct", |cell| cell.progress_pct.to_string()),
];

fn day(day: Option<chrono::NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// A group's progress: a line per member and course, of all members.
pub async fn progress<N: Need>(
    call: &Call<N>,
    group: GroupId,
    name: &str,
    question: Question,
    raw: Option<bool>,
) -> Answer {
    let style = style(raw);
    let mut head = String::new();
    let header = [write::names(MEMBER), write::names(COURSE)];
    write::line(&mut head, style, header.concat());
    let pages = pages(call, None, move |db, scope, after: Option<Place>| {
        let paging = Paging {
            after,
            ..Paging::first(500)
        };
        let rows = compliance::progress(db, scope, group, question, &paging)?.rows;
        let next = rows.last().map(|row| Some(Place::id(row.learner_id.0)));
        let mut text = String::new();
        for row in &rows {
            let row = ProgressRow::of(row, question.strict);
            for cell in &row.courses {
                let cells = [write::cells(MEMBER, &row), write::cells(COURSE, cell)];
                write::line(&mut text, style, cells.concat());
            }
        }
        Ok((text, next))
    });
    let name = file_name(call, &format!("progress-{}", plain(name))).await?;
    Ok(csv(&name, head, pages))
}
