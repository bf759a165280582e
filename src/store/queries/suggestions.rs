//! Who may be one person (§7.13, §8): what people who have left went by, whom that fits, and what was decided.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::ids::{ConnectionId, LearnerId, SuggestionId, TenantId, UserId};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;
use super::memberships::padded;
use super::users::NewUser;
use super::values::ValueRow;

/// What two learners have in common, the strongest first; the numbers are those of `user_values`.
const EMPLOYEE_NUMBER: i64 = 8;
const EMAIL: i64 = 1;

/// How many others are suggested for one account: a mailbox may be many people's.
const FEW: usize = 5;

/// Somebody with an account that is new or goes by another name.
#[derive(Clone, Debug)]
pub struct Known {
    pub user: UserId,
    pub learner: LearnerId,
    pub connection: Option<ConnectionId>,
    /// By which attribute, folded.
    pub keys: Vec<(Key, String)>,
}

/// By what people are recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    EmployeeNumber,
    UserName,
    Email,
}

impl Key {
    /// Its spelling, in rows and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmployeeNumber => "employee_number",
            Self::UserName => "user_name",
            Self::Email => "email",
        }
    }

    /// Whether what one went by is what the other goes by: a user name is often an address.
    fn fits(self, former: &str) -> bool {
        match self {
            Self::EmployeeNumber => former == "employee_number",
            Self::UserName | Self::Email => former == "user_name" || former == "email",
        }
    }
}

impl Known {
    /// Reads the keys of an account from what is stored of it.
    #[must_use]
    pub fn of(
        user: UserId,
        learner: LearnerId,
        connection: Option<ConnectionId>,
        user_name_key: &str,
        values: &[ValueRow],
    ) -> Self {
        let mut keys = vec![(Key::UserName, user_name_key.to_owned())];
        keys.extend(values.iter().filter_map(|row| {
            let key = match row.attr {
                EMAIL => Key::Email,
                EMPLOYEE_NUMBER => Key::EmployeeNumber,
                _ => return None,
            };
            (!row.value_key.is_empty()).then(|| (key, row.value_key.clone()))
        }));
        Self {
            user,
            learner,
            connection,
            keys,
        }
    }

    /// Of an account that is being made.
    #[must_use]
    pub fn new(user: &NewUser, values: &[ValueRow]) -> Self {
        Self::of(
            user.id,
            user.learner_id,
            user.connection_id,
            &user.user_name_key,
            values,
        )
    }
}

/// Keeps what an account went by that is about to end.
pub fn remember(db: &mut Db, tenant: TenantId, user: UserId) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO former_keys (tenant_id, value_key, kind, user_id) \
             SELECT u.tenant_id, u.user_name_key, 'user_name', u.id FROM users u WHERE u.tenant_id = ? AND u.id = ? \
             UNION SELECT v.tenant_id, v.value_key, CASE WHEN v.attr = 1 THEN 'email' ELSE 'employee_number' END, v.user_id \
             FROM user_values v WHERE v.tenant_id = ? AND v.user_id = ? AND v.attr IN (1, 8) AND v.value_key <> '' \
             ON CONFLICT (tenant_id, value_key, kind, user_id) DO NOTHING",
        )
        .bind(tenant)
        .bind(user)
        .bind(tenant)
        .bind(user),
    )
    .map(drop)
}

/// Forgets what these accounts went by.
pub fn forget(db: &mut Db, tenant: TenantId, users: &[UserId]) -> Result<(), StoreError> {
    for chunk in users.chunks(super::memberships::CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "DELETE FROM former_keys WHERE tenant_id = ? AND user_id IN ({})",
            marks(ids.len())
        ));
        db.execute(stmt.bind(tenant).binds(ids))?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Match {
    #[diesel(sql_type = Text)]
    value_key: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = SqlId)]
    user_id: UserId,
    #[diesel(sql_type = SqlId)]
    learner_id: LearnerId,
    #[diesel(sql_type = Nullable<SqlId>)]
    connection_id: Option<ConnectionId>,
    /// 1: has left.
    #[diesel(sql_type = BigInt)]
    former: i64,
}

