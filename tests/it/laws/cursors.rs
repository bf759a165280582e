//! A walk by cursor shows whoever stays throughout once and in order, there and back, whatever comes, changes and goes
//! between its steps (K-20). Runs on both databases where there are two.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollcall::ids::TenantId;
use rollcall::scim::message::{Page, SearchRequest};
use rollcall::scim::version::IfMatch;
use rollcall::service::directory::{self, Kind};
use rollcall::service::{Scope, tokens};
use serde_json::{Value, json};

use super::ground::{self, Ground, NOW, call};
use super::people;

const SORTS: [&str; 9] = [
    "",
    "userName",
    "displayName",
    "externalId",
    "meta.created",
    "meta.lastModified",
    "id",
    "title",
    "emails",
];

/// What happens to those who do not stay.
#[derive(Clone, Debug)]
enum Change {
    Come(Value),
    Go(prop::sample::Index),
    /// Another document in its place: another place in every order.
    Turn(prop::sample::Index, Value),
}

fn change() -> impl Strategy<Value = Change> {
    let somebody = || people::users(2).prop_map(|mut all| all.pop().unwrap_or_default());
    prop_oneof![
        somebody().prop_map(Change::Come),
        any::<prop::sample::Index>().prop_map(Change::Go),
        (any::<prop::sample::Index>(), somebody()).prop_map(|(who, user)| Change::Turn(who, user)),
    ]
}

/// A user under a name that nobody has.
fn named(mut user: Value, number: usize) -> Value {
    let name = user["userName"].as_str().unwrap_or_default();
    user["userName"] = json!(format!("{name} {number}"));
    user
}

struct World<'a> {
    ground: &'a Ground,
    tenant: TenantId,
    passing: Vec<String>,
    number: usize,
}

impl World<'_> {
    fn apply(&mut self, change: &Change) {
        self.number += 1;
        let (tenant, number) = (self.tenant, self.number);
        let at = rollcall::clock::Instant(NOW.0 - 1500 + i64::try_from(number).unwrap_or(0) * 100);
        let pick = |who: &prop::sample::Index| {
            (!self.passing.is_empty()).then(|| who.get(&self.passing).clone())
        };
        let (gone, user) = match change {
            Change::Come(user) => (None, Some(named(user.clone(), number))),
            Change::Go(who) => (pick(who), None),
            Change::Turn(who, user) => (pick(who), Some(named(user.clone(), number))),
        };
        let turns = matches!(change, Change::Turn(..)) && gone.is_some();
        let (of, body) = (gone.clone(), user);
        let made = self
            .ground
            .store
            .write_blocking("change", move |db| {
                let scope = Scope::system(tenant, "law", at);
                match (&of, &body) {
                    (Some(id), Some(user)) if turns => {
                        let there = (Kind::User, id.as_str());
                        directory::replace(
                            db,
                            &scope,
                            call(false),
                            there,
                            user,
                            &IfMatch::parse(None, None),
                        )?;
                        Ok(None)
                    }
                    (Some(id), _) => {
                        directory::delete(
                            db,
                            &scope,
                            call(false),
                            (Kind::User, id),
                            &IfMatch::parse(None, None),
                        )?;
                        Ok(None)
                    }
                    (None, Some(user)) => {
                        let made = directory::create(db, &scope, call(false), Kind::User, user)?;
                        Ok(Some(made.id))
                    }
                    (None, None) => Ok::<_, rollcall::service::ServiceError>(None),
                }
            })
            .expect("changes are valid");
        if !turns && let Some(id) = gone {
            self.passing.retain(|one| *one != id);
        }
        self.passing.extend(made);
    }

    /// The ids of a page, and the cursors to its neighbors.
    fn page(&self, query: &str, cursor: &str) -> (Vec<String>, Option<String>, Option<String>) {
        let scope = Scope::system(self.tenant, "law", NOW);
        let request = SearchRequest::from_query(&format!("{query}&cursor={cursor}"));
        let request = request.expect("a valid query");
        let found = self
            .ground
            .store
            .read_blocking(|db| directory::search(db, &scope, call(false), Kind::User, &request))
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        let Page::Cursor { next, previous } = found.page else {
            panic!("{query}: no page by cursor")
        };
        let ids = found.resources.into_iter().map(|one| one.id).collect();
        (ids, next, previous)
    }
}

#[test]
fn a_walk_shows_whoever_stays_once_and_in_order() {
    for ground in Ground::each() {
        ground
            .store
            .write_blocking("keys", |db| tokens::prepare_keys(db, NOW))
            .expect("keys are made");
        let input = (
            people::users(14),
            prop::collection::vec(prop::collection::vec(change(), 0..4), 12),
            prop::sample::select(&SORTS[..]),
            any::<(bool, bool)>(),
            1..5_usize,
        );
        ground::runner(20)
            .run(
                &input,
                |(users, changes, by, (descending, judged), count)| {
                    let tenant = ground.tenant();
                    let stable: BTreeSet<String> = ground::populate(&ground, tenant, users)
                        .into_iter()
                        .map(|known| known.id)
                        .collect();
                    let mut world = World {
                        ground: &ground,
                        tenant,
                        passing: Vec::new(),
                        number: 0,
                    };
                    let mut query = format!("count={count}");
                    if !by.is_empty() {
                        let word = if descending {
                            "descending"
                        } else {
                            "ascending"
                        };
                        query.push_str(&format!("&sortBy={by}&sortOrder={word}"));
                    }
                    if judged {
                        query.push_str("&filter=not%20(nickName%20eq%20%22nobody%22)");
                    }
                    let whole = world
                        .page(&query.replace(&format!("count={count}"), "count=1000"), "")
                        .0;
                    let mut changes = changes.iter();
                    let (mut there, mut last) = (Vec::new(), None);
                    let mut next = Some(String::new());
                    while let Some(cursor) = next {
                        let (ids, following, previous) = world.page(&query, &cursor);
                        prop_assert!(ids.len() <= count);
                        there.extend(ids);
                        (next, last) = (following, previous);
                        for change in changes.next().into_iter().flatten() {
                            world.apply(change);
                        }
                        prop_assert!(there.len() < 400, "{} does not end", query);
                    }
                    there.retain(|id| stable.contains(id));
                    prop_assert_eq!(&there, &whole, "{}", query);
                    // Back from the last page, whose own rows are not shown again.
                    let mut back = Vec::new();
                    while let Some(cursor) = last {
                        let (ids, _, previous) = world.page(&query, &cursor);
                        back.splice(0..0, ids);
                        last = previous;
                        for change in changes.next().into_iter().flatten() {
                            world.apply(change);
                        }
                        prop_assert!(back.len() < 400, "{} does not end", query);
                    }
                    back.retain(|id| stable.contains(id));
                    prop_assert!(
                        whole.starts_with(&back),
                        "{} back: {:?} of {:?}",
                        query,
                        back,
                        whole
                    );
                    Ok(())
                },
            )
            .unwrap_or_else(|failure| panic!("{failure}"));
    }
}
