//! `/completions`: who completed what, append-only (`learning-domain.md` §2.8).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::enrollments::{AgeSort, BecauseOf};
use super::members::{LearnerRef, one_learner};
use super::need;
use super::page::{Page, PageQuery};
use super::problem::Failure;
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{CompletionId, CourseId, LearnerId};
use crate::learning::completion::{CompletionSource, hundredths};
use crate::service::ServiceError;
use crate::service::completions::{self, CompletionRow, Recorded, Report};
use crate::service::enrollments::PairFilter;
use crate::service::group_members;
use crate::service::listing::Place;

/// A completion of a course.
#[derive(Debug, Serialize, ToSchema)]
pub struct Completion {
    pub id: CompletionId,
    pub learner_id: LearnerId,
    pub learner_name: String,
    /// The learner's account has ended; the record stays.
    pub former: bool,
    pub course_id: CourseId,
    pub course_title: String,
    /// The cycle it closed; null for a voluntary retake.
    pub cycle: Option<i64>,
    pub completed_at: Instant,
    /// `player`, `admin`, `import`, `xapi` or `connector:NAME`.
    pub source: String,
    pub source_ref: Option<String>,
    pub score: Option<f64>,
    pub evidence_ref: Option<String>,
    pub recorded_at: Instant,
    pub recorded_by: String,
    pub voided_at: Option<Instant>,
    pub voided_by: Option<String>,
    pub void_reason: Option<String>,
}

#[allow(
    clippy::cast_precision_loss,
    reason = "hundredths of a score are small"
)]
fn score(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}

impl From<&CompletionRow> for Completion {
    fn from(row: &CompletionRow) -> Self {
        Self {
            id: row.id,
            learner_id: row.learner_id,
            learner_name: row.learner_name.clone(),
            former: row.former,
            course_id: row.course_id,
            course_title: row.course_title.clone(),
            cycle: row.cycle_n,
            completed_at: Instant(row.completed_at),
            source: row.source.clone(),
            source_ref: row.source_ref.clone(),
            score: row.score.map(score),
            evidence_ref: row.evidence_ref.clone(),
            recorded_at: Instant(row.recorded_at),
            recorded_by: row.recorded_by.clone(),
            voided_at: row.voided_at.map(Instant),
            voided_by: row.voided_by.clone(),
            void_reason: row.void_reason.clone(),
        }
    }
}

/// What narrows a list of completions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListCompletions {
    #[param(inline)]
    pub learner_id: Option<LearnerId>,
    #[param(inline)]
    pub course_id: Option<CourseId>,
    /// Recorded or voided at this instant or later.
    #[param(inline)]
    pub updated_since: Option<Instant>,
    /// By `created_at` unless told: when they were recorded.
    #[param(inline)]
    pub sort: Option<AgeSort>,
}

/// List completions, voided ones and those of former learners included.
#[utoipa::path(get, path = "/completions", tag = "Completions", params(ListCompletions, PageQuery), security(("token" = ["completions:read"])),
    responses((status = 200, description = "A page of completions.", body = Page<Completion>)))]
pub async fn list(call: Call<need::CompletionsRead>) -> Answer {
    let (asked, page): (ListCompletions, _) = call.listed()?;
    let (order, down) = AgeSort::of(asked.sort);
    let list = call.list(page, order)?;
    let filter = PairFilter {
        learner: asked.learner_id,
        course: asked.course_id,
    };
    let (paging, since) = (list.paging.clone(), asked.updated_since);
    let found = call
        .read(move |db, scope| completions::list(db, scope, filter, since, down, &paging))
        .await?;
    let place = |row: &CompletionRow| Place::id(row.id.0);
    Ok(call.page(found, &list, place, |row| Completion::from(row)))
}

/// Read a completion.
#[utoipa::path(get, path = "/completions/{id}", tag = "Completions", params(("id" = CompletionId, Path)),
    security(("token" = ["completions:read"])),
    responses((status = 200, description = "The completion.", body = Completion)))]
pub async fn get(call: Call<need::CompletionsRead>) -> Answer {
    let id: CompletionId = call.id("Completion", "id")?;
    let row = call
        .read(move |db, scope| completions::find(db, scope, id))
        .await?;
    Ok(call.shown(None, &Completion::from(&row)))
}

