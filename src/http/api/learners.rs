//! `/learners`: people, their approval, their accounts and groups.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::input::present;
use super::need;
use super::page::{Page, PageQuery, sorts};
use super::problem::Failure;
use super::reply::Reply;
use crate::clock::Instant;
use crate::csv::row::{Person, is_email};
use crate::ids::{GroupId, LearnerId, UserId};
use crate::learning::learner::{Approval, Registration};
use crate::learning::membership::State;
use crate::service::learners::{self, LearnerFilter, LearnerOrder, LearnerRow, LearnerView};
use crate::service::listing::Place;
use crate::service::people;

/// A person who learns.
#[derive(Debug, Serialize, ToSchema)]
pub struct Learner {
    pub id: LearnerId,
    pub name: String,
    pub email: Option<String>,
    pub registration: Registration,
    pub approval: Approval,
    pub active: bool,
    pub suspended: bool,
    pub deleted_at: Option<Instant>,
    pub registered_via: String,
    /// Who has their accounts: an administrator said that the two are one person.
    pub linked_to: Option<LearnerId>,
    /// When they were erased on request.
    pub anonymized_at: Option<Instant>,
    /// Why they must not be erased.
    pub legal_hold: Option<String>,
    pub approved_by: Option<String>,
    pub approved_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Enrollments that an approval made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollments_created: Option<i64>,
    /// Whose accounts they have, too, when one learner is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked: Option<Vec<LearnerLink>>,
    /// Their accounts in the directory, when one learner is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<Account>>,
    /// Their groups, when one learner is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<LearnerGroup>>,
}

/// A learner whose accounts were given to this one.
#[derive(Debug, Serialize, ToSchema)]
pub struct LearnerLink {
    pub learner_id: LearnerId,
    pub since: Instant,
    pub by: String,
    pub reason: String,
}

/// A learner's account in the directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    pub id: UserId,
    pub user_name: String,
    pub external_id: Option<String>,
    pub active: Option<bool>,
    pub ended_at: Option<Instant>,
}

/// A learner's membership of a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct LearnerGroup {
    pub id: GroupId,
    pub name: String,
    pub state: State,
    pub since: Instant,
}

impl From<&LearnerRow> for Learner {
    fn from(row: &LearnerRow) -> Self {
        let facts = row.facts();
        Self {
            id: row.id,
            name: row.display_name.clone(),
            email: row.email.clone(),
            registration: facts.registration,
            approval: facts.approval,
            active: facts.active,
            suspended: facts.suspended,
            deleted_at: row.deleted_at.map(Instant),
            registered_via: row.registered_via.clone(),
            linked_to: row.linked_to,
            anonymized_at: row.anonymized_at.map(Instant),
            legal_hold: row.legal_hold.clone(),
            approved_by: row.approved_by.clone(),
            approved_at: row.approved_at.map(Instant),
            version: row.version,
            created_at: Instant(row.created_at),
            updated_at: Instant(row.modified_at),
            enrollments_created: None,
            linked: None,
            accounts: None,
            groups: None,
        }
    }
}

impl From<&LearnerView> for Learner {
    fn from(view: &LearnerView) -> Self {
        let accounts = view.accounts.iter().map(|account| Account {
            id: account.id,
            user_name: account.user_name.clone(),
            external_id: account.external_id.clone(),
            active: account.active,
            ended_at: account.deleted_at.map(Instant),
        });
        let groups = view.memberships.iter().map(|row| LearnerGroup {
            id: row.group_id,
            name: row.group_name.clone(),
            state: row.state(),
            since: row.since(),
        });
        let linked = view.links.iter().map(|link| LearnerLink {
            learner_id: link.linked_id,
            since: Instant(link.linked_at),
            by: link.linked_by.clone(),
            reason: link.why.clone(),
        });
        Self {
            linked: Some(linked.collect()),
            accounts: Some(accounts.collect()),
            groups: Some(groups.collect()),
            ..Self::from(&view.row)
        }
    }
}

/// Deleted learners are shown only when they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    Include,
}

