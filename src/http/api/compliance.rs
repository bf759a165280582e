//! Compliance and progress in numbers: of a group, a learner, the tenant (`learning-domain.md` §3.3).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Call};
use super::enrollments::{Enrollment, Standing};
use super::figures::{
    GroupCompliance, Knowledge, ProgressRow, ReportFigures, ReportLine, TenantReport, question,
};
use super::need;
use super::page::{Page, PageQuery};
use super::sheets::{self, Format};
use crate::clock::Instant;
use crate::ids::{CourseId, EnrollmentId, GroupId, LearnerId};
use crate::learning::obligation::Status;
use crate::service::compliance::{self, MemberProgress};
use crate::service::groups;
use crate::service::listing::Place;
use crate::service::reports::{self, Expiring, GroupBy};

/// Which instant a report is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportAt {
    /// Extra time counts as expired.
    pub strict: Option<bool>,
    /// The instant; now unless told.
    #[param(inline)]
    pub as_of: Option<Instant>,
    #[param(inline)]
    pub knowledge: Option<Knowledge>,
    /// In CSV, cells go out as they are, also those that a spreadsheet would run as a formula.
    pub raw: Option<bool>,
}

/// A group's compliance, each member judged by this group's own terms; with `Accept: text/csv` a line per course.
#[utoipa::path(get, path = "/groups/{id}/compliance", tag = "Compliance", params(("id" = GroupId, Path), ReportAt),
    security(("token" = ["reports:read"])),
    responses((status = 200, description = "The group in numbers.", content((GroupCompliance = "application/json"), (String = "text/csv")))))]
pub async fn of_group(call: Call<need::GroupReports>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let asked: ReportAt = call.query()?;
    let question = question(&call, asked.strict, asked.as_of, asked.knowledge);
    let figures = call
        .read(move |db, scope| compliance::of_group(db, scope, id, question))
        .await?;
    let report = GroupCompliance::of(&figures, question.as_of.at);
    if sheets::wanted(&call, None) {
        return sheets::of_group(&call, &report, asked.raw).await;
    }
    Ok(actix_web::HttpResponse::Ok().json(report))
}

/// What a page of progress is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListProgress {
    /// Extra time counts as expired.
    pub strict: Option<bool>,
    /// The instant; now unless told. The members are those of today.
    #[param(inline)]
    pub as_of: Option<Instant>,
    #[param(inline)]
    pub knowledge: Option<Knowledge>,
    /// In CSV, cells go out as they are, also those that a spreadsheet would run as a formula.
    pub raw: Option<bool>,
}

/// A group's members with every course of the group; with `Accept: text/csv` a line per member and course, of all members.
#[utoipa::path(get, path = "/groups/{id}/progress", tag = "Compliance", params(("id" = GroupId, Path), ListProgress, PageQuery),
    security(("token" = ["reports:read"])),
    responses((status = 200, description = "A page of members.", content((Page<ProgressRow> = "application/json"), (String = "text/csv")))))]
pub async fn progress(call: Call<need::GroupReports>) -> Answer {
    let id: GroupId = call.id("Group", "id")?;
    let (asked, page): (ListProgress, _) = call.listed()?;
    let list = call.list(page, "")?;
    let question = question(&call, asked.strict, asked.as_of, asked.knowledge);
    if sheets::wanted(&call, None) {
        let group = call
            .read(move |db, scope| groups::find(db, scope, id))
            .await?;
        return sheets::progress(&call, id, &group.name, question, asked.raw).await;
    }
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| compliance::progress(db, scope, id, question, &paging))
        .await?;
    let place = |row: &MemberProgress| Place::id(row.learner_id.0);
    Ok(call.page(found, &list, place, |row| {
        ProgressRow::of(row, question.strict)
    }))
}

/// A learner's mandatory courses, counted by their merged status.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct MandatoryCourses {
    pub compliant: i64,
    pub expiring: i64,
    pub in_progress: i64,
    pub not_started: i64,
    pub overdue: i64,
    pub expired: i64,
    pub waived: i64,
}

/// A learner's courses, each with the strictest of all obligations.
#[derive(Debug, Serialize, ToSchema)]
pub struct LearnerReport {
    pub learner_id: LearnerId,
    pub mandatory: MandatoryCourses,
    pub enrollments: Vec<Enrollment>,
}

/// A learner's compliance: one line per course, merged over all groups.
#[utoipa::path(get, path = "/learners/{id}/compliance", tag = "Compliance", params(("id" = LearnerId, Path)),
    security(("token" = ["reports:read"])),
    responses((status = 200, description = "The learner's courses.", body = LearnerReport)))]
pub async fn of_learner(call: Call<need::ReportsRead>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let report = call
        .read(move |db, scope| compliance::of_learner(db, scope, id))
        .await?;
    let count = |status: &str| report.courses.get(status).copied().unwrap_or_default();
    Ok(actix_web::HttpResponse::Ok().json(LearnerReport {
        learner_id: id,
        mandatory: MandatoryCourses {
            compliant: count("compliant"),
            expiring: count("expiring"),
            in_progress: count("in_progress"),
            not_started: count("not_started"),
            overdue: count("overdue"),
            expired: count("expired"),
            waived: count("waived"),
        },
        enrollments: report.enrollments.iter().map(Enrollment::from).collect(),
    }))
}

