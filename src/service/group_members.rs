//! The members of a group as people write and read them: add, remove, make equal a list, as of an instant (S-05, S-13).
//!
//! Not here: what a directory writes (`members::apply_members`).

use std::collections::{BTreeMap, HashSet};

use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId};
use crate::learning::error::{Ineligible, LearningError};
use crate::learning::group;
use crate::learning::membership::{EndCause, Source};
use crate::scim::fold::fold;
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::placement::cut;
use crate::store::queries::groups_learning as rows;
use crate::store::queries::member_pages;
pub use crate::store::queries::member_pages::{MemberFilter, MemberRow};
use crate::store::queries::memberships::{self, Candidate, KnownUser, Label, Which};
use crate::store::statement::Bind;

use super::enroll::by;
use super::groups::{find, locked, require_plan, writer};
use super::imports::error::ImportError;
pub use super::members::MembersOutcome;
use super::{Scope, ServiceError, members};

/// How a request names a learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LearnerRef {
    Id(LearnerId),
    ExternalId(String),
    UserName(String),
    Email(String),
}

impl LearnerRef {
    fn names(&self, candidate: &Candidate) -> bool {
        match self {
            Self::Id(id) => candidate.user.learner_id == *id,
            Self::ExternalId(id) => candidate.external_id.as_deref() == Some(id),
            Self::UserName(name) => candidate.user_name_key == fold(name),
            // An address may be a user name and stand nowhere else.
            Self::Email(text) => {
                let key = cut(fold(text)).0;
                candidate.email_key.as_deref() == Some(&key) || candidate.user_name_key == key
            }
        }
    }

    /// As a refusal names it, where it can name several.
    fn shown(&self) -> String {
        match self {
            Self::Id(id) => format!("id `{id}`"),
            Self::ExternalId(id) => format!("external_id `{id}`"),
            Self::UserName(name) => format!("user_name `{name}`"),
            Self::Email(text) => format!("email `{text}`"),
        }
    }
}

/// What happens to the others when some of the learners cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IfIneligible {
    /// Nobody is added: 422 with one error per learner.
    #[default]
    Refuse,
    /// The others are added, the rest reported.
    Skip,
    /// They become pending members, as a directory's would.
    Pend,
}

/// What became of one reference of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddResult {
    pub learner: Option<LearnerId>,
    pub outcome: AddOutcome,
}

/// `added`, `no_op`, `pended` or `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddOutcome {
    Added,
    NoOp,
    Pended,
    /// Not added: the code says why.
    Refused(String),
}

/// Resolves references to accounts, all of one kind in one statement. Errors: a reference that names several learners.
fn resolve(
    db: &mut Db,
    scope: &Scope,
    refs: &[LearnerRef],
) -> Result<Vec<Option<KnownUser>>, ServiceError> {
    let mut asked: BTreeMap<Label, Vec<Bind>> = BTreeMap::new();
    for one in refs {
        let (label, value) = match one {
            LearnerRef::Id(id) => (Label::LearnerId, (*id).into()),
            LearnerRef::ExternalId(id) => (Label::ExternalId, id.as_str().into()),
            LearnerRef::UserName(name) => (Label::UserName, fold(name).into()),
            LearnerRef::Email(text) => {
                let key: Bind = cut(fold(text)).0.into();
                asked.entry(Label::UserName).or_default().push(key.clone());
                (Label::Email, key)
            }
        };
        asked.entry(label).or_default().push(value);
    }
    let mut found: Vec<Candidate> = Vec::new();
    for (label, values) in asked {
        found.extend(memberships::candidates(db, scope.tenant, label, values)?);
    }
    refs.iter()
        .map(|one| {
            let mut named = found.iter().filter(|candidate| one.names(candidate));
            let first = named.next();
            if let Some(first) = first
                && !matches!(one, LearnerRef::Id(_))
                && named.any(|other| other.user.learner_id != first.user.learner_id)
            {
                return Err(LearningError::AmbiguousReference {
                    reference: one.shown(),
                }
                .into());
            }
            Ok(first.map(|candidate| candidate.user.clone()))
        })
        .collect()
}

