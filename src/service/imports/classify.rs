//! What rows name here and what becomes of them, a thousand at a time: the same for a plan and for its commit.

use std::collections::{BTreeSet, HashSet};

use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::csv::row::{Assigned, Fields, Named};
use crate::ids::{AssignmentId, CourseId, GroupId, LearnerId, MembershipId};
use crate::learning::LearningError;
use crate::learning::completion::{CompletionSource, completed_at, hundredths, on_day};
use crate::learning::course::CourseStatus;
use crate::learning::group::{self, Writer};
use crate::scim::fold::fold;
use crate::service::ServiceError;
use crate::service::completions::Report;
use crate::service::jobs::book;
use crate::store::Db;
use crate::store::queries::imports::{ImportRow, NamedGroup, NewAssignment, NewGroup, NewPerson};

use super::lookup::{Ground, Lookup, Refused, SOURCE, look_up, refused};
use super::people;
use super::spec::{Outcome, Planned};

/// How many groups one file may make.
const NEW_GROUPS: usize = 5000;

/// How many courses one file may assign.
const NEW_ASSIGNMENTS: usize = 20_000;

/// Rows with what becomes of them, and what is to be written for that.
#[derive(Debug, Default)]
pub struct Classified {
    pub rows: Vec<ImportRow>,
    pub new_groups: Vec<NewGroup>,
    pub new_assignments: Vec<(NewAssignment, String)>,
    pub people: Vec<NewPerson>,
    /// Memberships that end.
    pub ends: Vec<MembershipId>,
    /// Groups whose members change.
    pub touched: BTreeSet<GroupId>,
    /// Completions to record.
    pub reports: Vec<Report>,
    reported: HashSet<(LearnerId, CourseId, String)>,
    /// Who joins or leaves which group in this chunk.
    moved: HashSet<(GroupId, LearnerId, bool)>,
}

/// Classifies rows. `planned` holds what rows before would have made, and takes what these would make.
pub fn classify(
    db: &mut Db,
    ground: &Ground<'_>,
    staged: Vec<ImportRow>,
    planned: &mut Planned,
) -> Result<Classified, ServiceError> {
    let mut read: Vec<(ImportRow, Fields)> = Vec::with_capacity(staged.len());
    for row in staged {
        let fields: Fields = book::read(&row.fields)?;
        read.push((row, fields));
    }
    let lookup = look_up(db, ground, &read)?;
    let mut done = Classified::default();
    let mut state = State { lookup, planned };
    for (mut row, fields) in read {
        row.code = None;
        row.detail = None;
        row.assigns = false;
        row.due_date = None;
        let outcome = if fields.twin.is_some() {
            row.code = Some("duplicate_row".to_owned());
            row.detail = fields
                .twin
                .map(|line| format!("line {line} says it already"));
            Ok(Outcome::NoOp)
        } else {
            state.one(ground, &fields, &mut row, &mut done)?
        };
        match outcome {
            Ok(outcome) => outcome.as_str().clone_into(&mut row.outcome),
            Err(Refused { code, detail }) => {
                Outcome::Error.as_str().clone_into(&mut row.outcome);
                row.code = Some(code.to_owned());
                row.detail = Some(detail);
                row.assigns = false;
            }
        }
        done.rows.push(row);
    }
    Ok(done)
}

fn of_domain(error: &LearningError) -> Refused {
    Refused {
        code: error.code(),
        detail: error.to_string(),
    }
}

struct State<'a> {
    lookup: Lookup,
    planned: &'a mut Planned,
}

