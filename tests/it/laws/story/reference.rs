//! What the domain document says, once more and in the simplest way there is: lists and loops in memory, no SQL, nothing of
//! `src/learning`. It knows people, groups, members, courses, assignments, reasons, enrollments and completions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Months, NaiveDate, Utc};

pub const PEOPLE: usize = 4;
pub const GROUPS: usize = 3;
pub const COURSES: usize = 3;

/// Settings of a tenant that nobody has changed (§2.1), in days.
const WINDOW: i64 = 30;
const RESUME: i64 = 30;
const RETURN: u64 = 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    Approved,
    Pending,
    Rejected,
}

/// A learner: outlives the account.
#[derive(Clone, Debug)]
pub struct Person {
    pub approval: Approval,
    pub active: bool,
    pub deleted: bool,
    /// The day they were deactivated, while they are.
    left: Option<NaiveDate>,
    /// The days they left and came back.
    absences: Vec<(NaiveDate, NaiveDate)>,
}

impl Person {
    fn set_active(&mut self, active: bool, today: NaiveDate) {
        if active && !self.active {
            self.absences
                .extend(self.left.take().map(|left| (left, today)));
        } else if !active && self.active {
            self.left = Some(today);
        }
        self.active = active;
    }

    pub fn addable(&self) -> bool {
        !self.deleted && self.approval == Approval::Approved
    }

    pub fn enrollable(&self) -> bool {
        self.addable() && self.active
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub period: usize,
    /// Written by the directory's connection.
    pub pushed: bool,
}

/// What an assignment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub months: Option<u32>,
    pub due: Option<NaiveDate>,
}

#[derive(Clone, Debug)]
pub struct Assignment {
    pub number: usize,
    pub terms: Terms,
}

/// More time, for one reason or for whatever there is.
#[derive(Clone, Debug)]
pub struct Extension {
    pair: (usize, usize),
    reason: Option<usize>,
    granted: DateTime<Utc>,
    due: NaiveDate,
}

#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Belongs to the connection, which also locks it.
    pub managed: bool,
    pub members: BTreeMap<usize, Membership>,
    pub assignments: BTreeMap<usize, Assignment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    MemberRemoved,
    UserDeleted,
    GroupDeleted,
    AssignmentRemoved,
    Withdrawn,
}

#[derive(Clone, Debug)]
pub struct Reason {
    pub person: usize,
    pub course: usize,
    pub group: usize,
    pub period: usize,
    pub assignment: usize,
    pub terms: Terms,
    pub since: DateTime<Utc>,
    pub floor: Option<NaiveDate>,
    pub ended: Option<(DateTime<Utc>, End)>,
}

/// The whole tenant.
#[derive(Clone, Debug)]
pub struct Reference {
    pub now: DateTime<Utc>,
    pub plan: bool,
    pub live: bool,
    pub published: [bool; COURSES],
    /// Everybody who ever was; `accounts` says who of them is person number n at present.
    pub people: Vec<Person>,
    pub accounts: [Option<usize>; PEOPLE],
    /// Who had the account of this number last: coming back finds them.
    pub last: [Option<usize>; PEOPLE],
    pub groups: [Option<Group>; GROUPS],
    pub reasons: Vec<Reason>,
    /// Withdrawn or not.
    pub enrollments: BTreeMap<(usize, usize), bool>,
    pub completions: BTreeMap<(usize, usize), Vec<DateTime<Utc>>>,
    pub waived: BTreeSet<(usize, usize)>,
    pub extensions: Vec<Extension>,
    next: usize,
}