/// The learners behind references; an id stands for itself, also that of somebody who has left. Errors: a reference that
/// names nobody, or several.
pub fn named(
    db: &mut Db,
    scope: &Scope,
    refs: &[LearnerRef],
) -> Result<Vec<LearnerId>, ServiceError> {
    let found = resolve(db, scope, refs)?;
    refs.iter()
        .zip(found)
        .map(|(one, found)| match (one, found) {
            (LearnerRef::Id(id), _) => Ok(*id),
            (_, Some(user)) => Ok(user.learner_id),
            (_, None) => Err(ServiceError::not_found("Learner with", one.shown())),
        })
        .collect()
}

/// Adds learners to a group for a person (S-05, S-07, S-08). Errors: plan, lock, not eligible, ambiguous reference.
pub fn add_members(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    refs: &[LearnerRef],
    if_ineligible: IfIneligible,
    source: Source,
) -> Result<(Vec<AddResult>, MembersOutcome), ServiceError> {
    writable(db, scope, id)?;
    let people = resolve(db, scope, refs)?;
    let (adding, ineligible) = sift(db, scope, id, &people, if_ineligible)?;
    let outcome = members::add(db, scope, id, &adding, source)?;
    if outcome.added > 0 {
        rows::touch(db, scope.tenant, id, scope.now)?;
    }
    Ok((results(&people, &ineligible, &outcome), outcome))
}

/// Removes a learner from a group (S-13): ends the membership, whoever added it. Errors: plan, lock, not a member.
pub fn remove_member(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    learner: LearnerId,
) -> Result<(), ServiceError> {
    writable(db, scope, id)?;
    if end(db, scope, id, &[learner])? == 0 {
        return Err(ServiceError::not_found("Member", learner));
    }
    Ok(())
}

/// Whom to add, and who cannot be; who is in the group already is no question any more. Errors: somebody cannot, and that
/// stops everybody.
fn sift(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    people: &[Option<KnownUser>],
    if_ineligible: IfIneligible,
) -> Result<(Vec<KnownUser>, Vec<Ineligible>), ServiceError> {
    let doubtful: Vec<LearnerId> = people
        .iter()
        .flatten()
        .filter(|user| !user.facts().addable())
        .map(|user| user.learner_id)
        .collect();
    let present = memberships::present(db, scope.tenant, group, &doubtful)?;
    let mut ineligible = Vec::new();
    let mut adding: Vec<KnownUser> = Vec::new();
    for (index, person) in people.iter().enumerate() {
        match person {
            None => ineligible.push(Ineligible {
                index,
                learner: None,
                blocker: None,
            }),
            Some(user) => match user.facts().not_addable() {
                Some(blocker)
                    if if_ineligible != IfIneligible::Pend
                        && !present.contains(&user.learner_id) =>
                {
                    ineligible.push(Ineligible {
                        index,
                        learner: Some(user.learner_id),
                        blocker: Some(blocker),
                    });
                }
                _ => adding.push(user.clone()),
            },
        }
    }
    if !ineligible.is_empty() && if_ineligible != IfIneligible::Skip {
        return Err(LearningError::NotEligible(ineligible).into());
    }
    Ok((adding, ineligible))
}

/// What became of each reference.
fn results(
    people: &[Option<KnownUser>],
    ineligible: &[Ineligible],
    outcome: &MembersOutcome,
) -> Vec<AddResult> {
    let joined: HashSet<LearnerId> = outcome
        .joined
        .iter()
        .map(|joined| joined.learner_id)
        .collect();
    people
        .iter()
        .enumerate()
        .map(|(index, person)| {
            let refused = ineligible.iter().find(|one| one.index == index);
            let learner = person.as_ref().map(|user| user.learner_id);
            let outcome = match (refused, person) {
                (Some(one), _) => AddOutcome::Refused(
                    one.blocker
                        .as_ref()
                        .map_or("not_found", |blocker| blocker.code())
                        .to_owned(),
                ),
                (None, Some(user)) if joined.contains(&user.learner_id) => {
                    if user.facts().addable() {
                        AddOutcome::Added
                    } else {
                        AddOutcome::Pended
                    }
                }
                (None, _) => AddOutcome::NoOp,
            };
            AddResult { learner, outcome }
        })
        .collect()
}

/// What became of a reference whose learner was to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveOutcome {
    Removed,
    /// They were no member.
    NoOp,
    /// Nobody is named so.
    Unknown,
}

