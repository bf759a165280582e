//! Known deviations of clients: which switches a kind of client gets, and what is rewritten before the engine reads it.
//!
//! A tolerance that cannot change the meaning of a valid request is a switch of the engine and not here; a rewrite
//! exists only where the RFC's reading loses what the client meant. Each is one function that says who sends it and
//! since when we know, and tells whether it fired; the sync log shows its code.
//!
//! There is one. Bodies of POST and PUT need none: old and misspelled URNs and OneLogin's `managerId` are known to
//! [`super::validate`]. Okta needs none: what it sends (an `id` in a group's path-less value, a password, `""`,
//! members without a type) is covered by the engine's rules.
//! Not here: authentication, status codes.

mod entra;
mod guess;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Note;
use super::switches::Switches;

pub use guess::guess;

/// The kind of client a connection was set up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    Okta,
    Entra,
    #[default]
    Generic,
}

impl Client {
    /// Every kind, in the order the console offers them.
    pub const ALL: [Self; 3] = [Self::Okta, Self::Entra, Self::Generic];

    /// Reads what [`Client::name`] wrote; `None` for any other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.name() == name)
    }

    /// `okta`, `entra`, `generic`: as stored and as written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Generic => "generic",
        }
    }

    /// The switches a new connection of this kind starts with.
    #[must_use]
    pub fn switches(self) -> Switches {
        // PA-37: Entra repeats a refused `replace` in every cycle until the job is quarantined.
        Switches {
            replace_creates: self == Self::Entra,
            ..Switches::default()
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Rewrites the body of a PATCH; a note for each rewrite that fired.
pub fn rewrite_patch(client: Client, body: &mut Value) -> Vec<Note> {
    let mut notes = Vec::new();
    if client == Client::Entra && entra::misspelled_enterprise_urn(body) {
        notes.push(Note {
            code: "legacy_schema",
            path: entra::MISSPELLED.to_owned(),
        });
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entra_creates_through_replace() {
        for client in Client::ALL {
            assert_eq!(client.switches().replace_creates, client == Client::Entra);
            assert_eq!(Client::parse(client.name()), Some(client));
        }
        assert_eq!(Client::parse("Okta"), None);
    }

    #[test]
    fn what_is_no_object_passes_untouched() {
        for client in Client::ALL {
            for body in [
                Value::Null,
                Value::Bool(true),
                serde_json::json!([1]),
                serde_json::json!({"Operations": 5}),
            ] {
                let mut copy = body.clone();
                assert!(rewrite_patch(client, &mut copy).is_empty());
                assert_eq!(copy, body);
            }
        }
    }
}
