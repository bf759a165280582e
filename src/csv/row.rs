//! One row as data: what it names and what it asks for, checked as far as no database is needed.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::RowError;
use super::columns::{Column, Kind, Layout};
use super::value::{DateFormat, When, truth, when};
use super::write::unsafe_again;
use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId};
use crate::learning::LearningError;
use crate::learning::assignment::{Due, Options};
use crate::learning::completion::hundredths;
use crate::learning::group::{Color, Description, GroupName};
use crate::scim::fold::fold;

/// How a row names a learner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    Id(LearnerId),
    ExternalId(String),
    UserName(String),
    Email(String),
}

impl Named {
    /// For people: `email ann@acme.test`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Id(id) => format!("id {id}"),
            Self::ExternalId(text) => format!("external_id {text}"),
            Self::UserName(text) => format!("user_name {text}"),
            Self::Email(text) => format!("email {text}"),
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Id(id) => format!("i{id}"),
            Self::ExternalId(text) => format!("x{text}"),
            Self::UserName(text) => format!("u{}", fold(text)),
            Self::Email(text) => format!("e{}", fold(text)),
        }
    }
}

/// What a row of learners says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    pub user_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// What a row of completions says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    /// An instant in milliseconds, or a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<String>,
}

impl Completed {
    /// What tells this completion from others of the same learner and course: the row's own reference, else when it was.
    /// So the same file twice records nothing twice.
    #[must_use]
    pub fn reference(&self) -> String {
        match (&self.source_ref, self.on, self.at) {
            (Some(reference), _, _) => reference.clone(),
            (None, Some(day), _) => format!("on:{day}"),
            (None, None, at) => format!("at:{}", Instant(at.unwrap_or_default())),
        }
    }
}

/// A course to a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    pub course: String,
    pub mandatory: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_days: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recert_months: Option<i64>,
}

impl Assigned {
    /// The options of the assignment; they were checked when the row was read.
    pub fn options(&self) -> Result<Options, LearningError> {
        let due = match (self.due_date, self.due_days) {
            (Some(date), _) => Due::Date(date),
            (None, Some(days)) => Due::Relative(days),
            (None, None) => Due::None,
        };
        Options::new(self.mandatory, due, self.recert_months)
    }
}

/// A row, read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// A group's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learner: Option<Named>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assigned>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<Completed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub course: Option<String>,
    /// The line that says the same already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twin: Option<u64>,
}

/// Longest names and labels of people, in characters.
const LABEL: usize = 500;

/// Reads rows; knows the rows above, for blanks and for what stands twice.
pub struct RowReader {
    kind: Kind,
    dates: DateFormat,
    above: Option<String>,
    /// The options of each course of each group, and their line.
    assigned: HashMap<(String, String), Assigned>,
    /// What each row was about, with its line and whether it removes.
    seen: HashMap<u128, (u64, bool)>,
}

