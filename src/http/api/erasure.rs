//! `/learners/{id}/erase`: a person is forgotten on request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Answer, Body, Call};
use super::learners::Learner;
use super::need;
use super::reply::Reply;
use crate::ids::{JobId, LearnerId};
use crate::service::erasure::{self, Erased};

/// Why, without a name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Request of March 3, ticket 1187"}))]
pub struct EraseLearner {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What was erased, and what was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasedLearner {
    pub learner: Learner,
    /// `no_op`: they had been erased already.
    pub outcome: &'static str,
    /// Accounts ended and emptied.
    pub accounts: i64,
    /// Texts about them that named them.
    pub texts: i64,
    /// What was kept, and why.
    pub kept: Vec<Kept>,
    /// The job that looks through the log, kept answers and imported files.
    pub job: Option<JobId>,
}

/// Something that an erasure leaves.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    /// `training_record`, `name`.
    pub what: &'static str,
    pub why: &'static str,
    /// The last day; null: for good.
    pub until: Option<chrono::NaiveDate>,
}

impl From<&Erased> for ErasedLearner {
    fn from(erased: &Erased) -> Self {
        let mut kept = vec![Kept {
            what: "training_record",
            why: "enrollments and completions stay under a pseudonym, so that figures of the past stay true",
            until: None,
        }];
        if let Some(until) = erased.name_kept_until {
            kept.push(Kept {
                what: "name",
                why: "the setting `retain_compliance_records_until` keeps the name of training records",
                until: Some(until),
            });
        }
        Self {
            learner: Learner::from(&erased.learner),
            outcome: if erased.changed { "erased" } else { "no_op" },
            accounts: erased.accounts,
            texts: erased.texts,
            kept,
            job: erased.job,
        }
    }
}

/// Erase a person: accounts end, personal data is emptied everywhere; enrollments and completions stay under a pseudonym. It
/// cannot be taken back.
#[utoipa::path(post, path = "/learners/{id}/erase", tag = "Learners", params(("id" = LearnerId, Path)), request_body = EraseLearner,
    security(("token" = ["settings:admin"])),
    responses((status = 200, description = "They had been erased.", body = ErasedLearner),
        (status = 202, description = "They are erased; a job looks through the log.", body = ErasedLearner),
        (status = 409, description = "`already_linked`, `legal_hold`")))]
pub async fn erase(call: Call<need::SettingsAdmin>, body: Body) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let erase: EraseLearner = body.read()?;
    // What was read a moment ago is on its way into the log.
    call.state.log.flush().await;
    call.change("erase learner", move |db, scope| {
        let erased = erasure::erase(db, scope, id, &erase.reason)?;
        let reply = Reply::ok(&ErasedLearner::from(&erased))?;
        Ok(match erased.job {
            Some(job) => Reply {
                status: 202,
                location: Some(format!("/api/v1/jobs/{job}")),
                ..reply
            },
            None => reply,
        })
    })
    .await
}
