//! Rows: the only importer of diesel. One text of queries for SQLite and PostgreSQL.
//!
//! `queries/` holds every statement, written once against [`Db`] and [`Stmt`](statement::Stmt); what the databases
//! spell differently is [`db::Dialect`]. Not here: any decision about the protocol or the domain.

pub mod db;
pub mod error;
mod fields;
mod postgres;
pub mod queries;
mod sqlite;
pub mod statement;

pub use db::Db;
pub use error::{StoreError, TransactionError};
pub use fields::SqlId;