/// Removes several learners from a group (S-13). Errors: plan, lock, ambiguous reference.
pub fn remove_members(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    refs: &[LearnerRef],
) -> Result<Vec<(Option<LearnerId>, RemoveOutcome)>, ServiceError> {
    writable(db, scope, id)?;
    let people = resolve(db, scope, refs)?;
    let named: Vec<LearnerId> = people
        .iter()
        .flatten()
        .map(|user| user.learner_id)
        .collect();
    let present: HashSet<LearnerId> = memberships::present(db, scope.tenant, id, &named)?
        .into_iter()
        .collect();
    let leaving: Vec<LearnerId> = present.iter().copied().collect();
    end(db, scope, id, &leaving)?;
    let mut done = HashSet::new();
    let result = |person: &Option<KnownUser>| match person {
        None => (None, RemoveOutcome::Unknown),
        Some(user) if present.contains(&user.learner_id) && done.insert(user.learner_id) => {
            (Some(user.learner_id), RemoveOutcome::Removed)
        }
        Some(user) => (Some(user.learner_id), RemoveOutcome::NoOp),
    };
    Ok(people.iter().map(result).collect())
}

/// Locks a group whose members a person may write. Errors: plan, not found, lock.
fn writable(db: &mut Db, scope: &Scope, id: GroupId) -> Result<(), ServiceError> {
    require_plan(db, scope)?;
    let row = locked(db, scope, id, None)?;
    Ok(group::may_write_name_and_members(
        row.manager().as_ref(),
        writer(scope),
    )?)
}

/// Ends memberships; returns how many there were.
fn end(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    learners: &[LearnerId],
) -> Result<i64, ServiceError> {
    if learners.is_empty() {
        return Ok(0);
    }
    let which = Which::Learners(id, learners);
    let ended = memberships::end(db, scope.tenant, which, EndCause::MemberRemoved, &by(scope))?;
    members::tell(db, scope, id, &[], &ended)?;
    if ended.count > 0 {
        rows::touch(db, scope.tenant, id, scope.now)?;
    }
    Ok(ended.count)
}

/// How a whole membership is written.
#[derive(Clone, Copy, Debug)]
pub struct SetHow {
    pub if_ineligible: IfIneligible,
    /// How much of the membership may end without `confirmed`, in percent (A4).
    pub max_change_pct: i64,
    pub confirmed: bool,
}

/// Makes the membership of a group equal a list: who is not named leaves, whoever added them. Returns what became of each
/// reference and how many left. Errors: plan, lock, not eligible, ambiguous reference, more would end than is allowed.
pub fn set_members(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    refs: &[LearnerRef],
    how: SetHow,
) -> Result<(Vec<AddResult>, MembersOutcome), ServiceError> {
    writable(db, scope, id)?;
    let people = resolve(db, scope, refs)?;
    let (adding, ineligible) = sift(db, scope, id, &people, how.if_ineligible)?;
    // Who cannot be added stays if they are here.
    let named: HashSet<LearnerId> = people
        .iter()
        .flatten()
        .map(|user| user.learner_id)
        .collect();
    let live = memberships::live(db, scope.tenant, id)?;
    let leaving: Vec<LearnerId> = live
        .iter()
        .map(|row| row.learner_id)
        .filter(|learner| !named.contains(learner))
        .collect();
    let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (there, gone) = (of(live.len()), of(leaving.len()));
    let pct = (gone * 100 + there - 1) / there.max(1);
    if gone > 0 && pct > how.max_change_pct && !how.confirmed {
        return Err(ServiceError::Import(ImportError::Confirm {
            pct,
            most: how.max_change_pct,
        }));
    }
    let ended = end(db, scope, id, &leaving)?;
    let mut outcome = members::add(db, scope, id, &adding, Source::Rest)?;
    if outcome.added > 0 && ended == 0 {
        rows::touch(db, scope.tenant, id, scope.now)?;
    }
    outcome.ended = ended;
    Ok((results(&people, &ineligible, &outcome), outcome))
}

/// One page of a group's members by learner id.
pub fn members(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    filter: &MemberFilter,
    paging: &Paging,
) -> Result<Found<MemberRow>, ServiceError> {
    find(db, scope, id)?;
    Ok(member_pages::page(db, scope.tenant, id, filter, paging)?)
}

/// One page of who was a member at an instant, each in the state they were in then, by learner id.
pub fn members_as_of(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    filter: &MemberFilter,
    at: Instant,
    paging: &Paging,
) -> Result<Found<MemberRow>, ServiceError> {
    find(db, scope, id)?;
    Ok(member_pages::page_as_of(
        db,
        scope.tenant,
        id,
        filter,
        at,
        paging,
    )?)
}
