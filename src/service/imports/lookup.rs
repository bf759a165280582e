//! What the rows of one chunk name, looked up for all of them at once: groups, people, courses, what is there already.
//!
//! Not here: what becomes of the rows (`classify`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono_tz::Tz;

use crate::clock::Instant;
use crate::csv::columns::Kind;
use crate::csv::row::{Fields, Named};
use crate::ids::{CourseId, GroupId, LearnerId, MembershipId, TenantId};
use crate::scim::fold::fold;
use crate::scim::schema::Registry;
use crate::service::ServiceError;
use crate::service::completions::Report;
use crate::store::Db;
use crate::store::placement::cut;
use crate::store::queries::imports::{
    self as rows, ImportRow, Label, LiveAssignment, NamedAccount, NamedCourse, NamedGroup,
};
use crate::store::queries::{completions, learners};
use crate::store::statement::Bind;

/// Where completions of a file come from.
pub const SOURCE: &str = "import";

/// What the classification of rows stands on.
pub struct Ground<'a> {
    pub tenant: TenantId,
    pub kind: Kind,
    pub now: Instant,
    pub registry: &'a Registry,
    /// Where the tenant's calendar dates are.
    pub zone: Tz,
}

/// What the rows of one chunk name, looked up once for all of them.
#[derive(Default)]
pub struct Lookup {
    pub groups: HashMap<String, NamedGroup>,
    pub accounts: HashMap<Named, Vec<NamedAccount>>,
    pub courses: HashMap<String, NamedCourse>,
    pub members: HashMap<(GroupId, LearnerId), MembershipId>,
    pub assigned: HashMap<(GroupId, CourseId), LiveAssignment>,
    pub names: HashSet<String>,
    /// Learners named by their id who have no account any more.
    former: HashSet<LearnerId>,
    /// Completions on record, by their reference in files.
    references: HashSet<(LearnerId, CourseId, String)>,
    /// Completions on record, by when they were.
    instants: HashSet<(LearnerId, CourseId, Instant)>,
}

/// Why a row is refused.
pub struct Refused {
    pub code: &'static str,
    pub detail: String,
}

pub fn refused<T>(code: &'static str, detail: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        code,
        detail: detail.into(),
    })
}

/// A key that may stand in `user_values`.
fn email_key(text: &str) -> String {
    cut(fold(text)).0
}

/// Looks up what rows name, each kind of name in one go.
pub fn look_up(
    db: &mut Db,
    ground: &Ground<'_>,
    read: &[(ImportRow, Fields)],
) -> Result<Lookup, ServiceError> {
    let tenant = ground.tenant;
    let mut lookup = Lookup::default();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut ids: BTreeSet<GroupId> = BTreeSet::new();
    let mut names: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut by_id: BTreeSet<LearnerId> = BTreeSet::new();
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
                by_id.insert(*id);
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
    let asked: Vec<LearnerId> = by_id.into_iter().collect();
    let values: Vec<Bind> = asked.iter().copied().map(Bind::from).collect();
    for account in rows::accounts(db, tenant, Label::LearnerId, &values)? {
        found.push(account.learner_id);
        let key = Named::Id(account.learner_id);
        lookup.accounts.entry(key).or_default().push(account);
    }
    if ground.kind == Kind::Completions && !asked.is_empty() {
        lookup.former = learners::known(db, tenant, &asked)?.into_iter().collect();
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
    if ground.kind == Kind::Completions {
        let pairs: BTreeSet<(LearnerId, CourseId)> = read
            .iter()
            .filter_map(|(_, fields)| {
                let learner = lookup.learner(fields.learner.as_ref()?).ok()?;
                let course = lookup.course(fields.course.as_deref()?).ok()?;
                Some((learner, course.id))
            })
            .collect();
        let pairs: Vec<(LearnerId, CourseId)> = pairs.into_iter().collect();
        for row in completions::on_record(db, tenant, &pairs)? {
            let (learner, course) = (row.learner_id, row.course_id);
            lookup
                .instants
                .insert((learner, course, Instant(row.completed_at)));
            if let Some(reference) = row.source_ref.filter(|_| row.source == SOURCE) {
                lookup.references.insert((learner, course, reference));
            }
        }
    }
    Ok(lookup)
}

impl Lookup {
    /// The group that a row names.
    pub fn group(&self, text: &str) -> Result<&NamedGroup, Refused> {
        let key = if text.parse::<GroupId>().is_ok() {
            text.to_owned()
        } else {
            fold(text)
        };
        match self.groups.get(&key) {
            Some(group) => Ok(group),
            None => refused("not_found", format!("there is no group `{text}`")),
        }
    }

    /// The account that a row names. Errors: none, or several learners.
    pub fn account(&self, named: &Named) -> Result<&NamedAccount, Refused> {
        let key = match named {
            Named::Id(id) => Named::Id(*id),
            Named::ExternalId(text) => Named::ExternalId(text.clone()),
            Named::UserName(text) => Named::UserName(fold(text)),
            Named::Email(text) => Named::Email(email_key(text)),
        };
        let found = self.accounts.get(&key);
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

    /// The learner that a row names; one who has left only by their id.
    pub fn learner(&self, named: &Named) -> Result<LearnerId, Refused> {
        match named {
            Named::Id(id) if self.former.contains(id) => Ok(*id),
            _ => self.account(named).map(|account| account.learner_id),
        }
    }

    /// Whether a completion is on record: by the reference a file gives it, or at the very same instant.
    #[must_use]
    pub fn on_record(&self, report: &Report) -> bool {
        let (learner, course) = (report.learner, report.course);
        let reference = report.source_ref.clone().unwrap_or_default();
        self.references.contains(&(learner, course, reference))
            || self
                .instants
                .contains(&(learner, course, report.completed_at))
    }

    /// The course of a code.
    pub fn course(&self, code: &str) -> Result<&NamedCourse, Refused> {
        match self.courses.get(&fold(code)) {
            Some(course) => Ok(course),
            None => refused("not_found", format!("no course has the code `{code}`")),
        }
    }
}
