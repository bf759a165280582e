//! Who is in a group: changes as a directory or a person sends them, written as a set (§2.4, §4.2, §4.7, §5).
//!
//! Operations apply in order and the final state wins; one `enroll` at the end, so add-then-remove in one request
//! enrolls nobody (§7.18). No statement per member, and no look at the members that a change does not name, unless it
//! replaces them all. The caller holds the group's lock and moves its version.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::ids::{GroupId, LearnerId, UserId};
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::learner::Facts;
use crate::learning::membership::{EndCause, Source};
use crate::scim::error::ScimError;
use crate::scim::filter::{CheckedFilter, eval};
use crate::scim::message::Note;
use crate::scim::patch::MembersChange;
use crate::scim::switches::UnknownMember;
use crate::scim::validate::MemberInput;
use crate::store::Db;
use crate::store::queries::memberships::{self, Added, Ended, KnownUser, Origin, Which};
use crate::store::queries::{connections, events, groups_learning, membership_views};

use super::enroll::{self, Effects, EnrollScope, by};
use super::{Actor, Scope, ServiceError};

/// How many notes of one kind a request leaves in the sync log.
const NOTES: usize = 100;

/// What a change of members did.
#[derive(Clone, Debug, Default)]
pub struct MembersOutcome {
    /// Memberships that began.
    pub added: i64,
    /// Memberships that ended.
    pub ended: i64,
    /// Ids that name no account; they were skipped.
    pub unknown: Vec<String>,
    /// Ids that name a group; groups are flat.
    pub nested: Vec<String>,
    /// Members who joined but are waiting for registration or approval.
    pub pending: Vec<UserId>,
    /// Everybody who joined.
    pub joined: Vec<Added>,
    pub effects: Effects,
    /// What the sync log warns about: unknown, nested and pending members; held or parked effects.
    pub notes: Vec<Note>,
}

/// Writes the changes a SCIM request makes to a group's members.
///
/// Unknown ids are skipped with a note; an operation that names only unknown ids, or any under `reject`, is 400
/// `invalidValue` and changes nothing (§5).
pub fn apply_members(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    changes: &[MembersChange],
) -> Result<MembersOutcome, ServiceError> {
    if changes.is_empty() {
        return Ok(MembersOutcome::default());
    }
    let whole = changes
        .iter()
        .any(|change| matches!(change, MembersChange::ReplaceAll(_)));
    let named: usize = changes.iter().map(named).sum();
    if named > enroll::NAMED_AT_MOST {
        db.notice_growth(&["users", "learners", "memberships"])?;
    }
    let live: HashMap<UserId, LearnerId> = if whole {
        memberships::live(db, scope.tenant, group)?
            .into_iter()
            .map(|row| (row.user_id, row.learner_id))
            .collect()
    } else {
        HashMap::new()
    };
    let people = People::find(db, scope, changes, &live)?;
    let mut outcome = MembersOutcome::default();
    let mut target = Target::default();
    for change in changes {
        match change {
            MembersChange::Add(members) => {
                for user in people.of(members, scope, &mut outcome)? {
                    target.add(user);
                }
            }
            MembersChange::ReplaceAll(members) => {
                let users = people.of(members, scope, &mut outcome)?;
                // Only groups were named: they are ignored, which must not empty the group.
                if users.is_empty() && !members.is_empty() {
                    continue;
                }
                target.empty();
                for user in users {
                    target.add(user);
                }
            }
            MembersChange::RemoveAll => target.empty(),
            MembersChange::Remove(ids) => {
                for id in ids {
                    if let Ok(user) = id.parse() {
                        target.remove(user);
                    }
                }
            }
            MembersChange::RemoveWhere(filter) => {
                for user in meant(db, scope, group, filter, &target)? {
                    target.remove(user);
                }
            }
        }
    }
    let origin = Origin {
        source: Source::Scim,
        connection: scope.connection.as_ref().map(|connection| connection.id),
    };
    write(
        db,
        scope,
        group,
        &target,
        whole.then_some(&live),
        &people,
        origin,
        &mut outcome,
    )?;
    outcome.take_notes(db, scope)?;
    Ok(outcome)
}

