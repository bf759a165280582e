//! Credentials and rights as pure rules: access tokens, passwords, permissions.
//!
//! Not here: where tokens are recorded (`store::queries::tokens`), who may come in (`http::guard`), the clock.

pub mod client_secret;
pub mod mac;
pub mod password;
pub mod permission;
pub mod rate;
pub mod seal;
pub mod sealing;
pub mod token;