impl State<'_> {
    fn one(
        &mut self,
        ground: &Ground<'_>,
        fields: &Fields,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Result<Outcome, Refused>, ServiceError> {
        Ok(match ground.kind {
            Kind::Learners => return self.person(ground, fields, done),
            Kind::Members => self.member(fields, row, done),
            Kind::Cohort => self.cohort(fields, row, done),
            Kind::Assignments => self.assignment(fields, row, done),
            Kind::Completions => self.completion(ground, fields, row, done),
        })
    }

    fn person(
        &mut self,
        ground: &Ground<'_>,
        fields: &Fields,
        done: &mut Classified,
    ) -> Result<Result<Outcome, Refused>, ServiceError> {
        let Some(person) = &fields.person else {
            return Ok(Ok(Outcome::NoOp));
        };
        if self.lookup.names.contains(&fold(&person.user_name)) {
            return Ok(Ok(Outcome::NoOp));
        }
        match people::make(ground.registry, ground.now, person)? {
            Ok(new) => {
                done.people.push(new);
                Ok(Ok(Outcome::Created))
            }
            Err(detail) => Ok(refused("validation_failed", detail)),
        }
    }

    fn writable(group: &NamedGroup) -> Result<(), Refused> {
        group::may_write_name_and_members(group.manager().as_ref(), Writer::Person)
            .map_err(|error| of_domain(&error))
    }

    fn member(
        &self,
        fields: &Fields,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        let group = self
            .lookup
            .group(fields.group.as_deref().unwrap_or_default())?;
        row.group_id = Some(group.id);
        Self::writable(group)?;
        let group = group.id;
        let Some(named) = &fields.learner else {
            return refused("missing_value", "the row names no learner");
        };
        self.join(group, named, fields.remove, row, done)
    }

    fn join(
        &self,
        group: GroupId,
        named: &Named,
        remove: bool,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        let account = self.lookup.account(named)?;
        row.learner_id = Some(account.learner_id);
        row.user_id = Some(account.id);
        let live = self.lookup.members.get(&(group, account.learner_id));
        match (live, remove) {
            (Some(_), true) | (None, false)
                if !done.moved.insert((group, account.learner_id, remove)) =>
            {
                row.code = Some("duplicate_row".to_owned());
                Ok(Outcome::NoOp)
            }
            (Some(period), true) => {
                done.ends.push(*period);
                done.touched.insert(group);
                Ok(Outcome::Removed)
            }
            (None, true) => {
                row.code = Some("not_a_member".to_owned());
                Ok(Outcome::NoOp)
            }
            (Some(_), false) => Ok(Outcome::NoOp),
            (None, false) => {
                done.touched.insert(group);
                match account.facts().not_addable() {
                    Some(blocker) => {
                        row.code = Some(blocker.code().to_owned());
                        row.detail = Some(blocker.sentence().to_owned());
                        Ok(Outcome::Pended)
                    }
                    None => Ok(Outcome::Added),
                }
            }
        }
    }

    fn cohort(
        &mut self,
        fields: &Fields,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        let name = fields.group.as_deref().unwrap_or_default();
        let key = fold(name);
        // What may refuse the row comes before what it makes.
        let known = match self.lookup.group(name) {
            Ok(group) => {
                if fields.learner.is_some() {
                    Self::writable(group)?;
                }
                Some(group.id)
            }
            Err(refusal) if name.parse::<GroupId>().is_ok() => return Err(refusal),
            Err(_) => self.planned.groups.get(&key).copied(),
        };
        if let Some(named) = &fields.learner {
            self.lookup.account(named)?;
        }
        if known.is_none() && self.planned.groups.len() >= NEW_GROUPS {
            return refused(
                "too_many_groups",
                format!("one file makes at most {NEW_GROUPS} groups"),
            );
        }
        let group = known.unwrap_or_else(GroupId::new);
        let assigned = fields
            .assigned
            .as_ref()
            .map(|assigned| self.to_assign(group, assigned))
            .transpose()?;
        row.group_id = Some(group);
        let mut outcome = Outcome::NoOp;
        if known.is_none() {
            self.planned.groups.insert(key.clone(), group);
            done.new_groups.push(NewGroup {
                id: group,
                name: name.to_owned(),
                name_key: key,
                description: fields.description.clone(),
                color: fields.color.clone(),
            });
            outcome = Outcome::Created;
        }
        if let Some((new, title)) = assigned.flatten()
            && self.assign(new, title, row, done)
        {
            outcome = Outcome::Assigned;
        }
        if let Some(named) = &fields.learner {
            let joined = self.join(group, named, false, row, done)?;
            if joined != Outcome::NoOp {
                outcome = joined;
            }
        }
        Ok(outcome)
    }

    fn assignment(
        &mut self,
        fields: &Fields,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        let group = self
            .lookup
            .group(fields.group.as_deref().unwrap_or_default())?
            .id;
        row.group_id = Some(group);
        let Some(assigned) = &fields.assigned else {
            return Ok(Outcome::NoOp);
        };
        Ok(match self.to_assign(group, assigned)? {
            Some((new, title)) => {
                if self.assign(new, title, row, done) {
                    Outcome::Assigned
                } else {
                    Outcome::NoOp
                }
            }
            None => Outcome::NoOp,
        })
    }

    /// Makes an assignment unless a row before has; whether it did.
    fn assign(
        &mut self,
        new: NewAssignment,
        title: String,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> bool {
        row.course_id = Some(new.course);
        let first = self.planned.assigned.insert((new.group, new.course));
        if first {
            row.assigns = true;
            row.due_date.clone_from(&new.due_date);
            done.new_assignments.push((new, title));
        }
        first
    }

    /// The assignment that a row makes, with the course's title; none when the group has the course on the same terms.
    fn to_assign(
        &self,
        group: GroupId,
        assigned: &Assigned,
    ) -> Result<Option<(NewAssignment, String)>, Refused> {
        let course = self.lookup.course(&assigned.course)?;
        let options = assigned.options().map_err(|error| of_domain(&error))?;
        let (due_date, due_days) = options.due.columns();
        let new = NewAssignment {
            id: AssignmentId::new(),
            group,
            course: course.id,
            mandatory: options.mandatory,
            due_date,
            due_days,
            recert_months: options.recert_months(),
        };
        if let Some(live) = self.lookup.assigned.get(&(group, course.id)) {
            let same = live.mandatory == new.mandatory
                && live.due_date == new.due_date
                && live.due_days == new.due_days
                && live.recert_months == new.recert_months;
            return if same {
                Ok(None)
            } else {
                refused(
                    "already_assigned",
                    "the group has the course on other terms; edit the assignment",
                )
            };
        }
        if let Some(status) = CourseStatus::parse(&course.status)
            && let Err(error) = status.assignable()
        {
            return Err(of_domain(&error));
        }
        if self.planned.assigned.len() >= NEW_ASSIGNMENTS {
            return refused(
                "too_many_assignments",
                format!("one file makes at most {NEW_ASSIGNMENTS} assignments"),
            );
        }
        Ok(Some((new, course.title.clone())))
    }

    fn completion(
        &self,
        ground: &Ground<'_>,
        fields: &Fields,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        let (Some(named), Some(completed)) = (&fields.learner, &fields.completed) else {
            return refused("missing_value", "the row names no learner");
        };
        let learner = self.lookup.learner(named)?;
        row.learner_id = Some(learner);
        let course = self
            .lookup
            .course(fields.course.as_deref().unwrap_or_default())?
            .id;
        row.course_id = Some(course);
        let at = match completed.on {
            Some(day) => on_day(day, ground.zone, ground.now).ok_or_else(|| Refused {
                code: "completed_in_future",
                detail: format!("{day} has not begun yet"),
            })?,
            None => {
                let at = Instant(completed.at.unwrap_or(i64::MAX));
                completed_at(at, ground.now).map_err(|error| of_domain(&error))?
            }
        };
        // A day before 1970 is refused like an instant (§7.24).
        let at = completed_at(at, ground.now).map_err(|error| of_domain(&error))?;
        let reference = completed.reference();
        let report = Report {
            learner,
            course,
            completed_at: at,
            source: CompletionSource::parse(SOURCE).map_err(|error| of_domain(&error))?,
            source_ref: Some(reference.clone()),
            score: completed.score.and_then(hundredths),
            evidence_ref: completed.evidence.clone(),
        };
        if self.lookup.on_record(&report) {
            row.code = Some("already_recorded".to_owned());
            return Ok(Outcome::NoOp);
        }
        if !done.reported.insert((learner, course, reference)) {
            row.code = Some("duplicate_row".to_owned());
            return Ok(Outcome::NoOp);
        }
        done.reports.push(report);
        Ok(Outcome::Recorded)
    }
}