/// Which other learners these accounts may belong to, and by what: who has left under one of their keys, and who has an account
/// of another connection under the same address or number. Nobody is looked for twice.
pub fn matches(
    db: &mut Db,
    tenant: TenantId,
    people: &[Known],
) -> Result<Vec<(LearnerId, LearnerId, Vec<Key>)>, StoreError> {
    let mut found: BTreeMap<(LearnerId, LearnerId), BTreeSet<Key>> = BTreeMap::new();
    for chunk in people.chunks(100) {
        let keys: BTreeSet<&str> = chunk
            .iter()
            .flat_map(|one| one.keys.iter().map(|(_, key)| key.as_str()))
            .collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        for some in keys.chunks(200) {
            for one in candidates(db, tenant, some)? {
                note(chunk, &one, &mut found);
            }
        }
    }
    let mut named: BTreeMap<LearnerId, usize> = BTreeMap::new();
    let pairs = found.into_iter().filter(|((learner, _), _)| {
        let count = named.entry(*learner).or_default();
        *count += 1;
        *count <= FEW
    });
    Ok(pairs
        .map(|((learner, other), keys)| (learner, other, keys.into_iter().collect()))
        .collect())
}

fn note(
    people: &[Known],
    one: &Match,
    found: &mut BTreeMap<(LearnerId, LearnerId), BTreeSet<Key>>,
) {
    for known in people {
        if known.learner == one.learner_id || known.user == one.user_id {
            continue;
        }
        if one.former == 0 && known.connection == one.connection_id {
            continue;
        }
        for (key, value) in &known.keys {
            if *value == one.value_key && key.fits(&one.kind) {
                let pair = (known.learner, one.learner_id);
                found.entry(pair).or_default().insert(*key);
            }
        }
    }
}

fn candidates(db: &mut Db, tenant: TenantId, keys: &[&str]) -> Result<Vec<Match>, StoreError> {
    let binds: Vec<Bind<'static>> = fixed(keys);
    let some = marks(binds.len());
    // What many go by, like a number that stands for none, says of nobody who they are: its crowd is not read.
    let few = binds.len() * 2 + FEW;
    let live = |attr: i64, kind: &str| {
        format!(
            "SELECT * FROM (SELECT v.value_key, '{kind}' AS kind, v.user_id, u.learner_id, u.connection_id, CAST(0 AS BIGINT) AS former \
             FROM user_values v CROSS JOIN users u WHERE v.tenant_id = ? AND v.attr = {attr} AND v.value_key IN ({some}) \
             AND u.tenant_id = v.tenant_id AND u.id = v.user_id AND u.deleted_at IS NULL LIMIT {few}) live"
        )
    };
    let sql = format!(
        "SELECT * FROM (SELECT f.value_key, f.kind, f.user_id, u.learner_id, u.connection_id, CAST(1 AS BIGINT) AS former \
         FROM former_keys f CROSS JOIN users u WHERE f.tenant_id = ? AND f.value_key IN ({some}) \
         AND u.tenant_id = f.tenant_id AND u.id = f.user_id LIMIT {few}) former UNION ALL {} UNION ALL {}",
        live(EMAIL, "email"),
        live(EMPLOYEE_NUMBER, "employee_number")
    );
    let mut stmt = Stmt::new(sql);
    for _ in 0..3 {
        stmt = stmt.bind(tenant).binds(binds.iter().cloned());
    }
    db.load(stmt)
}

/// Keys up to a few fixed numbers of them, so that the statement cache holds few texts.
fn fixed(keys: &[&str]) -> Vec<Bind<'static>> {
    let mut binds: Vec<Bind<'static>> = keys.iter().map(|key| (*key).to_owned().into()).collect();
    let length = [1, 2, 3, 4, 8, 16]
        .into_iter()
        .find(|length| binds.len() <= *length)
        .unwrap_or(200);
    if let Some(last) = binds.last().cloned() {
        binds.resize(length.max(binds.len()), last);
    }
    binds
}

