//! What can go wrong in the store. A missing row is an `Option`, not an error.

use std::fmt;

/// An error of the store.
#[derive(Debug)]
pub enum StoreError {
    /// A unique key is taken. Which one follows from the statement that failed, never from the message.
    Conflict,
    /// The queue or pool is full, a lock was not had in time, or the database is not there: try again later.
    Busy(String),
    /// Serialization failure or deadlock: the whole transaction may be run again.
    Retry,
    /// Anything else: a bug or a broken database.
    Broken(diesel::result::Error),
    /// The database cannot be opened, migrated or is not what this binary knows.
    Unusable(String),
    /// The job of this name panicked; what it did was taken back.
    Panicked(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("a unique value is already taken"),
            Self::Busy(why) => write!(f, "the database is busy: {why}"),
            Self::Retry => f.write_str("the transaction met another one and must be run again"),
            Self::Broken(error) => write!(f, "the database refused a statement: {error}"),
            Self::Unusable(why) => write!(f, "the database cannot be used: {why}"),
            Self::Panicked(name) => write!(f, "`{name}` panicked"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What both databases say of trouble that passes or that an operator ends: the client is told to come back (C18–C20).
const PASSING: &[&str] = &[
    "database is locked",
    "lock timeout",
    "statement timeout",
    // the disk
    "disk is full",
    "disk I/O error",
    "No space left on device",
    "could not extend file",
    // read-only
    "readonly database",
    "read-only transaction",
    "during recovery",
    // PostgreSQL goes away or comes back
    "terminating connection",
    "server closed the connection",
    "connection to server",
    "no connection to the server",
    "the database system is",
    "too many clients",
    "remaining connection slots",
];

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match error {
            Error::DatabaseError(Kind::UniqueViolation, _) => Self::Conflict,
            Error::DatabaseError(Kind::SerializationFailure, _) => Self::Retry,
            Error::DatabaseError(Kind::ClosedConnection, info) => {
                Self::Busy(info.message().to_owned())
            }
            Error::DatabaseError(kind, info) => {
                let message = info.message();
                if message.contains("deadlock detected") {
                    Self::Retry
                } else if PASSING.iter().any(|part| message.contains(part)) {
                    Self::Busy(message.to_owned())
                } else {
                    Self::Broken(Error::DatabaseError(kind, info))
                }
            }
            other => Self::Broken(other),
        }
    }
}

/// The error of a transaction's closure: it can carry the store's, so that the store can tell what to run again.
pub trait TransactionError: From<StoreError> + Send + 'static {
    /// The store's error inside, if that is what it is.
    fn store_error(&self) -> Option<&StoreError>;
}

impl TransactionError for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}
