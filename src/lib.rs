//! Rollcall: a SCIM 2.0 service provider whose groups enroll their members in courses.
//!
//! The map, from the ground up; a module imports only what stands below it (`tests/it/layers.rs` checks):
//!
//! * [`ids`], [`clock`], [`config`]: identifiers, time and configuration.
//! * [`scim`], [`learning`], [`auth`], [`csv`]: the pure rules of the protocol, the domain, credentials and files.
//! * [`store`]: rows; the only importer of diesel. SQLite and PostgreSQL behind one [`store::Db`].
//! * [`service`]: use cases, one function and one transaction each.
//! * [`http`], [`worker`]: bytes and ticks become use cases. Every route stands in `http/routes.rs`.
//! * [`app`], [`cli`], [`demo`]: composition and the command line.
//!
//! To follow a request, start at [`http::routes`]; to follow an enrollment, start at [`service::enroll`].

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod csv;
pub mod demo;
pub mod http;
pub mod ids;
pub mod learning;
pub mod scim;
pub mod service;
pub mod store;
pub mod worker;
