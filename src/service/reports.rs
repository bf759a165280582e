//! Reports of the whole tenant, walked a page of learners at a time: numbers broken down, the matrix, renewals ahead (§3.3).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::ids::{CourseId, EnrollmentId, GroupId, LearnerId, UserId};
use crate::learning::calendar::{add_days, local_date};
use crate::learning::figures::Tally;
use crate::learning::membership::State;
use crate::learning::obligation::{Judgment, Status};
use crate::store::Db;
use crate::store::queries::obligations::page_end;
use crate::store::queries::{courses, groups_learning, learner_views, learners};

use super::compliance::{Figures, Question, progress_of};
use super::obligations::{self, AsOf, Judged, Narrow};
use super::{Scope, ServiceError};

/// What a report of the tenant is broken down by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GroupBy {
    #[default]
    Group,
    Course,
    /// Of the learner's account.
    Department,
    /// Of the learner's account.
    Manager,
}

/// One line of the tenant's report.
#[derive(Clone, Debug)]
pub struct Line {
    /// Of the group, the course, the manager's account; a department has none.
    pub id: Option<uuid::Uuid>,
    /// Empty: people without one.
    pub name: String,
    pub figures: Figures,
}

/// The tenant in numbers.
#[derive(Clone, Debug)]
pub struct TenantFigures {
    pub total: Figures,
    pub lines: Vec<Line>,
}

/// How many learners a page of the whole tenant has.
const LEARNERS: i64 = 2000;

/// Goes through every obligation of the tenant, a page of learners at a time. `see` says whether to go on.
fn walk(
    db: &mut Db,
    scope: &Scope,
    as_of: AsOf,
    mut after: Option<LearnerId>,
    mut see: impl FnMut(&Judged<'_>),
    mut go_on: impl FnMut(LearnerId) -> bool,
) -> Result<(), ServiceError> {
    while let Some(upto) = page_end(db, scope.tenant, after, LEARNERS)? {
        let narrow = Narrow::Learners(after, upto);
        let gathered = obligations::gather(db, scope.tenant, &narrow, as_of)?;
        gathered.judged().for_each(|judged| see(&judged));
        after = Some(upto);
        if !go_on(upto) {
            break;
        }
    }
    Ok(())
}

/// What a line of the report is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Id(uuid::Uuid),
    Text(String),
    /// People without one.
    None,
}

/// The numbers of the tenant, broken down.
pub fn of_tenant(
    db: &mut Db,
    scope: &Scope,
    by: GroupBy,
    question: Question,
) -> Result<TenantFigures, ServiceError> {
    let mut total = Figures::default();
    let mut lines: BTreeMap<Key, Figures> = BTreeMap::new();
    let mut after = None;
    while let Some(upto) = page_end(db, scope.tenant, after, LEARNERS)? {
        let narrow = Narrow::Learners(after, upto);
        let gathered = obligations::gather(db, scope.tenant, &narrow, question.as_of)?;
        let people = match by {
            GroupBy::Department | GroupBy::Manager => learner_views::organization(
                db,
                scope.tenant,
                (after, upto),
                by == GroupBy::Manager,
            )?,
            GroupBy::Group | GroupBy::Course => HashMap::new(),
        };
        for judged in gathered.judged() {
            if judged.state() != State::Active {
                continue;
            }
            total.add(&judged, question);
            let key = match by {
                GroupBy::Group => Key::Id(judged.row.group_id.0),
                GroupBy::Course => Key::Id(judged.row.course_id.0),
                GroupBy::Department | GroupBy::Manager => people
                    .get(&judged.row.learner_id)
                    .map_or(Key::None, |text| match text.parse() {
                        Ok(id) if by == GroupBy::Manager => Key::Id(id),
                        _ => Key::Text(text.clone()),
                    }),
            };
            lines.entry(key).or_default().add(&judged, question);
        }
        after = Some(upto);
    }
    let ids = lines.keys().filter_map(|key| match key {
        Key::Id(id) => Some(*id),
        Key::Text(_) | Key::None => None,
    });
    let names = names(db, scope, by, ids.collect())?;
    let mut lines: Vec<Line> = lines
        .into_iter()
        .map(|(key, figures)| {
            let (id, name) = match key {
                Key::Id(id) => (Some(id), names.get(&id).cloned().unwrap_or_default()),
                Key::Text(text) => (None, text),
                Key::None => (None, String::new()),
            };
            Line { id, name, figures }
        })
        .collect();
    lines.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    Ok(TenantFigures { total, lines })
}

