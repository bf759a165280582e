//! Compliance and progress of a group and of a learner (§3.3), at any instant. Counted from judged obligations, so
//! that a report and the status function cannot disagree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ids::{AssignmentId, CourseId, EnrollmentId, GroupId, LearnerId};
use crate::learning::figures::{Ratio, Tally};
use crate::learning::membership::State;
use crate::learning::obligation::Judgment;
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::enrollments::PairFilter;
pub use crate::store::queries::memberships::StateCounts;
use crate::store::queries::{courses, enrollments as enrollment_rows, learners, memberships};

use super::enrollments::{self, EnrollmentView};
use super::group_members::{self, MemberFilter, MemberRow};
use super::obligations::{self, AsOf, Judged, Narrow};
use super::{Scope, ServiceError, groups};

/// Which instant a report is about, and how strict it is.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub as_of: AsOf,
    /// Extra time counts as expired.
    pub strict: bool,
}

/// The numbers of some obligations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Mandatory obligations of active members.
    pub mandatory: Tally,
    /// Optional ones; in no rate.
    pub optional: Tally,
    /// Sum and number of progress percentages.
    progress: (i64, i64),
}

impl Figures {
    pub(super) fn add(&mut self, judged: &Judged<'_>, question: Question) {
        let tally = if judged.options.mandatory {
            &mut self.mandatory
        } else {
            &mut self.optional
        };
        tally.add(&judged.judgment, question.strict);
        self.progress.0 += progress_of(judged, question);
        self.progress.1 += 1;
    }

    /// The mean progress: completed courses count 100 while they are valid.
    #[must_use]
    pub const fn progress(&self) -> Ratio {
        Ratio {
            part: self.progress.0,
            whole: self.progress.1 * 100,
        }
    }
}

pub(super) fn progress_of(judged: &Judged<'_>, question: Question) -> i64 {
    if judged.judgment.is_valid() {
        100
    } else if judged.row.is_open(question.as_of.at) {
        judged.row.progress_pct.unwrap_or_default()
    } else {
        0
    }
}

/// One course of a group in numbers.
#[derive(Clone, Debug)]
pub struct CourseFigures {
    pub assignment_id: AssignmentId,
    pub course_id: CourseId,
    pub title: String,
    pub mandatory: bool,
    pub figures: Figures,
}

/// A group in numbers.
#[derive(Clone, Debug)]
pub struct GroupFigures {
    pub group_id: GroupId,
    pub name: String,
    pub total: Figures,
    pub courses: Vec<CourseFigures>,
    /// Members whose every mandatory obligation is met, of those who have any.
    pub fully_compliant: Ratio,
    /// Present members by state: outside every denominator, and shown beside it.
    pub counts: StateCounts,
}

/// The numbers of a group: each member judged by this group's own terms.
pub fn of_group(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    question: Question,
) -> Result<GroupFigures, ServiceError> {
    let row = groups::find(db, scope, id)?;
    let gathered = obligations::gather(db, scope.tenant, &Narrow::Group(id), question.as_of)?;
    let mut courses_of: BTreeMap<AssignmentId, CourseFigures> = BTreeMap::new();
    let mut total = Figures::default();
    let mut members: BTreeMap<LearnerId, bool> = BTreeMap::new();
    for judged in gathered.judged() {
        if judged.state() != State::Active {
            continue;
        }
        let course = courses_of
            .entry(judged.row.assignment_id)
            .or_insert(CourseFigures {
                assignment_id: judged.row.assignment_id,
                course_id: judged.row.course_id,
                title: String::new(),
                mandatory: judged.options.mandatory,
                figures: Figures::default(),
            });
        course.figures.add(&judged, question);
        total.add(&judged, question);
        if judged.options.mandatory {
            let met = met(&judged.judgment, question);
            let all = members.entry(judged.row.learner_id).or_insert(true);
            *all &= met;
        }
    }
    let ids: Vec<CourseId> = courses_of.values().map(|course| course.course_id).collect();
    let titles = courses::titles(db, scope.tenant, &ids)?;
    let mut courses: Vec<CourseFigures> = courses_of.into_values().collect();
    for course in &mut courses {
        course.title = titles.get(&course.course_id).cloned().unwrap_or_default();
    }
    let fully = members.values().filter(|all| **all).count();
    Ok(GroupFigures {
        group_id: id,
        name: row.name,
        total,
        courses,
        fully_compliant: Ratio {
            part: i64::try_from(fully).unwrap_or(i64::MAX),
            whole: i64::try_from(members.len()).unwrap_or(i64::MAX),
        },
        counts: memberships::state_counts(db, scope.tenant, &[id])?
            .remove(&id)
            .unwrap_or_default(),
    })
}

