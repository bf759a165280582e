//! What rows name here and what becomes of them, a thousand at a time: the same for a plan and for its commit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::csv::row::{Assigned, Fields, Named};
use crate::ids::{AssignmentId, CourseId, GroupId, LearnerId, MembershipId, TenantId};
use crate::learning::course::CourseStatus;
use crate::learning::group::{self, Writer};
use crate::scim::fold::fold;
use crate::scim::schema::Registry;
use crate::service::ServiceError;
use crate::service::jobs::book;
use crate::store::Db;
use crate::store::placement::cut;
use crate::store::queries::imports::{
    self as rows, ImportRow, Label, LiveAssignment, NamedAccount, NamedCourse, NamedGroup,
    NewAssignment, NewGroup, NewPerson,
};
use crate::store::statement::Bind;

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
    /// Who joins or leaves which group in this chunk.
    moved: HashSet<(GroupId, LearnerId, bool)>,
}

/// What the classification of rows stands on.
pub struct Ground<'a> {
    pub tenant: TenantId,
    pub kind: Kind,
    pub now: Instant,
    pub registry: &'a Registry,
}

/// What the rows of one chunk name, looked up once for all of them.
#[derive(Default)]
struct Lookup {
    groups: HashMap<String, NamedGroup>,
    accounts: HashMap<Named, Vec<NamedAccount>>,
    courses: HashMap<String, NamedCourse>,
    members: HashMap<(GroupId, LearnerId), MembershipId>,
    assigned: HashMap<(GroupId, CourseId), LiveAssignment>,
    names: HashSet<String>,
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

/// Why a row is refused.
pub struct Refused {
    pub code: &'static str,
    pub detail: String,
}

fn refused<T>(code: &'static str, detail: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        code,
        detail: detail.into(),
    })
}

/// A key that may stand in `user_values`.
fn email_key(text: &str) -> String {
    cut(fold(text)).0
}