/// How many members a change names.
fn named(change: &MembersChange) -> usize {
    match change {
        MembersChange::Add(members) | MembersChange::ReplaceAll(members) => members.len(),
        MembersChange::Remove(ids) => ids.len(),
        MembersChange::RemoveAll | MembersChange::RemoveWhere(_) => 0,
    }
}

/// Whom a filter on the members means: of those who are in the group, and of those whom the request has put there.
fn meant(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    filter: &CheckedFilter,
    target: &Target,
) -> Result<Vec<UserId>, ServiceError> {
    let passes = |user: UserId, name: &str| {
        let element = json!({"value": user.to_string(), "display": name, "type": "User"});
        eval::element_matches(filter, &element)
    };
    let mut all = Vec::new();
    if !target.emptied {
        let (found, exact) = memberships::meant(db, scope.tenant, group, filter)?;
        let sure = found
            .into_iter()
            .filter(|one| exact || passes(one.user_id, &one.user_name));
        all.extend(sure.map(|one| one.user_id));
    }
    for chunk in target.adds.chunks(memberships::CHUNK) {
        let named = membership_views::names_of(db, scope.tenant, chunk)?;
        let sure = named
            .into_iter()
            .filter(|one| passes(one.user_id, &one.user_name));
        all.extend(sure.map(|one| one.user_id));
    }
    Ok(all)
}

/// Adds these accounts' learners for a person; who is a member already stays untouched. Eligibility is the caller's.
pub(super) fn add(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    users: &[KnownUser],
    source: Source,
) -> Result<MembersOutcome, ServiceError> {
    let mut target = Target::default();
    let mut people = People::default();
    for user in users {
        target.add(user.id);
        people
            .known
            .insert(user.id, (user.learner_id, Some(user.facts())));
    }
    let mut outcome = MembersOutcome::default();
    write(
        db,
        scope,
        group,
        &target,
        None,
        &people,
        Origin {
            source,
            connection: None,
        },
        &mut outcome,
    )?;
    outcome.take_notes(db, scope)?;
    Ok(outcome)
}

/// The source of a membership that this scope's actor writes.
#[must_use]
pub fn source(scope: &Scope) -> Source {
    match &scope.actor {
        Actor::Scim { .. } => Source::Scim,
        Actor::Api { .. } => Source::Rest,
        Actor::System(_) => Source::Import,
    }
}

/// The state the operations lead to.
#[derive(Debug, Default)]
struct Target {
    /// Nobody stays who is not in `adds`.
    emptied: bool,
    /// In the order of the request.
    adds: Vec<UserId>,
    added: HashSet<UserId>,
    removes: HashSet<UserId>,
}

impl Target {
    fn add(&mut self, user: UserId) {
        self.removes.remove(&user);
        if self.added.insert(user) {
            self.adds.push(user);
        }
    }

    fn remove(&mut self, user: UserId) {
        if self.added.remove(&user) {
            self.adds.retain(|other| *other != user);
        }
        if !self.emptied {
            self.removes.insert(user);
        }
    }

    fn empty(&mut self) {
        *self = Self {
            emptied: true,
            ..Self::default()
        };
    }
}

/// The accounts a request names, as far as they exist.
#[derive(Debug, Default)]
struct People {
    /// Facts are absent for who was a member before: nobody warns about them again.
    known: HashMap<UserId, (LearnerId, Option<Facts>)>,
    groups: HashSet<String>,
}

impl People {
    fn find(
        db: &mut Db,
        scope: &Scope,
        changes: &[MembersChange],
        live: &HashMap<UserId, LearnerId>,
    ) -> Result<Self, ServiceError> {
        let inputs = changes.iter().filter_map(|change| match change {
            MembersChange::Add(members) | MembersChange::ReplaceAll(members) => Some(members),
            MembersChange::Remove(_) | MembersChange::RemoveAll | MembersChange::RemoveWhere(_) => {
                None
            }
        });
        let mut asked = HashSet::new();
        let mut people = Self::default();
        let mut ask = Vec::new();
        for member in inputs.flatten() {
            let Ok(user) = member.id.parse::<UserId>() else {
                continue;
            };
            if let Some(learner) = live.get(&user) {
                people.known.insert(user, (*learner, None));
            } else if asked.insert(user) {
                ask.push(user);
            }
        }
        let found = memberships::known_users(db, scope.tenant, &ask)?;
        let strangers: Vec<GroupId> = ask
            .iter()
            .filter(|user| !found.contains_key(user))
            .map(|user| GroupId(user.0))
            .collect();
        if !strangers.is_empty() {
            people.groups = groups_learning::known(db, scope.tenant, &strangers)?
                .iter()
                .map(GroupId::to_string)
                .collect();
        }
        people.known.extend(
            found
                .into_iter()
                .map(|(id, user)| (id, (user.learner_id, Some(user.facts())))),
        );
        Ok(people)
    }

