//! `/learners`: people, their approval, their accounts and groups.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Call};
use super::need;
use super::page::{self, Page};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, UserId};
use crate::learning::learner::{Approval, Registration};
use crate::learning::membership::State;
use crate::service::learners::{self, LearnerFilter, LearnerRow, LearnerView};

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
    pub approved_by: Option<String>,
    pub approved_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Enrollments that an approval made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollments_created: Option<i64>,
    /// Their accounts in the directory, when one learner is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<Account>>,
    /// Their groups, when one learner is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<LearnerGroup>>,
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
            approved_by: row.approved_by.clone(),
            approved_at: row.approved_at.map(Instant),
            version: row.version,
            created_at: Instant(row.created_at),
            updated_at: Instant(row.modified_at),
            enrollments_created: None,
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
        Self {
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
    #[param(inline)]
    pub approval: Option<Approval>,
    pub active: Option<bool>,
    #[param(inline)]
    pub deleted: Option<Deleted>,
    /// Part of the name, in any letter case.
    pub q: Option<String>,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List learners.
#[utoipa::path(get, path = "/learners", tag = "Learners", params(ListLearners), security(("token" = ["learners:read"])),
    responses((status = 200, description = "A page of learners.", body = Page<Learner>)))]
pub async fn list(call: Call<need::LearnersRead>) -> Answer {
    let asked: ListLearners = call.query()?;
    let filter = LearnerFilter {
        approval: asked.approval,
        active: asked.active,
        include_deleted: asked.deleted.is_some(),
        name_part: asked.q,
    };
    let (limit, after) = (
        page::limit(asked.limit),
        call.after::<LearnerId>(asked.cursor.as_deref())?,
    );
    let rows = call
        .read(move |db, scope| learners::list(db, scope, &filter, after, limit + 1))
        .await?;
    Ok(call.page(
        rows,
        limit,
        |row| row.id.to_string(),
        |row| Learner::from(row),
    ))
}

/// Read a learner with accounts and groups.
#[utoipa::path(get, path = "/learners/{id}", tag = "Learners", params(("id" = LearnerId, Path)), security(("token" = ["learners:read"])),
    responses((status = 200, description = "The learner.", body = Learner)))]
pub async fn get(call: Call<need::LearnersRead>) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let view = call
        .read(move |db, scope| learners::view(db, scope, id))
        .await?;
    // Groups are no part of the learner's version, so the answer has no ETag.
    Ok(actix_web::HttpResponse::Ok().json(Learner::from(&view)))
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