impl RowReader {
    #[must_use]
    pub fn new(kind: Kind, dates: DateFormat) -> Self {
        Self {
            kind,
            dates,
            above: None,
            assigned: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// Reads one row.
    pub fn read(
        &mut self,
        layout: &Layout,
        cells: &[String],
        line: u64,
    ) -> Result<Fields, RowError> {
        let cell = |column: Column| {
            layout
                .cell(cells, column)
                .map(|text| unsafe_again(text.trim()).trim())
                .filter(|text| !text.is_empty())
        };
        for text in cells {
            if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
                return Err(RowError::new(
                    "control_character",
                    "a cell has a control character",
                ));
            }
        }
        let mut fields = Fields::default();
        match self.kind {
            Kind::Learners => fields.person = Some(person(&cell)?),
            Kind::Members => {
                fields.group = Some(required_group(&cell)?);
                fields.learner = Some(required_learner(&cell)?);
                fields.remove = match cell(Column::Action).map(str::to_lowercase).as_deref() {
                    None | Some("add") => false,
                    Some("remove") => true,
                    Some(other) => {
                        return Err(RowError::new(
                            "bad_action",
                            format!("`action` is `add` or `remove`, not `{other}`"),
                        ));
                    }
                };
            }
            Kind::Cohort => {
                if let Some(text) = cell(Column::Group) {
                    self.above = Some(group(text)?);
                }
                fields.group = Some(self.above.clone().ok_or_else(|| {
                    RowError::new(
                        "missing_value",
                        "`group` is blank, and no row above has one",
                    )
                })?);
                fields.description = cell(Column::Description)
                    .map(|text| Description::parse(text).map(|_| text.to_owned()))
                    .transpose()
                    .map_err(|error| of_domain(&error))?;
                fields.color = cell(Column::Color)
                    .map(|text| Color::parse(text).map(|color| color.to_string()))
                    .transpose()
                    .map_err(|error| of_domain(&error))?;
                fields.learner = learner(&cell)?;
                if let Some(course) = cell(Column::CourseCode) {
                    fields.assigned =
                        Some(self.assigned(&cell, fields.group.as_deref(), course)?);
                }
            }
            Kind::Assignments => {
                fields.group = Some(required_group(&cell)?);
                let course = cell(Column::CourseCode).ok_or_else(|| missing(Column::CourseCode))?;
                fields.assigned = Some(self.assigned(&cell, fields.group.as_deref(), course)?);
            }
            Kind::Completions => {
                fields.learner = Some(required_learner(&cell)?);
                let course = cell(Column::CourseCode).ok_or_else(|| missing(Column::CourseCode))?;
                fields.course = Some(course.to_owned());
                fields.completed = Some(self.completed(&cell)?);
            }
        }
        self.twin(&mut fields, line)?;
        Ok(fields)
    }

    /// The options of a course; blanks inherit from the row above of the same group and course.
    fn assigned<'a>(
        &mut self,
        cell: &impl Fn(Column) -> Option<&'a str>,
        group: Option<&str>,
        course: &str,
    ) -> Result<Assigned, RowError> {
        let key = (fold(group.unwrap_or_default()), fold(course));
        let above = self.assigned.get(&key);
        let mandatory = cell(Column::Mandatory)
            .map(|text| {
                truth(text).ok_or_else(|| {
                    RowError::new(
                        "bad_truth",
                        format!("`mandatory` is true or false, not `{text}`"),
                    )
                })
            })
            .transpose()?;
        let due_date = cell(Column::DueDate)
            .map(|text| {
                self.dates
                    .read(text)
                    .ok_or_else(|| bad_date(Column::DueDate, text, self.dates))
            })
            .transpose()?;
        let due_days = cell(Column::DueDays)
            .map(|text| {
                text.parse::<u16>()
                    .ok()
                    .filter(|days| *days <= 3650)
                    .ok_or_else(|| {
                        RowError::new(
                            "bad_number",
                            format!("`due_days` is 0 to 3650, not `{text}`"),
                        )
                    })
            })
            .transpose()?;
        if due_date.is_some() && due_days.is_some() {
            return Err(RowError::new(
                "two_dues",
                "a row has `due_date` or `due_days`, not both",
            ));
        }
        let recert_months = cell(Column::RecertMonths)
            .map(|text| {
                text.parse::<i64>().map_err(|_| {
                    RowError::new(
                        "bad_number",
                        format!("`recert_months` is 1 to 120, not `{text}`"),
                    )
                })
            })
            .transpose()?;
        let told = mandatory.is_some()
            || due_date.is_some()
            || due_days.is_some()
            || recert_months.is_some();
        let assigned = match above {
            Some(above) if !told => above.clone(),
            _ => Assigned {
                course: course.to_owned(),
                mandatory: mandatory
                    .or(above.map(|above| above.mandatory))
                    .unwrap_or(false),
                due_date: due_date.or(above
                    .filter(|_| due_days.is_none())
                    .and_then(|above| above.due_date)),
                due_days: due_days.or(above
                    .filter(|_| due_date.is_none())
                    .and_then(|above| above.due_days)),
                recert_months: recert_months.or(above.and_then(|above| above.recert_months)),
            },
        };
        assigned.options().map_err(|error| of_domain(&error))?;
        match self.assigned.get(&key) {
            Some(above) if *above != assigned => Err(RowError::new(
                "contradiction",
                "a row above says something else of this course in this group",
            )),
            Some(_) => Ok(assigned),
            None => {
                self.assigned.insert(key, assigned.clone());
                Ok(assigned)
            }
        }
    }

    fn completed<'a>(
        &self,
        cell: &impl Fn(Column) -> Option<&'a str>,
    ) -> Result<Completed, RowError> {
        let text = cell(Column::CompletedAt).ok_or_else(|| missing(Column::CompletedAt))?;
        let (at, on) = match when(text, self.dates) {
            Some(When::At(at)) => (Some(at.0), None),
            Some(When::On(date)) => (None, Some(date)),
            None => return Err(bad_date(Column::CompletedAt, text, self.dates)),
        };
        let score = cell(Column::Score)
            .map(|text| {
                text.parse::<f64>()
                    .ok()
                    .filter(|score| hundredths(*score).is_some())
                    .ok_or_else(|| {
                        RowError::new("bad_number", format!("`score` is 0 to 100, not `{text}`"))
                    })
            })
            .transpose()?;
        Ok(Completed {
            at,
            on,
            score,
            evidence: cell(Column::Evidence)
                .map(|text| at_most(Column::Evidence, text, 2000))
                .transpose()?,
            source_ref: cell(Column::SourceRef)
                .map(|text| at_most(Column::SourceRef, text, 200))
                .transpose()?,
        })
    }

    /// Notes a row that says what one above has said, and refuses one that says the opposite.
    fn twin(&mut self, fields: &mut Fields, line: u64) -> Result<(), RowError> {
        let about = match self.kind {
            Kind::Learners => fields.person.as_ref().map(|person| fold(&person.user_name)),
            Kind::Members => fields
                .learner
                .as_ref()
                .zip(fields.group.as_ref())
                .map(|(learner, group)| format!("{}\0{}", fold(group), learner.key())),
            Kind::Assignments => fields
                .assigned
                .as_ref()
                .zip(fields.group.as_ref())
                .map(|(assigned, group)| format!("{}\0{}", fold(group), fold(&assigned.course))),
            Kind::Completions => fields.completed.as_ref().zip(fields.learner.as_ref()).map(
                |(completed, learner)| {
                    let course = fold(fields.course.as_deref().unwrap_or_default());
                    format!("{course}\0{}\0{}", learner.key(), completed.reference())
                },
            ),
            // A cohort's rows repeat their group.
            Kind::Cohort => None,
        };
        let Some(about) = about else { return Ok(()) };
        let digest = Sha256::digest(about.as_bytes());
        let key = digest
            .iter()
            .take(16)
            .fold(0_u128, |key, byte| key << 8 | u128::from(*byte));
        match self.seen.get(&key) {
            None => {
                self.seen.insert(key, (line, fields.remove));
                Ok(())
            }
            Some((above, removes)) if *removes == fields.remove => {
                fields.twin = Some(*above);
                Ok(())
            }
            Some((above, _)) => Err(RowError::new(
                "contradiction",
                format!("line {above} says the opposite"),
            )),
        }
    }
}

