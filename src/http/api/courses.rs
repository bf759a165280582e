//! `/courses`: the catalog.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::input::present;
use super::need;
use super::page::{Page, PageQuery, sorts};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::CourseId;
use crate::learning::course::CourseStatus;
use crate::service::courses::{self, CourseFields, CourseFilter, CourseOrder, CourseRow};
use crate::service::listing::Place;

/// A course of the catalog.
#[derive(Debug, Serialize, ToSchema)]
pub struct Course {
    pub id: CourseId,
    pub title: String,
    pub code: Option<String>,
    pub status: CourseStatus,
    pub external_ref: Option<String>,
    pub locale: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Enrollments that an edit made: publishing enrolls whoever was waiting for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollments_created: Option<i64>,
}

impl From<&CourseRow> for Course {
    fn from(row: &CourseRow) -> Self {
        Self {
            id: row.id,
            title: row.title.clone(),
            code: row.code.clone(),
            status: row.status(),
            external_ref: row.external_ref.clone(),
            locale: row.locale.clone(),
            version: row.version,
            created_at: Instant(row.created_at),
            updated_at: Instant(row.modified_at),
            enrollments_created: None,
        }
    }
}

/// What narrows a list of courses.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListCourses {
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub status: Option<Vec<CourseStatus>>,
    pub external_ref: Option<String>,
    /// Part of the title, as it is written.
    pub q: Option<String>,
    /// Changed at this instant or later.
    #[param(inline)]
    pub updated_since: Option<Instant>,
    /// By `created_at` unless told; by `updated_at` with `updated_since`.
    #[param(inline)]
    pub sort: Option<CourseSort>,
}

sorts!(
    /// What a list of courses is ordered by.
    CourseSort: CourseOrder {
        CreatedAt CreatedAtDown = "created_at" "-created_at" CourseOrder::Created,
        UpdatedAt UpdatedAtDown = "updated_at" "-updated_at" CourseOrder::Updated,
        Title TitleDown = "title" "-title" CourseOrder::Title,
    }
);

/// List courses.
#[utoipa::path(get, path = "/courses", tag = "Courses", params(ListCourses, PageQuery), security(("token" = ["courses:read"])),
    responses((status = 200, description = "A page of courses.", body = Page<Course>)))]
pub async fn list(call: Call<need::CoursesRead>) -> Answer {
    let (asked, page): (ListCourses, _) = call.listed()?;
    let sort = asked.sort.unwrap_or(match asked.updated_since {
        Some(_) => CourseSort::UpdatedAt,
        None => CourseSort::CreatedAt,
    });
    let list = call.list(page, sort.name())?;
    let filter = CourseFilter {
        statuses: asked.status.unwrap_or_default(),
        external_ref: asked.external_ref,
        title_part: asked.q,
        updated_since: asked.updated_since,
    };
    let (paging, order) = (list.paging.clone(), sort.order());
    let found = call
        .read(move |db, scope| courses::list(db, scope, &filter, order, &paging))
        .await?;
    let place = |row: &CourseRow| match order.0 {
        CourseOrder::Created => Place::id(row.id.0),
        CourseOrder::Updated => Place::of(row.modified_at, row.id.0),
        CourseOrder::Title => Place::of(&row.title, row.id.0),
    };
    Ok(call.page(found, &list, place, |row| Course::from(row)))
}

/// A new course.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Security Basics", "code": "SEC-101", "status": "published"}))]
pub struct NewCourse {
    pub title: String,
    /// Unique among the tenant's courses, in any letter case.
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub status: Option<CourseStatus>,
    #[serde(default)]
    pub external_ref: Option<String>,
    #[serde(default)]
    pub locale: Option<String>,
}

/// Create a course; a draft unless told.
#[utoipa::path(post, path = "/courses", tag = "Courses", request_body = NewCourse, security(("token" = ["courses:write"])),
    responses((status = 201, description = "The course.", body = Course), (status = 409, description = "`course_code_taken`")))]
pub async fn create(call: Call<need::CoursesWrite>, body: Body) -> Answer {
    let new: NewCourse = body.read()?;
    let fields = CourseFields {
        title: Some(new.title),
        code: new.code,
        status: new.status,
        external_ref: new.external_ref,
        locale: new.locale,
    };
    call.change("create course", move |db, scope| {
        let row = courses::create(db, scope, &fields)?;
        Reply::created(
            &format!("/courses/{}", row.id),
            row.version,
            &Course::from(&row),
        )
    })
    .await
}

/// Read a course.
#[utoipa::path(get, path = "/courses/{id}", tag = "Courses", params(("id" = CourseId, Path)), security(("token" = ["courses:read"])),
    responses((status = 200, description = "The course.", body = Course)))]
pub async fn get(call: Call<need::CoursesRead>) -> Answer {
    let id: CourseId = call.id("Course", "id")?;
    let row = call
        .read(move |db, scope| courses::find(db, scope, id))
        .await?;
    Ok(call.resource(row.version, &Course::from(&row)))
}

/// What changes in a course; absent fields stay, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Security Basics 2027", "locale": null}))]
pub struct CourseEdit {
    #[serde(default)]
    #[schema(nullable = false)]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub code: Option<Option<String>>,
    #[serde(default)]
    #[schema(nullable = false)]
    pub status: Option<CourseStatus>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub external_ref: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub locale: Option<Option<String>>,
}

/// Edit a course. Publishing enrolls whoever was waiting for it.
#[utoipa::path(patch, path = "/courses/{id}", tag = "Courses", params(("id" = CourseId, Path)), request_body = CourseEdit,
    security(("token" = ["courses:write"])),
    responses((status = 200, description = "The course.", body = Course), (status = 409, description = "`course_code_taken`")))]
pub async fn edit(call: Call<need::CoursesWrite>, body: Body) -> Answer {
    let id: CourseId = call.id("Course", "id")?;
    let edit: CourseEdit = body.read()?;
    let fields = CourseFields {
        title: edit.title,
        code: edit.code.map(Option::unwrap_or_default),
        status: edit.status,
        external_ref: edit.external_ref.map(Option::unwrap_or_default),
        locale: edit.locale.map(Option::unwrap_or_default),
    };
    let expected = call.expected();
    call.change("edit course", move |db, scope| {
        let (row, effects) = courses::edit(db, scope, id, expected, &fields)?;
        let shown = Course {
            enrollments_created: Some(effects.enrollments),
            ..Course::from(&row)
        };
        Reply::resource(row.version, &shown)
    })
    .await
}