    /// The known ones of one operation. Errors: `invalidValue` when it names nobody we know, or anybody we do not under `reject`.
    fn of(
        &self,
        members: &[MemberInput],
        scope: &Scope,
        outcome: &mut MembersOutcome,
    ) -> Result<Vec<UserId>, ServiceError> {
        let mut known = Vec::with_capacity(members.len());
        let mut unknown = Vec::new();
        let mut nested = Vec::new();
        let mut contradicting = Vec::new();
        for member in members {
            match member.id.parse::<UserId>() {
                Ok(user) if member.is_group && self.known.contains_key(&user) => {
                    contradicting.push(member.id.clone());
                }
                _ if member.is_group || self.groups.contains(&member.id) => {
                    nested.push(member.id.clone())
                }
                Ok(user) if self.known.contains_key(&user) => known.push(user),
                _ => unknown.push(member.id.clone()),
            }
        }
        // G-06
        if !contradicting.is_empty() {
            return Err(refusal(
                "the `type` of a member contradicts its id, which is a user's",
                &contradicting,
            ));
        }
        let strict = scope.switches().unknown_scim_member == UnknownMember::Reject;
        if strict && !nested.is_empty() {
            return Err(refusal("groups cannot be members of groups", &nested));
        }
        if !unknown.is_empty() && (strict || known.is_empty()) {
            return Err(refusal("no user has the id", &unknown));
        }
        outcome.unknown.append(&mut unknown);
        outcome.nested.append(&mut nested);
        Ok(known)
    }

    fn learner(&self, user: UserId) -> Option<LearnerId> {
        self.known.get(&user).map(|(learner, _)| *learner)
    }
}

fn refusal(what: &str, ids: &[String]) -> ServiceError {
    let shown: Vec<String> = ids.iter().take(20).map(|id| format!("`{id}`")).collect();
    let more = if ids.len() > shown.len() {
        format!(" and {} more", ids.len() - shown.len())
    } else {
        String::new()
    };
    ScimError::invalid_value(format!("members: {what} {}{more}", shown.join(", "))).into()
}