fn missing(column: Column) -> RowError {
    RowError::new("missing_value", format!("`{column}` is blank"))
}

fn bad_date(column: Column, text: &str, dates: DateFormat) -> RowError {
    let format = if dates == DateFormat::Iso {
        "YYYY-MM-DD".to_owned()
    } else {
        format!("{dates} or YYYY-MM-DD")
    };
    RowError::new(
        "bad_date",
        format!("`{column}` is a date written {format}, not `{text}`"),
    )
}

fn of_domain(error: &LearningError) -> RowError {
    RowError::new(error.code(), error.to_string())
}

fn group(text: &str) -> Result<String, RowError> {
    if text.parse::<GroupId>().is_ok() {
        return Ok(text.to_owned());
    }
    GroupName::parse(text)
        .map(GroupName::into_string)
        .map_err(|error| of_domain(&error))
}

fn required_group<'a>(cell: &impl Fn(Column) -> Option<&'a str>) -> Result<String, RowError> {
    group(cell(Column::Group).ok_or_else(|| missing(Column::Group))?)
}

fn label(column: Column, text: &str) -> Result<String, RowError> {
    at_most(column, text, LABEL)
}

fn at_most(column: Column, text: &str, most: usize) -> Result<String, RowError> {
    if text.chars().count() > most {
        return Err(RowError::new(
            "too_long",
            format!("`{column}` has more than {most} characters"),
        ));
    }
    Ok(text.to_owned())
}

/// Whether a text may be an address: one @ with something on both sides and no blanks; more only its mail server knows.
#[must_use]
pub fn is_email(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn email(text: &str) -> Result<String, RowError> {
    if is_email(text) {
        Ok(text.to_owned())
    } else {
        Err(RowError::new(
            "bad_email",
            format!("`{text}` is no e-mail address"),
        ))
    }
}

/// The learner a row names; by its best name, when it has several.
fn learner<'a>(cell: &impl Fn(Column) -> Option<&'a str>) -> Result<Option<Named>, RowError> {
    if let Some(text) = cell(Column::Id) {
        return text
            .parse()
            .map(|id| Some(Named::Id(id)))
            .map_err(|_| RowError::new("bad_id", format!("`{text}` is no id of ours")));
    }
    for (column, make) in [
        (Column::ExternalId, Named::ExternalId as fn(String) -> Named),
        (Column::UserName, Named::UserName),
        (Column::Email, Named::Email),
    ] {
        if let Some(text) = cell(column) {
            return label(column, text).map(|text| Some(make(text)));
        }
    }
    Ok(None)
}

fn required_learner<'a>(cell: &impl Fn(Column) -> Option<&'a str>) -> Result<Named, RowError> {
    learner(cell)?.ok_or_else(|| RowError::new("missing_value", "the row names no learner"))
}

fn person<'a>(cell: &impl Fn(Column) -> Option<&'a str>) -> Result<Person, RowError> {
    let text = |column: Column| cell(column).map(|text| label(column, text)).transpose();
    let email = cell(Column::Email).map(email).transpose()?;
    let user_name = text(Column::UserName)?
        .or_else(|| email.clone())
        .ok_or_else(|| RowError::new("missing_value", "`user_name` and `email` are blank"))?;
    Ok(Person {
        user_name,
        email,
        external_id: text(Column::ExternalId)?,
        given_name: text(Column::GivenName)?,
        family_name: text(Column::FamilyName)?,
        display_name: text(Column::DisplayName)?,
        title: text(Column::Title)?,
        department: text(Column::Department)?,
        employee_number: text(Column::EmployeeNumber)?,
        locale: text(Column::Locale)?,
        active: cell(Column::Active)
            .map(|text| {
                truth(text).ok_or_else(|| {
                    RowError::new(
                        "bad_truth",
                        format!("`active` is true or false, not `{text}`"),
                    )
                })
            })
            .transpose()?,
    })
}
