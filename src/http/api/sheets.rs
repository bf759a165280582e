//! Reports as CSV, for who accepts `text/csv` or says `format=csv` (`rest-and-console.md` A2, A4).

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Deserialize;
use utoipa::ToSchema;

use super::call::Call;
use super::exports::{csv, pages, plain, style, today};
use super::figures::{
    Counts, CourseCompliance, GroupCompliance, ProgressRow, ReportFigures, ReportLine, TenantReport,
};
use super::need::Need;
use crate::csv::write;
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
const FIGURES: [&str; 13] = [
    "rate",
    "on_track_rate",
    "compliant",
    "expiring",
    "in_grace",
    "in_progress",
    "not_started",
    "overdue",
    "expired",
    "waived",
    "obligations",
    "optional_obligations",
    "progress",
];

fn figures(figures: &ReportFigures) -> Vec<String> {
    let share = |rate: Option<f64>| rate.map(|rate| rate.to_string()).unwrap_or_default();
    let Counts {
        rate,
        on_track_rate,
        compliant,
        expiring,
        in_grace,
        in_progress,
        not_started,
        overdue,
        expired,
        waived,
        obligations,
    } = &figures.mandatory;
    let mut cells = vec![share(*rate), share(*on_track_rate)];
    let counts = [
        compliant,
        expiring,
        in_grace,
        in_progress,
        not_started,
        overdue,
        expired,
        waived,
        obligations,
        &figures.optional.obligations,
    ];
    cells.extend(counts.map(ToString::to_string));
    cells.push(share(figures.progress));
    cells
}

/// Lines that are there already, as a file.
fn file<N: Need>(
    call: &Call<N>,
    name: &str,
    first: &[&str],
    lines: Vec<Vec<String>>,
) -> HttpResponse {
    let style = style(None);
    let mut text = String::new();
    write::line(&mut text, style, [first, &FIGURES].concat());
    for line in lines {
        write::line(&mut text, style, &line);
    }
    csv(
        &format!("{name}-{}", today(call)),
        text,
        futures_util::stream::empty(),
    )
}

/// A group's compliance: a line per course.
pub fn of_group<N: Need>(call: &Call<N>, report: &GroupCompliance) -> HttpResponse {
    let line = |course: &CourseCompliance| {
        let mut cells = vec![
            course.course_id.to_string(),
            course.title.clone(),
            course.mandatory.to_string(),
        ];
        cells.extend(figures(&course.figures));
        cells
    };
    let name = format!("compliance-{}", plain(&report.name));
    let lines = report.courses.iter().map(line).collect();
    file(
        call,
        &name,
        &["course_id", "course_title", "mandatory"],
        lines,
    )
}

/// The tenant's compliance: a line per group, course, department or manager.
pub fn of_tenant<N: Need>(call: &Call<N>, report: &TenantReport) -> HttpResponse {
    let line = |one: &ReportLine| {
        let id = one.id.map(|id| id.to_string()).unwrap_or_default();
        let mut cells = vec![id, one.name.clone()];
        cells.extend(figures(&one.figures));
        cells
    };
    let lines = report.lines.iter().map(line).collect();
    file(call, "compliance-report", &["id", "name"], lines)
}

/// The columns of a group's progress.
const PROGRESS: &[&str] = &[
    "learner_id",
    "display_name",
    "state",
    "course_id",
    "course_title",
    "mandatory",
    "status",
    "in_grace",
    "due",
    "valid_until",
    "progress_pct",
];

/// A group's progress: a line per member and course, of all members.
pub fn progress<N: Need>(
    call: &Call<N>,
    group: GroupId,
    name: &str,
    question: Question,
) -> HttpResponse {
    let style = style(None);
    let mut head = String::new();
    write::line(&mut head, style, PROGRESS);
    let pages = pages(call, None, move |db, scope, after: Option<Place>| {
        let paging = Paging {
            after,
            ..Paging::first(500)
        };
        let rows = compliance::progress(db, scope, group, question, &paging)?.rows;
        let next = rows.last().map(|row| Some(Place::id(row.learner_id.0)));
        let mut text = String::new();
        for row in &rows {
            for line in lines(&ProgressRow::of(row, question.strict)) {
                write::line(&mut text, style, &line);
            }
        }
        Ok((text, next))
    });
    csv(
        &format!("progress-{}-{}", plain(name), today(call)),
        head,
        pages,
    )
}

fn lines(row: &ProgressRow) -> Vec<Vec<String>> {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    row.courses
        .iter()
        .map(|cell| {
            vec![
                row.learner_id.to_string(),
                row.name.clone(),
                row.state.as_str().to_owned(),
                cell.course_id.to_string(),
                cell.title.clone(),
                cell.mandatory.to_string(),
                cell.standing.status.to_string(),
                cell.standing.in_grace.to_string(),
                day(cell.standing.due),
                day(cell.standing.valid_until),
                cell.progress_pct.to_string(),
            ]
        })
        .collect()
}
