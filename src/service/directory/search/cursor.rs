//! Cursors: where a walk stands, sealed for the client to bring back. RFC 9865; rows K-06 to K-09, K-15 to K-18.
//!
//! Stateless: a cursor is everything the next page needs. The seal binds it to tenant, token, endpoint, filter and order, so
//! that one brought by somebody else or for another query is as unreadable as a forged one.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::auth::seal;
use crate::clock::Instant;
use crate::scim::error::{ScimError, ScimErrorKind};
use crate::scim::filter::sort::SortKey;
use crate::scim::message::{CURSOR_TIMEOUT, SearchRequest};
use crate::store::Db;
use crate::store::queries::keys;
use crate::store::queries::search::{Gap, Position};

use super::super::super::scope::Actor;
use super::super::super::{Scope, ServiceError};

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cursor {
    /// Towards the start of the list.
    pub back: bool,
    /// All matches, counted when the walk began; `None` where they are counted again for each page.
    pub total: Option<i64>,
    /// One place for each kind of resource in the list.
    pub places: Vec<Gap>,
}

impl Cursor {
    /// The beginning of a list of so many kinds.
    pub fn start(kinds: usize) -> Self {
        Self {
            back: false,
            total: None,
            places: vec![Gap::Start; kinds],
        }
    }
}

/// A cursor as it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    at: i64,
    count: i64,
    back: bool,
    total: Option<i64>,
    places: Vec<Place>,
}

#[derive(Serialize, Deserialize)]
enum Place {
    S,
    B(Key, uuid::Uuid),
    A(Key, uuid::Uuid),
    E,
}

#[derive(Serialize, Deserialize)]
enum Key {
    B(bool),
    I(i64),
    /// The bits of a decimal: text would round it.
    D(u64),
    T(i64),
    S(String),
    M,
}

/// What seals and opens the cursors of one query.
pub(super) struct Seal {
    context: Vec<u8>,
    /// The secret that seals first, then all that open.
    secrets: Vec<Zeroizing<String>>,
    now: Instant,
}

impl Seal {
    /// The seal of a query at an endpoint.
    pub fn of(
        db: &mut Db,
        scope: &Scope,
        endpoint: &str,
        request: &SearchRequest,
    ) -> Result<Self, ServiceError> {
        let sealing = keys::active(db)?;
        let mut secrets: Vec<_> = sealing.into_iter().map(|row| row.secret).collect();
        for stored in keys::all(db)? {
            // what a lost key has sealed is a cursor no more
            secrets.extend(stored.open(db).map(|row| row.secret));
        }
        Ok(Self {
            context: context(scope, endpoint, request),
            secrets,
            now: scope.now,
        })
    }

    /// A cursor of a walk with pages of `count`, as text.
    pub fn close(&self, cursor: Cursor, count: i64) -> Result<String, ServiceError> {
        let written = Written {
            at: self.now.0,
            count,
            back: cursor.back,
            total: cursor.total,
            places: cursor.places.into_iter().map(Place::of).collect(),
        };
        let plain = serde_json::to_vec(&written).map_err(|error| {
            ServiceError::Bug(anyhow::Error::new(error).context("writing a cursor"))
        })?;
        let secret = self
            .secrets
            .first()
            .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("there is no signing key")))?;
        Ok(seal::seal(secret, &self.context, &plain)?)
    }

    /// Reads a cursor that was brought back, and the size of its pages. Errors: `invalidCursor` for anything that is not
    /// a cursor of this query, `expiredCursor`, `invalidCount` for another size.
    pub fn open(
        &self,
        text: &str,
        request: &SearchRequest,
        kinds: usize,
    ) -> Result<(Cursor, i64), ScimError> {
        let secrets = self.secrets.iter().map(|secret| secret.as_str());
        let written = seal::open(secrets, &self.context, text)
            .and_then(|plain| serde_json::from_slice::<Written>(&plain).ok())
            .filter(|written| written.places.len() == kinds)
            .ok_or_else(|| {
                ScimError::new(
                    ScimErrorKind::InvalidCursor,
                    "the cursor is none of this query; repeat the query that gave it, or begin again with an empty cursor",
                )
            })?;
        if self.now.0.saturating_sub(written.at) > CURSOR_TIMEOUT * 1000 {
            return Err(ScimError::new(
                ScimErrorKind::ExpiredCursor,
                format!(
                    "a cursor holds for {CURSOR_TIMEOUT} seconds; begin again with an empty cursor"
                ),
            ));
        }
        if request.count_is_given && request.count != written.count {
            return Err(ScimError::new(
                ScimErrorKind::InvalidCount,
                format!(
                    "the walk has pages of {}; count cannot change on the way",
                    written.count
                ),
            ));
        }
        let cursor = Cursor {
            back: written.back,
            total: written.total,
            places: written.places.into_iter().map(Place::gap).collect(),
        };
        Ok((cursor, written.count))
    }
}

/// Who asks what where, as a digest (K-08, K-15, MT-07).
fn context(scope: &Scope, endpoint: &str, request: &SearchRequest) -> Vec<u8> {
    let who = match &scope.actor {
        Actor::Scim { jti, .. } | Actor::Api { jti, .. } => &**jti,
        Actor::System(name) => name,
    };
    let order = request.sort_by.as_ref().map(|by| {
        let descending = request
            .sort_order
            .as_ref()
            .is_some_and(|order| order.eq_ignore_ascii_case("descending"));
        (by.to_lowercase(), descending)
    });
    // K-16: who may read more or less than when the walk began, begins again
    let readable = scope.rights().map(|rights| &rights.readable);
    let asked = serde_json::json!([
        scope.tenant.0,
        who,
        endpoint,
        request.filter,
        order,
        readable
    ]);
    Sha256::digest(asked.to_string()).to_vec()
}