/// How the mandatory courses of these groups stand now, of groups that have any.
pub fn of_groups(
    db: &mut Db,
    scope: &Scope,
    ids: &[GroupId],
) -> Result<HashMap<GroupId, Tally>, ServiceError> {
    let mut tallies: HashMap<GroupId, Tally> = HashMap::new();
    let narrow = Narrow::Groups(ids.to_vec());
    let gathered = obligations::gather(db, scope.tenant, &narrow, AsOf::present(scope.now))?;
    let active = gathered
        .judged()
        .filter(|one| one.options.mandatory && one.state() == State::Active);
    for judged in active {
        let tally = tallies.entry(judged.row.group_id).or_default();
        tally.add(&judged.judgment, false);
    }
    Ok(tallies)
}

fn met(judgment: &Judgment, question: Question) -> bool {
    let status = if question.strict {
        judgment.strict()
    } else {
        judgment.status
    };
    status.is_met() || status == crate::learning::obligation::Status::Waived
}

/// One course of one member.
#[derive(Clone, Debug)]
pub struct Cell {
    pub course_id: CourseId,
    pub title: String,
    pub assignment_id: AssignmentId,
    pub enrollment_id: EnrollmentId,
    pub mandatory: bool,
    pub judgment: Judgment,
    pub progress_pct: i64,
}

/// One member with every course of the group.
#[derive(Clone, Debug)]
pub struct MemberProgress {
    pub learner_id: LearnerId,
    pub name: String,
    pub state: State,
    pub courses: Vec<Cell>,
}

/// One page of a group's present members with their courses, by learner id.
pub fn progress(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    question: Question,
    paging: &Paging,
) -> Result<Found<MemberProgress>, ServiceError> {
    let page = group_members::members(db, scope, id, &MemberFilter::default(), paging)?;
    page.then(|page| cells(db, scope, id, question, page))
}

/// Members with their courses.
fn cells(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    question: Question,
    page: Vec<MemberRow>,
) -> Result<Vec<MemberProgress>, ServiceError> {
    let people: Vec<LearnerId> = page.iter().map(|row| row.learner_id).collect();
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let gathered = obligations::gather(db, scope.tenant, &Narrow::People(people), question.as_of)?;
    let mut cells: BTreeMap<LearnerId, Vec<Cell>> = BTreeMap::new();
    let of_group = || gathered.rows().iter().filter(|row| row.group_id == id);
    let ids: BTreeSet<CourseId> = of_group().map(|row| row.course_id).collect();
    let ids: Vec<CourseId> = ids.into_iter().collect();
    let titles = courses::titles(db, scope.tenant, &ids)?;
    for judged in gathered.judged().filter(|one| one.row.group_id == id) {
        let progress_pct = progress_of(&judged, question);
        cells.entry(judged.row.learner_id).or_default().push(Cell {
            course_id: judged.row.course_id,
            title: titles
                .get(&judged.row.course_id)
                .cloned()
                .unwrap_or_default(),
            assignment_id: judged.row.assignment_id,
            enrollment_id: judged.row.enrollment_id,
            mandatory: judged.options.mandatory,
            progress_pct,
            judgment: judged.judgment,
        });
    }
    Ok(page
        .into_iter()
        .map(|row| {
            let mut courses = cells.remove(&row.learner_id).unwrap_or_default();
            courses.sort_by_key(|cell| cell.assignment_id);
            MemberProgress {
                learner_id: row.learner_id,
                state: row.state(),
                name: row.display_name,
                courses,
            }
        })
        .collect())
}

/// A learner's enrollments and what they come to.
#[derive(Clone, Debug)]
pub struct LearnerCompliance {
    /// One count per mandatory course, by its merged status.
    pub courses: BTreeMap<&'static str, i64>,
    pub enrollments: Vec<EnrollmentView>,
}

/// The most enrollments one answer shows.
const SHOWN: i64 = 1000;

/// A learner's courses, each with the merged status.
pub fn of_learner(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
) -> Result<LearnerCompliance, ServiceError> {
    learners::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Learner", id))?;
    let rows = enrollment_rows::page(
        db,
        scope.tenant,
        PairFilter {
            learner: Some(id),
            course: None,
        },
        false,
        &Paging::first(SHOWN),
    )?;
    let views = enrollments::views(db, scope, rows.rows)?;
    let mut courses: BTreeMap<&'static str, i64> = BTreeMap::new();
    for view in views.iter().filter(|view| view.now.mandatory) {
        *courses.entry(view.now.status.as_str()).or_default() += 1;
    }
    Ok(LearnerCompliance {
        courses,
        enrollments: views,
    })
}