/// What narrows a list of learners.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListLearners {
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub approval: Option<Vec<Approval>>,
    pub active: Option<bool>,
    #[param(inline)]
    pub deleted: Option<Deleted>,
    /// Part of the name, as it is written.
    pub q: Option<String>,
    /// Changed at this instant or later.
    #[param(inline)]
    pub updated_since: Option<Instant>,
    /// By `created_at` unless told; by `updated_at` with `updated_since`.
    #[param(inline)]
    pub sort: Option<LearnerSort>,
}

sorts!(
    /// What a list of learners is ordered by.
    LearnerSort: LearnerOrder {
        CreatedAt CreatedAtDown = "created_at" "-created_at" LearnerOrder::Created,
        UpdatedAt UpdatedAtDown = "updated_at" "-updated_at" LearnerOrder::Updated,
    }
);

/// List learners.
#[utoipa::path(get, path = "/learners", tag = "Learners", params(ListLearners, PageQuery), security(("token" = ["learners:read"])),
    responses((status = 200, description = "A page of learners.", body = Page<Learner>)))]
pub async fn list(call: Call<need::LearnersRead>) -> Answer {
    let (asked, page): (ListLearners, _) = call.listed()?;
    let sort = asked.sort.unwrap_or(match asked.updated_since {
        Some(_) => LearnerSort::UpdatedAt,
        None => LearnerSort::CreatedAt,
    });
    let list = call.list(page, sort.name())?;
    let filter = LearnerFilter {
        approvals: asked.approval.unwrap_or_default(),
        active: asked.active,
        include_deleted: asked.deleted.is_some(),
        name_part: asked.q,
        updated_since: asked.updated_since,
    };
    let (paging, order) = (list.paging.clone(), sort.order());
    let found = call
        .read(move |db, scope| learners::list(db, scope, &filter, order, &paging))
        .await?;
    let place = |row: &LearnerRow| match order.0 {
        LearnerOrder::Created => Place::id(row.id.0),
        LearnerOrder::Updated => Place::of(row.modified_at, row.id.0),
    };
    Ok(call.page(found, &list, place, |row| Learner::from(row)))
}

/// Read a learner with accounts and groups.
#[utoipa::path(get, path = "/learners/{id}", tag = "Learners", params(("id" = LearnerId, Path)), security(("token" = ["learners:read"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn get(call: Call<need::LearnersRead>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let view = call
        .read(move |db, scope| learners::view(db, scope, id))
        .await?;
    Ok(call.shown(Some(view.row.version), &Learner::from(&view)))
}