/// Writes suggestions that are new; returns those that were.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    found: &[(LearnerId, LearnerId, Vec<Key>)],
    by: &By,
) -> Result<Vec<(LearnerId, LearnerId)>, StoreError> {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = SqlId)]
        learner_id: LearnerId,
        #[diesel(sql_type = SqlId)]
        other_id: LearnerId,
    }
    let mut made = Vec::new();
    for chunk in found.chunks(50) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO learner_suggestions (tenant_id, id, learner_id, other_id, matched, state, found_at) VALUES {} \
             ON CONFLICT (tenant_id, learner_id, other_id) DO NOTHING RETURNING learner_id, other_id",
            vec!["(?, ?, ?, ?, ?, 'open', ?)"; chunk.len()].join(", ")
        ))
        .once(chunk.len() > 1);
        for (learner, other, keys) in chunk {
            let matched: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            stmt = stmt
                .bind(tenant)
                .bind(SuggestionId::new())
                .bind(*learner)
                .bind(*other)
                .bind(matched.join(","))
                .bind(by.at);
        }
        made.extend(
            db.load::<Made>(stmt)?
                .into_iter()
                .map(|row| (row.learner_id, row.other_id)),
        );
    }
    Ok(made)
}

/// A suggestion with the two it is about.
#[derive(Clone, Debug, QueryableByName)]
pub struct SuggestionRow {
    #[diesel(sql_type = SqlId)]
    pub id: SuggestionId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = Text)]
    pub learner_name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub learner_deleted_at: Option<i64>,
    #[diesel(sql_type = SqlId)]
    pub other_id: LearnerId,
    #[diesel(sql_type = Text)]
    pub other_name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub other_deleted_at: Option<i64>,
    /// Names of keys, between commas.
    #[diesel(sql_type = Text)]
    pub matched: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = BigInt)]
    pub found_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub decided_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub decided_by: Option<String>,
}

const SUGGESTION: &str = "SELECT s.id, s.learner_id, l.display_name AS learner_name, l.deleted_at AS learner_deleted_at, s.other_id, \
     o.display_name AS other_name, o.deleted_at AS other_deleted_at, s.matched, s.state, s.found_at, s.decided_at, s.decided_by \
     FROM learner_suggestions s JOIN learners l ON l.tenant_id = s.tenant_id AND l.id = s.learner_id \
     JOIN learners o ON o.tenant_id = s.tenant_id AND o.id = s.other_id WHERE s.tenant_id = ?";

/// A suggestion.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: SuggestionId,
) -> Result<Option<SuggestionRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{SUGGESTION} AND s.id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// A page of suggestions in one state, or about one learner, by their ids.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    state: Option<&str>,
    learner: Option<LearnerId>,
    paging: &Paging,
) -> Result<Found<SuggestionRow>, StoreError> {
    let mut list = Listing::of(SUGGESTION, vec![tenant.into()]);
    list.and_some("s.state = ?", state.map(str::to_owned));
    list.and_some("s.learner_id = ?", learner);
    list.find(db, Order::id("s.id"), paging)
}

/// Decides what is open between two learners, whichever way round; says how many suggestions that were.
pub fn decide(
    db: &mut Db,
    tenant: TenantId,
    (one, other): (LearnerId, LearnerId),
    state: &str,
    by: &By,
) -> Result<i64, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE learner_suggestions SET state = ?, decided_at = ?, decided_by = ? WHERE tenant_id = ? \
             AND (learner_id, other_id) IN (VALUES (?, ?), (?, ?)) AND state <> ?",
        )
        .bind(state.to_owned())
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(tenant)
        .bind(one)
        .bind(other)
        .bind(other)
        .bind(one)
        .bind(state.to_owned()),
    )?;
    Ok(i64::try_from(changed).unwrap_or(i64::MAX))
}
