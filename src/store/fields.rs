//! How ids are stored: `uuid` in PostgreSQL, 16 bytes in SQLite. Instants are whole milliseconds, documents text, in both.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

/// The SQL type of every id.
#[derive(Debug, Clone, Copy, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct SqlId;

/// An id on its way in or out of a row.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = SqlId)]
pub struct Id(pub Uuid);

impl ToSql<SqlId, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<SqlId, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<SqlId, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<SqlId, Sqlite> for Id {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<diesel::sql_types::Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}

impl<DB: Backend> FromSql<diesel::sql_types::BigInt, DB> for crate::clock::Instant
where
    i64: FromSql<diesel::sql_types::BigInt, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<diesel::sql_types::BigInt, DB>>::from_sql(value).map(Self)
    }
}

macro_rules! stored_ids {
    ($($name:ident),* $(,)?) => {$(
        impl<DB: Backend> FromSql<SqlId, DB> for crate::ids::$name
        where
            Id: FromSql<SqlId, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                <Id as FromSql<SqlId, DB>>::from_sql(value).map(|id| Self(id.0))
            }
        }

        impl From<crate::ids::$name> for super::bind::Bind<'_> {
            fn from(id: crate::ids::$name) -> Self {
                Self::Id(Some(id.0))
            }
        }

        impl From<Option<crate::ids::$name>> for super::bind::Bind<'_> {
            fn from(id: Option<crate::ids::$name>) -> Self {
                Self::Id(id.map(|id| id.0))
            }
        }
    )*};
}

stored_ids!(
    LearnerId,
    UserId,
    GroupId,
    MembershipId,
    CourseId,
    AssignmentId,
    EnrollmentId,
    ReasonId,
    ClientSecretId,
    ConnectionId,
    RequestId,
    EventId,
    AdminId,
    CompletionId,
    ExceptionId,
    LinkId,
    SuggestionId,
    JobId,
    ResourceId,
);