/// Approve a learner: every waiting membership takes effect.
#[utoipa::path(post, path = "/learners/{id}/approve", tag = "Learners", params(("id" = LearnerId, Path)),
    security(("token" = ["learners:approve"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn approve(call: Call<need::LearnersApprove>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    call.change("approve learner", move |db, scope| {
        let (row, effects) = learners::approve(db, scope, id)?;
        Reply::ok(&Learner {
            enrollments_created: Some(effects.enrollments),
            ..Learner::from(&row)
        })
    })
    .await
}

/// Take an approval back: memberships wait again, enrollments stay.
#[utoipa::path(post, path = "/learners/{id}/revoke", tag = "Learners", params(("id" = LearnerId, Path)),
    security(("token" = ["learners:approve"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn revoke(call: Call<need::LearnersApprove>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    call.change("revoke approval", move |db, scope| {
        Reply::ok(&Learner::from(&learners::revoke(db, scope, id)?))
    })
    .await
}

/// Note that a learner has registered: whatever waited for that takes effect.
#[utoipa::path(post, path = "/learners/{id}/register", tag = "Learners", params(("id" = LearnerId, Path)),
    security(("token" = ["learners:write"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn register(call: Call<need::LearnersWrite>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    call.change("register learner", move |db, scope| {
        let (row, effects) = learners::register(db, scope, id)?;
        Reply::ok(&Learner {
            enrollments_created: Some(effects.enrollments),
            ..Learner::from(&row)
        })
    })
    .await
}

/// Somebody to add.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "cleo@example.com", "given_name": "Cleo", "family_name": "Fox", "department": "Sales"}))]
pub struct NewLearner {
    /// The e-mail address unless told.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    pub user_name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, min_length = 3, max_length = 254)]
    pub email: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub external_id: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub given_name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub family_name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub display_name: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub title: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub department: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub employee_number: Option<String>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 500)]
    pub locale: Option<String>,
    /// They have an account they can use already; otherwise they are invited, and `register` says when they came.
    #[serde(default)]
    pub registered: bool,
}

impl NewLearner {
    fn person(self) -> Result<Person, Failure> {
        let blank =
            |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().is_empty());
        if let Some(email) = &self.email
            && !is_email(email)
        {
            return Err(Failure::field("/email", "`email` is no e-mail address"));
        }
        if blank(&self.user_name) {
            return Err(Failure::field("/user_name", "`user_name` is blank"));
        }
        let Some(user_name) = self.user_name.or_else(|| self.email.clone()) else {
            return Err(Failure::field("/user_name", "name `user_name` or `email`"));
        };
        Ok(Person {
            user_name,
            email: self.email,
            external_id: self.external_id,
            given_name: self.given_name,
            family_name: self.family_name,
            display_name: self.display_name,
            title: self.title,
            department: self.department,
            employee_number: self.employee_number,
            locale: self.locale,
            active: None,
        })
    }
}

/// Add somebody: invited unless `registered`. They get an account, so that a directory finds them; approved by the setting
/// `approval.invite`.
#[utoipa::path(post, path = "/learners", tag = "Learners", request_body = NewLearner, security(("token" = ["learners:write"])),
    responses((status = 201, description = "The learner.", body = Learner), (status = 409, description = "`already_taken`: the user name is."),
        (status = 422, description = "`validation_failed`")))]
pub async fn add(call: Call<need::LearnersWrite>, body: Body) -> Answer {
    let new: NewLearner = body.read()?;
    let registered = new.registered;
    let person = new.person()?;
    let registry = std::sync::Arc::clone(&call.state.registry);
    call.change("add learner", move |db, scope| {
        let row = people::add(db, scope, &registry, &person, registered)?;
        Reply::created(&format!("/learners/{}", row.id), None, &Learner::from(&row))
    })
    .await
}

/// Take a learner away: every account and membership ends; enrollments, completions and history stay. Also how an invitation is
/// canceled.
#[utoipa::path(delete, path = "/learners/{id}", tag = "Learners", params(("id" = LearnerId, Path)), security(("token" = ["learners:write"])),
    responses((status = 204, description = "The learner has left.")))]
pub async fn remove(call: Call<need::LearnersWrite>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    call.change("remove learner", move |db, scope| {
        people::remove(db, scope, id)?;
        Ok(Reply::none())
    })
    .await
}

/// What changes in a learner; names belong to their account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"suspended": true}))]
pub struct LearnerEdit {
    /// Out of everything, whatever the directory says.
    #[serde(default)]
    #[schema(nullable = false)]
    pub suspended: Option<bool>,
    /// Why the person must not be erased; null lifts it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    pub legal_hold: Option<Option<String>>,
}

/// Suspend a learner, or end that; put a legal hold on their data. The directory never lifts a suspension.
#[utoipa::path(patch, path = "/learners/{id}", tag = "Learners", params(("id" = LearnerId, Path)),
    request_body = LearnerEdit, security(("token" = ["learners:write"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn edit(call: Call<need::LearnersWrite>, body: Body) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let edit: LearnerEdit = body.read()?;
    call.change("edit learner", move |db, scope| {
        let mut created = 0;
        if let Some(suspended) = edit.suspended {
            created = learners::suspend(db, scope, id, suspended)?.1.enrollments;
        }
        let row = match &edit.legal_hold {
            Some(why) => learners::hold(db, scope, id, why.as_deref())?,
            None => learners::find(db, scope, id)?,
        };
        Reply::ok(&Learner {
            enrollments_created: Some(created),
            ..Learner::from(&row)
        })
    })
    .await
}

/// Reject a learner.
#[utoipa::path(post, path = "/learners/{id}/reject", tag = "Learners", params(("id" = LearnerId, Path)),
    security(("token" = ["learners:approve"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn reject(call: Call<need::LearnersApprove>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    call.change("reject learner", move |db, scope| {
        Reply::ok(&Learner::from(&learners::reject(db, scope, id)?))
    })
    .await
}