/// What a report is broken down by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportGroupBy {
    #[default]
    Group,
    Course,
    /// Of the learner's account.
    Department,
    /// Of the learner's account.
    Manager,
}

/// What a report of the tenant is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TenantReportQuery {
    #[param(inline)]
    pub group_by: Option<ReportGroupBy>,
    /// Only lines with a mandatory obligation that stands so: `overdue,expired`.
    #[param(inline, style = Form, explode = false)]
    pub status: Option<Vec<Status>>,
    /// `json` unless told here or by `Accept: text/csv`.
    #[param(inline)]
    pub format: Option<Format>,
    /// Extra time counts as expired.
    pub strict: Option<bool>,
    /// The instant; now unless told.
    #[param(inline)]
    pub as_of: Option<Instant>,
    #[param(inline)]
    pub knowledge: Option<Knowledge>,
    /// In CSV, cells go out as they are, also those that a spreadsheet would run as a formula.
    pub raw: Option<bool>,
}

/// The tenant's compliance by group, course, department or manager.
#[utoipa::path(get, path = "/reports/compliance", tag = "Compliance", params(TenantReportQuery), security(("token" = ["reports:read"])),
    responses((status = 200, description = "The tenant in numbers.", content((TenantReport = "application/json"), (String = "text/csv")))))]
pub async fn of_tenant(call: Call<need::ReportsRead>) -> Answer {
    let asked: TenantReportQuery = call.query()?;
    let question = question(&call, asked.strict, asked.as_of, asked.knowledge);
    let by = match asked.group_by.unwrap_or_default() {
        ReportGroupBy::Group => GroupBy::Group,
        ReportGroupBy::Course => GroupBy::Course,
        ReportGroupBy::Department => GroupBy::Department,
        ReportGroupBy::Manager => GroupBy::Manager,
    };
    let report = call
        .read(move |db, scope| reports::of_tenant(db, scope, by, question))
        .await?;
    let line = |one: &reports::Line| ReportLine {
        id: one.id,
        name: one.name.clone(),
        figures: ReportFigures::from(&one.figures),
    };
    let wanted = asked.status.unwrap_or_default();
    let keep = |one: &&reports::Line| {
        let tally = &one.figures.mandatory;
        wanted.is_empty() || wanted.iter().any(|status| tally.of(*status) > 0)
    };
    let shown = TenantReport {
        as_of: question.as_of.at,
        total: ReportFigures::from(&report.total),
        lines: report.lines.iter().filter(keep).map(line).collect(),
    };
    if sheets::wanted(&call, asked.format) {
        return sheets::of_tenant(&call, &shown, asked.raw).await;
    }
    Ok(actix_web::HttpResponse::Ok().json(shown))
}

/// How far ahead to look.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExpiringQuery {
    #[param(minimum = 0, maximum = 3650, default = 60)]
    pub within_days: Option<u16>,
}

/// A certificate that lapses soon, or has.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpiringCertificate {
    pub learner_id: LearnerId,
    pub learner_name: String,
    pub course_id: CourseId,
    pub course_title: String,
    pub group_id: GroupId,
    pub enrollment_id: EnrollmentId,
    pub mandatory: bool,
    pub standing: Standing,
}

impl From<&Expiring> for ExpiringCertificate {
    fn from(one: &Expiring) -> Self {
        Self {
            learner_id: one.learner_id,
            learner_name: one.learner_name.clone(),
            course_id: one.course_id,
            course_title: one.course_title.clone(),
            group_id: one.group_id,
            enrollment_id: one.enrollment_id,
            mandatory: one.mandatory,
            standing: Standing::from(&one.judgment),
        }
    }
}

/// Certificates that end within so many days, lapsed ones included. A page holds whole learners, and may so be longer than `limit`.
#[utoipa::path(get, path = "/reports/expiring", tag = "Compliance", params(ExpiringQuery, PageQuery), security(("token" = ["reports:read"])),
    responses((status = 200, description = "A page of certificates.", body = Page<ExpiringCertificate>)))]
pub async fn expiring(call: Call<need::ReportsRead>) -> Answer {
    let (asked, page): (ExpiringQuery, _) = call.listed()?;
    let list = call.list(page, "")?;
    let within = asked.within_days.unwrap_or(60).min(3650);
    let paging = list.paging.clone();
    let (rows, next, total) = call
        .read(move |db, scope| {
            let after = paging.after.as_ref().map(|place| LearnerId(place.id));
            let limit = usize::try_from(paging.limit - 1).unwrap_or(50);
            let (rows, next) = reports::expiring(db, scope, within, after, limit)?;
            let total = if paging.total {
                let all = reports::expiring(db, scope, within, None, usize::MAX)?.0;
                i64::try_from(all.len()).ok()
            } else {
                None
            };
            Ok((rows, next, total))
        })
        .await?;
    let next = next.map(|id| Place::id(id.0));
    let info = call.info(next.as_ref(), &list, total);
    Ok(call.send(info, rows.iter().map(ExpiringCertificate::from).collect()))
}