impl Reference {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            plan: true,
            live: true,
            published: [true; COURSES],
            people: Vec::new(),
            accounts: [None; PEOPLE],
            last: [None; PEOPLE],
            groups: Default::default(),
            reasons: Vec::new(),
            enrollments: BTreeMap::new(),
            completions: BTreeMap::new(),
            waived: BTreeSet::new(),
            extensions: Vec::new(),
            next: 0,
        }
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// Writes everything owed (§4); the six predicates in their order.
    pub fn enroll(&mut self, floor: Option<NaiveDate>) {
        let mut owed = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            let Some(group) = group else { continue };
            for (person, membership) in &group.members {
                for (course, assignment) in &group.assignments {
                    let through_connection = group.managed || membership.pushed;
                    let known = self.reasons.iter().any(|reason| {
                        reason.period == membership.period && reason.assignment == assignment.number
                    });
                    if self.people[*person].enrollable()
                        && self.published[*course]
                        && self.plan
                        && (self.live || !through_connection)
                        && !known
                    {
                        owed.push((
                            number,
                            *person,
                            *course,
                            membership.period,
                            assignment.clone(),
                        ));
                    }
                }
            }
        }
        for (group, person, course, period, assignment) in owed {
            // §7.2: who comes back soon resumes the old clock.
            let resumed = self
                .reasons
                .iter()
                .filter(|old| old.person == person && old.assignment == assignment.number)
                .filter(|old| {
                    old.ended.as_ref().is_some_and(|(at, end)| {
                        [End::MemberRemoved, End::UserDeleted].contains(end)
                            && *at >= self.now - chrono::Duration::days(RESUME)
                    })
                })
                .map(|old| old.since)
                .max();
            self.reasons.push(Reason {
                person,
                course,
                group,
                period,
                assignment: assignment.number,
                terms: assignment.terms,
                since: resumed.unwrap_or(self.now),
                floor,
                ended: None,
            });
            self.enrollments.insert((person, course), false);
        }
    }

    fn end(&mut self, end: End, which: impl Fn(&Reason) -> bool) {
        let now = self.now;
        for reason in &mut self.reasons {
            if reason.ended.is_none() && which(reason) {
                reason.ended = Some((now, end.clone()));
            }
        }
    }

    /// A SCIM POST /Users: a new account, and a learner who may have been here before (§8).
    pub fn create(&mut self, account: usize) {
        let person = match self.last[account] {
            Some(person) => {
                let today = self.now.date_naive();
                let back = &mut self.people[person];
                back.deleted = false;
                back.set_active(true, today);
                if back.approval == Approval::Pending {
                    back.approval = Approval::Approved;
                }
                person
            }
            None => {
                self.people.push(Person {
                    approval: Approval::Approved,
                    active: true,
                    deleted: false,
                    left: None,
                    absences: Vec::new(),
                });
                self.people.len() - 1
            }
        };
        self.accounts[account] = Some(person);
        self.last[account] = Some(person);
        self.enroll(None);
    }

    /// A SCIM DELETE of a user (§8).
    pub fn delete(&mut self, account: usize) {
        let Some(person) = self.accounts[account].take() else {
            return;
        };
        self.people[person].deleted = true;
        for group in self.groups.iter_mut().flatten() {
            group.members.remove(&person);
        }
        self.end(End::UserDeleted, |reason| reason.person == person);
    }

    /// SCIM `active` (§7.5, 4.5).
    pub fn activate(&mut self, person: usize, active: bool) {
        let today = self.now.date_naive();
        self.people[person].set_active(active, today);
        self.enroll(None);
    }

    /// An admin's decision (4.4, §5, §7.27).
    pub fn decide(&mut self, person: usize, approval: Approval) {
        self.people[person].approval = approval;
        self.enroll(None);
    }

    /// People join; who is in stays untouched (4.2).
    pub fn add(&mut self, group: usize, people: &[usize], pushed: bool) {
        for person in people {
            let period = self.number();
            if let Some(group) = &mut self.groups[group] {
                group
                    .members
                    .entry(*person)
                    .or_insert(Membership { period, pushed });
            }
        }
        self.enroll(None);
    }

    /// People leave (4.7).
    pub fn remove(&mut self, group: usize, people: &[usize]) {
        for person in people {
            let left = self.groups[group]
                .as_mut()
                .and_then(|group| group.members.remove(person));
            if let Some(left) = left {
                self.end(End::MemberRemoved, |reason| reason.period == left.period);
            }
        }
    }

    /// 4.3
    pub fn assign(&mut self, group: usize, course: usize, terms: Terms) {
        let number = self.number();
        if let Some(group) = &mut self.groups[group] {
            let assignment = Assignment { number, terms };
            group.assignments.insert(course, assignment);
        }
        self.enroll(None);
    }

    /// 4.10, §6.4, §6.5: who would be expired by it at once gets the window. Returns how many that are.
    pub fn edit(&mut self, group: usize, course: usize, terms: Terms, future: bool) -> usize {
        let assignment = self.groups[group]
            .as_mut()
            .and_then(|group| group.assignments.get_mut(&course));
        let Some(assignment) = assignment.filter(|one| one.terms != terms) else {
            return 0;
        };
        assignment.terms = terms;
        let number = assignment.number;
        if future {
            return 0;
        }
        let mut expire = Vec::new();
        for reason in 0..self.reasons.len() {
            let one = &self.reasons[reason];
            if one.assignment != number || one.ended.is_some() {
                continue;
            }
            let before = self.status(reason);
            self.reasons[reason].terms = terms;
            if before != "expired" && self.status(reason) == "expired" {
                expire.push(reason);
            }
        }
        let due = self.now.date_naive() + Days::new(WINDOW.unsigned_abs());
        for reason in &expire {
            let one = &self.reasons[*reason];
            self.extensions.push(Extension {
                pair: (one.person, one.course),
                reason: Some(*reason),
                granted: self.now,
                due,
            });
        }
        expire.len()
    }

    /// §2.9
    pub fn extend(&mut self, person: usize, course: usize, due: NaiveDate) {
        self.extensions.push(Extension {
            pair: (person, course),
            reason: None,
            granted: self.now,
            due,
        });
    }

    /// 4.6
    pub fn unassign(&mut self, group: usize, course: usize) {
        let ended = self.groups[group]
            .as_mut()
            .and_then(|group| group.assignments.remove(&course));
        if let Some(ended) = ended {
            self.end(End::AssignmentRemoved, |reason| {
                reason.assignment == ended.number
            });
        }
    }

    /// 4.8
    pub fn delete_group(&mut self, group: usize) {
        if let Some(gone) = self.groups[group].take() {
            let periods: Vec<usize> = gone.members.values().map(|one| one.period).collect();
            self.end(End::GroupDeleted, |reason| periods.contains(&reason.period));
        }
    }

    /// 4.13
    pub fn withdraw(&mut self, person: usize, course: usize) {
        self.end(End::Withdrawn, |reason| {
            reason.person == person && reason.course == course
        });
        self.enrollments.insert((person, course), true);
    }

    /// 4.11, §7.23
    pub fn complete(&mut self, person: usize, course: usize) {
        let now = self.now;
        self.enrollments.entry((person, course)).or_insert(false);
        self.completions
            .entry((person, course))
            .or_default()
            .push(now);
    }

    /// 4.14, §7.15: what is owed by a plan that comes back is due no earlier than its window.
    pub fn set_plan(&mut self, plan: bool) {
        let floor =
            (plan && !self.plan).then(|| self.now.date_naive() + Days::new(WINDOW.unsigned_abs()));
        self.plan = plan;
        self.enroll(floor);
    }

    /// The completion that counts for this obligation, what it is good until (§9.2), and its window (§2.1).
    fn validity(&self, reason: &Reason) -> Option<(NaiveDate, DateTime<Utc>, NaiveDate)> {
        let months = reason.terms.months?;
        self.completions
            .get(&(reason.person, reason.course))?
            .iter()
            .map(|at| {
                let day = at.date_naive();
                let until = day + Months::new(months);
                let window = WINDOW.min((until - day).num_days() / 2);
                (until, *at, until - Days::new(window.unsigned_abs()))
            })
            .max()
    }

    /// §3.2: time after an absence for who was not late before it, then an extension; one of before a completion says
    /// nothing about the renewal after it, and one that had run out nothing about an obligation that began later.
    fn adjusted(
        &self,
        number: usize,
        mut date: Option<NaiveDate>,
        renewed: Option<DateTime<Utc>>,
    ) -> Option<NaiveDate> {
        let reason = &self.reasons[number];
        for (left, back) in &self.people[reason.person].absences {
            let grace = *back + Days::new(RETURN);
            if date.is_some_and(|day| day >= *left && day < grace) {
                date = Some(grace);
            }
        }
        let pair = (reason.person, reason.course);
        let extension = self
            .extensions
            .iter()
            .rfind(|one| one.pair == pair && one.reason.is_none_or(|of| of == number));
        match (extension, renewed) {
            (Some(one), Some(at)) if one.granted >= at => date.map(|day| day.max(one.due)),
            (Some(one), None)
                if one.granted >= reason.since || one.due >= reason.since.date_naive() =>
            {
                Some(one.due)
            }
            _ => date,
        }
    }

    /// The status of a live obligation (§3.1).
    pub fn status(&self, number: usize) -> &'static str {
        let reason = &self.reasons[number];
        let pair = (reason.person, reason.course);
        if self.waived.contains(&pair) {
            return "waived";
        }
        let done = self.completions.contains_key(&pair);
        if done && reason.terms.months.is_none() {
            return "compliant";
        }
        let today = self.now.date_naive();
        let over = |day: NaiveDate| today > day;
        if let Some((until, at, window)) = self.validity(reason)
            && until >= reason.since.date_naive()
        {
            let renew_by = self.adjusted(number, Some(until), Some(at));
            return if renew_by.is_some_and(over) {
                "expired"
            } else if today >= window {
                "expiring"
            } else {
                "compliant"
            };
        }
        let due = match reason.terms.due {
            Some(day) => Some(reason.floor.map_or(day, |floor| day.max(floor))),
            None => done.then(|| reason.since.date_naive() + Days::new(WINDOW.unsigned_abs())),
        };
        if self.adjusted(number, due, None).is_some_and(over) {
            "overdue"
        } else {
            "not_started"
        }
    }

    /// How a live membership is shown (§2.4).
    pub fn state(&self, person: usize) -> &'static str {
        let person = &self.people[person];
        if !person.addable() {
            "pending"
        } else if person.active {
            "active"
        } else {
            "dormant"
        }
    }
}