/// How the mandatory courses of every group stand now.
pub fn by_group(db: &mut Db, scope: &Scope) -> Result<HashMap<GroupId, Tally>, ServiceError> {
    let question = Question {
        as_of: AsOf::present(scope.now),
        strict: false,
    };
    let report = of_tenant(db, scope, GroupBy::Group, question)?;
    let lines = report.lines.into_iter();
    let lines = lines.filter_map(|line| Some((GroupId(line.id?), line.figures.mandatory)));
    Ok(lines.collect())
}

fn names(
    db: &mut Db,
    scope: &Scope,
    by: GroupBy,
    ids: Vec<uuid::Uuid>,
) -> Result<HashMap<uuid::Uuid, String>, ServiceError> {
    Ok(match by {
        GroupBy::Group => {
            let ids: Vec<GroupId> = ids.into_iter().map(GroupId).collect();
            let names = groups_learning::names(db, scope.tenant, &ids)?;
            names.into_iter().map(|(id, name)| (id.0, name)).collect()
        }
        GroupBy::Course => {
            let ids: Vec<CourseId> = ids.into_iter().map(CourseId).collect();
            let titles = courses::titles(db, scope.tenant, &ids)?;
            titles.into_iter().map(|(id, name)| (id.0, name)).collect()
        }
        GroupBy::Manager => {
            let ids: Vec<UserId> = ids.into_iter().map(UserId).collect();
            let names = learner_views::account_names(db, scope.tenant, &ids)?;
            names.into_iter().map(|(id, name)| (id.0, name)).collect()
        }
        GroupBy::Department => HashMap::new(),
    })
}

/// One obligation of one learner.
#[derive(Clone, Debug)]
pub struct MatrixRow {
    pub learner_id: LearnerId,
    pub learner_name: String,
    pub email: Option<String>,
    pub group: String,
    pub course_id: CourseId,
    pub course: String,
    pub mandatory: bool,
    pub state: State,
    pub required_since: i64,
    pub judgment: Judgment,
    pub progress_pct: i64,
}

impl MatrixRow {
    /// How it stands, by the question's rule for extra time.
    #[must_use]
    pub fn status(&self, question: Question) -> Status {
        if question.strict {
            self.judgment.strict()
        } else {
            self.judgment.status
        }
    }
}