impl Place {
    fn of(gap: Gap) -> Self {
        match gap {
            Gap::Start => Self::S,
            Gap::Before(place) => Self::B(Key::of(place.key), place.id),
            Gap::After(place) => Self::A(Key::of(place.key), place.id),
            Gap::End => Self::E,
        }
    }

    fn gap(self) -> Gap {
        let at = |key: Key, id| Position { key: key.key(), id };
        match self {
            Self::S => Gap::Start,
            Self::B(key, id) => Gap::Before(at(key, id)),
            Self::A(key, id) => Gap::After(at(key, id)),
            Self::E => Gap::End,
        }
    }
}

impl Key {
    fn of(key: SortKey) -> Self {
        match key {
            SortKey::Bool(value) => Self::B(value),
            SortKey::Integer(value) => Self::I(value),
            SortKey::Decimal(value) => Self::D(value.to_bits()),
            SortKey::Instant(Instant(at)) => Self::T(at),
            SortKey::Text(text) => Self::S(text),
            SortKey::Missing => Self::M,
        }
    }

    fn key(self) -> SortKey {
        match self {
            Self::B(value) => SortKey::Bool(value),
            Self::I(value) => SortKey::Integer(value),
            Self::D(bits) => SortKey::Decimal(f64::from_bits(bits)),
            Self::T(at) => SortKey::Instant(Instant(at)),
            Self::S(text) => SortKey::Text(text),
            Self::M => SortKey::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::permission::Permissions;
    use crate::ids::{RequestId, TenantId};

    fn scope(tenant: i64, jti: &str, now: i64) -> Scope {
        Scope {
            tenant: TenantId(tenant),
            actor: Actor::Scim {
                jti: jti.into(),
                label: "label".into(),
            },
            permissions: Permissions::all(),
            request: RequestId::new(),
            now: Instant(now),
            connection: None,
        }
    }

    fn seal(scope: &Scope, endpoint: &str, query: &str) -> (Seal, SearchRequest) {
        let request = SearchRequest::from_query(query).expect("a query");
        let seal = Seal {
            context: context(scope, endpoint, &request),
            secrets: vec!["secret".to_owned().into()],
            now: scope.now,
        };
        (seal, request)
    }

    fn everywhere() -> Cursor {
        let position = |key| Position {
            key,
            id: uuid::Uuid::from_u128(7),
        };
        Cursor {
            back: true,
            total: Some(12),
            places: vec![
                Gap::Start,
                Gap::Before(position(SortKey::Text("a\u{1F600}\0\"".to_owned()))),
                Gap::After(position(SortKey::Decimal(0.1 + 0.2))),
                Gap::After(position(SortKey::Instant(Instant(-5)))),
                Gap::Before(position(SortKey::Missing)),
                Gap::After(position(SortKey::Bool(true))),
                Gap::After(position(SortKey::Integer(i64::MIN))),
                Gap::End,
            ],
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let (seal, request) = seal(&scope(1, "a", 0), "/Users", "cursor&count=3");
        let text = seal.close(everywhere(), 3).expect("it closes");
        assert_eq!(seal.open(&text, &request, 8), Ok((everywhere(), 3)));
    }

    /// K-08, K-15, K-17: one answer for everything that is not this query's own cursor.
    #[test]
    fn another_tenant_token_endpoint_filter_or_order_makes_a_cursor_invalid() {
        let query = "cursor&count=3&filter=a&sortBy=title";
        let mine = scope(1, "a", 0);
        let text = seal(&mine, "/Users", query)
            .0
            .close(everywhere(), 3)
            .expect("it closes");
        let opened = |scope: &Scope, endpoint, query| {
            let (seal, request) = seal(scope, endpoint, query);
            seal.open(&text, &request, 8)
                .map(|(_, count)| count)
                .map_err(|error| (error.kind, error.detail))
        };
        assert_eq!(opened(&mine, "/Users", query), Ok(3));
        let same = "cursor&filter=a&sortBy=TITLE&sortOrder=Ascending&attributes=x";
        assert_eq!(opened(&mine, "/Users", same), Ok(3));
        let mut answers = vec![
            opened(&scope(2, "a", 0), "/Users", query),
            opened(&scope(1, "b", 0), "/Users", query),
            opened(&mine, "/Groups", query),
        ];
        for other in [
            "cursor&count=3&filter=A&sortBy=title",
            "cursor&count=3&sortBy=title",
            "cursor&count=3&filter=a",
            "cursor&count=3&filter=a&sortBy=title&sortOrder=descending",
        ] {
            answers.push(opened(&mine, "/Users", other));
        }
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Err((ScimErrorKind::InvalidCursor, _))))
        );
        answers.dedup();
        assert_eq!(answers.len(), 1);
    }

    /// K-09, K-21: it holds as long as promised and not a moment longer.
    #[test]
    fn a_cursor_expires_and_its_count_stands() {
        let text = seal(&scope(1, "a", 1000), "/Users", "cursor&count=3")
            .0
            .close(Cursor::start(1), 3)
            .expect("it closes");
        let opened = |now, query| {
            let (seal, request) = seal(&scope(1, "a", now), "/Users", query);
            seal.open(&text, &request, 1)
                .map(|(_, count)| count)
                .map_err(|error| error.kind)
        };
        let end = 1000 + CURSOR_TIMEOUT * 1000;
        assert_eq!(opened(end, "count=3"), Ok(3));
        assert_eq!(opened(0, ""), Ok(3));
        assert_eq!(opened(end + 1, ""), Err(ScimErrorKind::ExpiredCursor));
        assert_eq!(opened(end, "count=4"), Err(ScimErrorKind::InvalidCount));
    }
}