/// Writes the difference between what is and the target, then enrolls once.
#[allow(
    clippy::too_many_arguments,
    reason = "the one place where memberships are written"
)]
fn write(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    target: &Target,
    live: Option<&HashMap<UserId, LearnerId>>,
    people: &People,
    origin: Origin,
    outcome: &mut MembersOutcome,
) -> Result<(), ServiceError> {
    let by = by(scope);
    let cause = EndCause::MemberRemoved;
    let mut adds = target.adds.clone();
    let ended;
    if !target.emptied {
        let removes: Vec<UserId> = target.removes.iter().copied().collect();
        let which = Which::Users(group, &removes);
        ended = memberships::end(db, scope.tenant, which, cause, &by)?;
    } else if target.adds.is_empty() {
        ended = memberships::end(db, scope.tenant, Which::Group(group), cause, &by)?;
    } else {
        // RemoveAll then Add reads the members here; a ReplaceAll has read them before.
        let read;
        let live = match live {
            Some(live) => live,
            None => {
                read = memberships::live(db, scope.tenant, group)?
                    .into_iter()
                    .map(|row| (row.user_id, row.learner_id))
                    .collect();
                &read
            }
        };
        let wanted: HashSet<LearnerId> = adds
            .iter()
            .filter_map(|user| people.learner(*user))
            .collect();
        let leaving: Vec<LearnerId> = live
            .values()
            .copied()
            .filter(|learner| !wanted.contains(learner))
            .collect();
        let present: HashSet<LearnerId> = live.values().copied().collect();
        adds.retain(|user| {
            people
                .learner(*user)
                .is_some_and(|learner| !present.contains(&learner))
        });
        let which = Which::Learners(group, &leaving);
        ended = memberships::end(db, scope.tenant, which, cause, &by)?;
    }
    outcome.ended = ended.count;
    outcome.joined = memberships::add(db, scope.tenant, group, &adds, origin, &by)?;
    outcome.added = i64::try_from(outcome.joined.len()).unwrap_or(i64::MAX);
    let joined: Vec<LearnerId> = outcome.joined.iter().map(|one| one.learner_id).collect();
    tell(db, scope, group, &joined, &ended)?;
    let waits = |added: &&Added| {
        people
            .known
            .get(&added.user_id)
            .and_then(|(_, facts)| *facts)
            .is_some_and(|facts| !facts.addable())
    };
    outcome.pending = outcome
        .joined
        .iter()
        .filter(waits)
        .map(|added| added.user_id)
        .collect();
    if !outcome.joined.is_empty() {
        let what = if outcome.joined.len() > enroll::NAMED_AT_MOST {
            EnrollScope::Group(group)
        } else {
            EnrollScope::Memberships(outcome.joined.iter().map(|added| added.id).collect())
        };
        outcome.effects = enroll::enroll(db, scope, &what)?;
    }
    Ok(())
}

/// How many of those who joined or left an event names; it counts all.
const NAMED: usize = 200;

/// Says in the audit trail who joined a group and who left it.
pub(super) fn tell(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    joined: &[LearnerId],
    ended: &Ended,
) -> Result<(), ServiceError> {
    if joined.is_empty() && ended.count == 0 {
        return Ok(());
    }
    let left: Vec<LearnerId> = ended.named.iter().map(|one| one.learner_id).collect();
    let event = Event {
        entity: Entity::Group,
        entity_id: group.0,
        event_type: EventType::MembersChanged,
        data: told(joined, &left, ended.count),
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

/// The data of an event about members.
pub(super) fn told(joined: &[LearnerId], left: &[LearnerId], ended: i64) -> serde_json::Value {
    let some = |all: &[LearnerId]| all.iter().take(NAMED).copied().collect::<Vec<_>>();
    json!({"joined": joined.len(), "left": ended, "who_joined": some(joined), "who_left": some(left)})
}

impl MembersOutcome {
    /// Turns what an admin should know into notes.
    fn take_notes(&mut self, db: &mut Db, scope: &Scope) -> Result<(), ServiceError> {
        let path = |id: &dyn std::fmt::Display| format!("members[value eq \"{id}\"]");
        let note = |code, id: &dyn std::fmt::Display| Note {
            code,
            path: path(id),
        };
        let of_all = |code| Note {
            code,
            path: "members".to_owned(),
        };
        let mut notes: Vec<Note> = Vec::new();
        notes.extend(
            self.unknown
                .iter()
                .take(NOTES)
                .map(|id| note("unknown_member", id)),
        );
        notes.extend(
            self.nested
                .iter()
                .take(NOTES)
                .map(|id| note("nested_group_ignored", id)),
        );
        notes.extend(
            self.pending
                .iter()
                .take(NOTES)
                .map(|id| note("member_pending_approval", id)),
        );
        if self.added > 0 && self.effects.reasons == 0 {
            // The brake may have put it on observation just now.
            let observing = match &scope.connection {
                Some(connection) => connections::find(db, scope.tenant, connection.id)?
                    .is_some_and(|row| row.mode != "live"),
                None => false,
            };
            if observing {
                notes.push(of_all("connection_observing"));
            }
            if !groups_learning::plan(db, scope.tenant)?.is_some_and(|plan| plan.includes_groups())
            {
                notes.push(of_all("parked_plan"));
            }
        }
        if self.effects.held {
            notes.push(of_all("effect_brake"));
        }
        // §7.8
        if self.effects.late {
            notes.push(of_all("due_date_in_past"));
        }
        self.notes = notes;
        Ok(())
    }
}