fn look_up(
    db: &mut Db,
    ground: &Ground<'_>,
    read: &[(ImportRow, Fields)],
) -> Result<Lookup, ServiceError> {
    let tenant = ground.tenant;
    let mut lookup = Lookup::default();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut ids: BTreeSet<GroupId> = BTreeSet::new();
    let mut names: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut learners: BTreeSet<LearnerId> = BTreeSet::new();
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for (_, fields) in read.iter().filter(|(_, fields)| fields.twin.is_none()) {
        if let Some(group) = &fields.group {
            match group.parse() {
                Ok(id) => {
                    ids.insert(id);
                }
                Err(_) => {
                    keys.insert(fold(group));
                }
            }
        }
        match &fields.learner {
            Some(Named::Id(id)) => {
                learners.insert(*id);
            }
            Some(Named::ExternalId(text)) => {
                names.entry("x").or_default().insert(text.clone());
            }
            Some(Named::UserName(text)) => {
                names.entry("u").or_default().insert(fold(text));
            }
            Some(Named::Email(text)) => {
                names.entry("e").or_default().insert(email_key(text));
            }
            None => {}
        }
        if let Some(person) = &fields.person {
            lookup.names.insert(fold(&person.user_name));
        }
        let assigned = fields.assigned.as_ref().map(|one| &one.course);
        codes.extend(assigned.or(fields.course.as_ref()).map(|code| fold(code)));
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let ids: Vec<GroupId> = ids.into_iter().collect();
    for group in rows::groups(db, tenant, &keys, &ids)? {
        lookup.groups.insert(group.id.to_string(), group.clone());
        lookup.groups.insert(group.name_key.clone(), group);
    }
    let mut found: Vec<LearnerId> = Vec::new();
    for (label, asked) in [
        ("x", Label::ExternalId),
        ("u", Label::UserName),
        ("e", Label::Email),
    ] {
        let values: Vec<Bind> = names
            .get(label)
            .into_iter()
            .flatten()
            .map(|text| text.as_str().into())
            .collect();
        for account in rows::accounts(db, tenant, asked, &values)? {
            let key = account.key.clone().unwrap_or_default();
            let name = match asked {
                Label::ExternalId => Named::ExternalId(key),
                Label::UserName => Named::UserName(key),
                Label::Email | Label::LearnerId => Named::Email(key),
            };
            found.push(account.learner_id);
            lookup.accounts.entry(name).or_default().push(account);
        }
    }
    // An address may be a user name and stand nowhere else.
    let rest: Vec<Bind> = names
        .get("e")
        .into_iter()
        .flatten()
        .filter(|key| !lookup.accounts.contains_key(&Named::Email((*key).clone())))
        .map(|key| key.as_str().into())
        .collect();
    for account in rows::accounts(db, tenant, Label::UserName, &rest)? {
        let key = Named::Email(account.key.clone().unwrap_or_default());
        found.push(account.learner_id);
        lookup.accounts.entry(key).or_default().push(account);
    }
    let values: Vec<Bind> = learners.into_iter().map(Bind::from).collect();
    for account in rows::accounts(db, tenant, Label::LearnerId, &values)? {
        found.push(account.learner_id);
        let key = Named::Id(account.learner_id);
        lookup.accounts.entry(key).or_default().push(account);
    }
    let wanted: Vec<Bind> = lookup
        .names
        .iter()
        .map(|name| name.as_str().into())
        .collect();
    let taken = rows::accounts(db, tenant, Label::UserName, &wanted)?;
    lookup.names = taken
        .into_iter()
        .filter_map(|account| account.key)
        .collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    for course in rows::courses(db, tenant, &codes)? {
        lookup.courses.insert(course.code_key.clone(), course);
    }
    if matches!(ground.kind, Kind::Members | Kind::Cohort) {
        found.sort_unstable();
        found.dedup();
        for pair in rows::memberships(db, tenant, &found)? {
            lookup
                .members
                .insert((pair.group_id, pair.learner_id), pair.id);
        }
    }
    if matches!(ground.kind, Kind::Assignments | Kind::Cohort) {
        let ids: BTreeSet<GroupId> = lookup.groups.values().map(|group| group.id).collect();
        let ids: Vec<GroupId> = ids.into_iter().collect();
        for one in rows::assignments(db, tenant, &ids)? {
            lookup.assigned.insert((one.group_id, one.course_id), one);
        }
    }
    Ok(lookup)
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
            Kind::Completions => self.completion(fields, row, done),
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

    /// The group that a row names; not one that a directory manages, when its members or name are to be written.
    fn group(&self, text: &str) -> Result<&NamedGroup, Refused> {
        let key = if text.parse::<GroupId>().is_ok() {
            text.to_owned()
        } else {
            fold(text)
        };
        match self.lookup.groups.get(&key) {
            Some(group) => Ok(group),
            None => refused("not_found", format!("there is no group `{text}`")),
        }
    }

    fn writable(group: &NamedGroup) -> Result<(), Refused> {
        group::may_write_name_and_members(group.manager().as_ref(), Writer::Person).map_err(
            |error| Refused {
                code: error.code(),
                detail: error.to_string(),
            },
        )
    }

    fn account(&self, named: &Named) -> Result<&NamedAccount, Refused> {
        let key = match named {
            Named::Id(id) => Named::Id(*id),
            Named::ExternalId(text) => Named::ExternalId(text.clone()),
            Named::UserName(text) => Named::UserName(fold(text)),
            Named::Email(text) => Named::Email(email_key(text)),
        };
        let found = self.lookup.accounts.get(&key);
        let Some(first) = found.and_then(|list| list.first()) else {
            return refused("not_found", format!("no learner has {}", named.shown()));
        };
        let others = found.into_iter().flatten();
        if others
            .into_iter()
            .any(|other| other.learner_id != first.learner_id)
        {
            return refused(
                "ambiguous_reference",
                format!("{} names more than one learner; use `id`", named.shown()),
            );
        }
        Ok(first)
    }

    fn course(&self, code: &str) -> Result<&NamedCourse, Refused> {
        match self.lookup.courses.get(&fold(code)) {
            Some(course) => Ok(course),
            None => refused("not_found", format!("no course has the code `{code}`")),
        }
    }

    fn member(
        &self,
        fields: &Fields,
        row: &mut ImportRow,
        done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        let group = self.group(fields.group.as_deref().unwrap_or_default())?;
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
        let account = self.account(named)?;
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
        let known = match self.group(name) {
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
            self.account(named)?;
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
        let group = self.group(fields.group.as_deref().unwrap_or_default())?.id;
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
        let course = self.course(&assigned.course)?;
        let options = assigned.options().map_err(|error| Refused {
            code: error.code(),
            detail: error.to_string(),
        })?;
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
            return Err(Refused {
                code: error.code(),
                detail: error.to_string(),
            });
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
        _fields: &Fields,
        _row: &mut ImportRow,
        _done: &mut Classified,
    ) -> Result<Outcome, Refused> {
        refused("not_supported", "completions cannot be imported yet")
    }
}
