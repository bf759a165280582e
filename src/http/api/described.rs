//! How the domain's own words stand in the OpenAPI document: ids, instants and the enums with one spelling.

use std::borrow::Cow;

use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::auth::permission::TokenKind;
use crate::clock::Instant;
use crate::ids;
use crate::learning;

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn built(object: Object) -> RefOr<Schema> {
    RefOr::T(Schema::Object(object))
}

macro_rules! described_ids {
    ($($name:ident),* $(,)?) => {$(
        impl PartialSchema for ids::$name {
            fn schema() -> RefOr<Schema> {
                built(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build())
            }
        }

        impl ToSchema for ids::$name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

described_ids!(
    LearnerId,
    UserId,
    GroupId,
    MembershipId,
    CourseId,
    AssignmentId,
    EnrollmentId,
    ReasonId,
    ConnectionId,
    RequestId,
    EventId,
    AdminId,
    CompletionId,
    ExceptionId,
    LinkId,
    SuggestionId,
    JobId,
);

macro_rules! described_words {
    ($($path:path as $name:literal),* $(,)?) => {$(
        impl PartialSchema for $path {
            fn schema() -> RefOr<Schema> {
                built(text().enum_values(Some(<$path>::ALL.iter().map(|one| one.as_str()))).build())
            }
        }

        impl ToSchema for $path {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )*};
}

described_words!(
    learning::group::Origin as "GroupOrigin",
    learning::membership::Source as "MembershipSource",
    learning::membership::State as "MembershipState",
    learning::course::CourseStatus as "CourseStatus",
    learning::learner::Approval as "Approval",
    learning::learner::Registration as "Registration",
    learning::obligation::Status as "ObligationStatus",
    learning::plan::SubscriptionPlan as "SubscriptionPlan",
    crate::service::sync_log::Outcome as "SyncOutcome",
    crate::service::sync_log::Operation as "SyncOperation",
    crate::service::jobs::book::Kind as "JobKind",
    crate::service::suggestions::State as "SuggestionState",
    crate::csv::columns::Kind as "ImportKind",
    crate::csv::value::DateFormat as "DateFormat",
    crate::service::imports::spec::Mode as "ImportMode",
    crate::service::imports::spec::Phase as "ImportState",
    crate::service::imports::spec::Outcome as "RowOutcomeCode",
    crate::service::jobs::book::Shown as "JobState",
);

impl PartialSchema for TokenKind {
    fn schema() -> RefOr<Schema> {
        built(text().enum_values(Some(["scim", "api"])).build())
    }
}

impl ToSchema for TokenKind {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("TokenKind")
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        built(
            text()
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
                .build(),
        )
    }
}

impl ToSchema for Instant {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Instant")
    }
}