/// The obligations of the next learners, one row each, and where the next page begins; `None` at the end.
pub fn matrix(
    db: &mut Db,
    scope: &Scope,
    question: Question,
    after: Option<LearnerId>,
) -> Result<Option<(Vec<MatrixRow>, LearnerId)>, ServiceError> {
    let Some(upto) = page_end(db, scope.tenant, after, LEARNERS / 4)? else {
        return Ok(None);
    };
    let narrow = Narrow::Learners(after, upto);
    let gathered = obligations::gather(db, scope.tenant, &narrow, question.as_of)?;
    let rows = gathered.rows();
    let unique = |ids: &mut dyn Iterator<Item = uuid::Uuid>| -> Vec<uuid::Uuid> {
        ids.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let people = unique(&mut rows.iter().map(|row| row.learner_id.0));
    let people: Vec<LearnerId> = people.into_iter().map(LearnerId).collect();
    let people = learner_views::contacts(db, scope.tenant, &people)?;
    let groups = unique(&mut rows.iter().map(|row| row.group_id.0));
    let groups = names(db, scope, GroupBy::Group, groups)?;
    let courses = unique(&mut rows.iter().map(|row| row.course_id.0));
    let courses = names(db, scope, GroupBy::Course, courses)?;
    let shown = gathered.judged().map(|judged| {
        let (learner_name, email) = people
            .get(&judged.row.learner_id)
            .cloned()
            .unwrap_or_default();
        MatrixRow {
            learner_id: judged.row.learner_id,
            learner_name,
            email,
            group: groups
                .get(&judged.row.group_id.0)
                .cloned()
                .unwrap_or_default(),
            course_id: judged.row.course_id,
            course: courses
                .get(&judged.row.course_id.0)
                .cloned()
                .unwrap_or_default(),
            mandatory: judged.options.mandatory,
            state: judged.state(),
            required_since: judged.row.required_since,
            progress_pct: progress_of(&judged, question),
            judgment: judged.judgment,
        }
    });
    Ok(Some((shown.collect(), upto)))
}

/// A certificate that lapses soon, or has.
#[derive(Clone, Debug)]
pub struct Expiring {
    pub learner_id: LearnerId,
    pub learner_name: String,
    pub course_id: CourseId,
    pub course_title: String,
    pub group_id: GroupId,
    pub enrollment_id: EnrollmentId,
    pub mandatory: bool,
    pub judgment: Judgment,
}

/// Certificates of active members that end within so many days, lapsed ones included, by learner id. Whole learners only:
/// also returns where the next page begins.
pub fn expiring(
    db: &mut Db,
    scope: &Scope,
    within_days: u16,
    after: Option<LearnerId>,
    limit: usize,
) -> Result<(Vec<Expiring>, Option<LearnerId>), ServiceError> {
    let zone = obligations::policy(db, scope.tenant)?.zone;
    let last: NaiveDate = add_days(local_date(scope.now, zone), within_days);
    let found = std::cell::RefCell::new(Vec::new());
    let mut next = None;
    walk(
        db,
        scope,
        AsOf::present(scope.now),
        after,
        |judged| {
            let soon = judged.judgment.valid_until.is_some_and(|day| day <= last);
            if soon && judged.state() == State::Active {
                found.borrow_mut().push(Expiring {
                    learner_id: judged.row.learner_id,
                    learner_name: String::new(),
                    course_id: judged.row.course_id,
                    course_title: String::new(),
                    group_id: judged.row.group_id,
                    enrollment_id: judged.row.enrollment_id,
                    mandatory: judged.options.mandatory,
                    judgment: judged.judgment.clone(),
                });
            }
        },
        |upto| {
            next = Some(upto);
            found.borrow().len() < limit
        },
    )?;
    let mut found = found.into_inner();
    found.sort_by_key(|one| (one.learner_id, one.course_id, one.group_id));
    if found.len() > limit {
        // A learner stands on one page with everything, unless they alone fill it.
        let cut = found.get(limit).map(|one| one.learner_id);
        let keep = found
            .iter()
            .position(|one| Some(one.learner_id) == cut)
            .filter(|keep| *keep > 0);
        if let Some(keep) = keep {
            found.truncate(keep);
        } else {
            found.retain(|one| Some(one.learner_id) == cut);
        }
        next = found.last().map(|one| one.learner_id);
    } else if found.len() < limit {
        next = None;
    }
    let people: Vec<LearnerId> = found.iter().map(|one| one.learner_id).collect();
    let names = learners::names(db, scope.tenant, &people)?;
    let ids: Vec<CourseId> = found.iter().map(|one| one.course_id).collect();
    let titles = courses::titles(db, scope.tenant, &ids)?;
    for one in &mut found {
        one.learner_name = names.get(&one.learner_id).cloned().unwrap_or_default();
        one.course_title = titles.get(&one.course_id).cloned().unwrap_or_default();
    }
    Ok((found, next))
}