/// A completion to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCompletion {
    #[serde(default)]
    #[schema(nullable = false)]
    pub learner_id: Option<LearnerId>,
    /// Instead of `learner_id`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub learner: Option<LearnerRef>,
    pub course_id: CourseId,
    /// Now unless told.
    #[serde(default)]
    pub completed_at: Option<Instant>,
    /// `admin` unless told; `player`, `import`, `xapi` or `connector:NAME`.
    #[serde(default)]
    pub source: Option<String>,
    /// The source's own name for it: the same twice counts once.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub source_ref: Option<String>,
    /// 0 to 100, two decimals.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100)]
    pub score: Option<f64>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub evidence_ref: Option<String>,
}

/// Completions to record, all or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"completions": [{"learner_id": "0199a2b9-0000-7000-8000-000000000001", "course_id": "0199a2aa-0000-7000-8000-000000000001", "completed_at": "2026-02-20T14:00:00Z", "source": "player", "source_ref": "attempt-1", "score": 87.5}]}))]
pub struct NewCompletions {
    #[schema(min_items = 1, max_items = 1000)]
    pub completions: Vec<NewCompletion>,
}

/// What became of one completion.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordResult {
    /// `recorded`, or `no_op` when its source had reported it before.
    pub outcome: String,
    pub id: Option<CompletionId>,
}

/// What became of the completions, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordResults {
    pub results: Vec<RecordResult>,
}

type Told = (group_members::LearnerRef, Report, Option<Instant>);

impl NewCompletion {
    /// Who is named, and what is told of them; learner and time are still to be filled in.
    fn report(self, position: usize) -> Result<Told, Failure> {
        let who = one_learner(
            self.learner_id,
            self.learner,
            &format!("/completions/{position}"),
        )?;
        let source = self.source.as_deref().unwrap_or("admin");
        let source = CompletionSource::parse(source).map_err(ServiceError::from)?;
        let score = match self.score.map(hundredths) {
            None => None,
            Some(Some(score)) => Some(score),
            Some(None) => {
                return Err(Failure::field(
                    format!("/completions/{position}/score"),
                    "a score is 0 to 100",
                ));
            }
        };
        Ok((
            who,
            Report {
                learner: LearnerId(uuid::Uuid::nil()),
                course: self.course_id,
                completed_at: Instant(0),
                source,
                source_ref: self.source_ref,
                score,
                evidence_ref: self.evidence_ref,
            },
            self.completed_at,
        ))
    }
}

/// Record completions. Each closes the learner's open cycle and freezes what that meant to every obligation.
#[utoipa::path(post, path = "/completions", tag = "Completions", request_body = NewCompletions, security(("token" = ["completions:write"])),
    responses((status = 200, description = "What became of each.", body = RecordResults),
        (status = 404, description = "A learner or a course is unknown; nothing was recorded."),
        (status = 409, description = "`ambiguous_reference`; nothing was recorded."),
        (status = 422, description = "`validation_failed`; nothing was recorded.")))]
pub async fn record(call: Call<need::CompletionsWrite>, body: Body) -> Answer {
    let new: NewCompletions = body.read()?;
    let mut reports = Vec::with_capacity(new.completions.len());
    for (position, one) in new.completions.into_iter().enumerate() {
        reports.push(one.report(position)?);
    }
    call.change("record completions", move |db, scope| {
        let who: Vec<_> = reports.iter().map(|(who, ..)| who.clone()).collect();
        let learners = group_members::named(db, scope, &who)?;
        let reports: Vec<Report> = reports
            .iter()
            .zip(learners)
            .map(|((_, report, at), learner)| Report {
                learner,
                completed_at: at.unwrap_or(scope.now),
                ..report.clone()
            })
            .collect();
        completions::require(db, scope, &reports)?;
        let results = completions::record(db, scope, &reports)?;
        let shown = results.iter().map(|one| match one {
            Recorded::Now(id) => RecordResult {
                outcome: "recorded".to_owned(),
                id: Some(*id),
            },
            Recorded::Before => RecordResult {
                outcome: "no_op".to_owned(),
                id: None,
            },
        });
        Reply::ok(&RecordResults {
            results: shown.collect(),
        })
    })
    .await
}

/// Void a completion that is wrong. It stays on record; add the right one.
#[utoipa::path(post, path = "/completions/{id}/void", tag = "Completions", params(("id" = CompletionId, Path)),
    request_body = BecauseOf, security(("token" = ["completions:write"])),
    responses((status = 200, description = "The completion.", body = Completion)))]
pub async fn void(call: Call<need::CompletionsWrite>, body: Body) -> Answer {
    let id: CompletionId = call.id("Completion", "id")?;
    let because: BecauseOf = body.read()?;
    call.change("void completion", move |db, scope| {
        Reply::ok(&Completion::from(&completions::void(
            db,
            scope,
            id,
            &because.reason,
        )?))
    })
    .await
}
