//! Tokens against a real store, and the gate against a clock moved by hand.

use std::sync::Arc;

use super::signing_keys::signing_key;
use super::*;
use crate::auth::token::KeyRing;
use crate::learning::plan::SubscriptionPlan;
use crate::service::tenants;
use crate::store::Store;
use crate::store::testing::on_both;

const NOW: Instant = Instant(1_800_000_000_000);

fn tenant(store: &Store, name: &'static str) -> TenantId {
    let make = move |db: &mut Db| tenants::create(db, name, SubscriptionPlan::Business, "UTC", NOW);
    store.write_blocking("tenant", make).expect("a tenant").id
}

fn minted(store: &Store, new: NewToken) -> Minted {
    store
        .write_blocking("token", move |db| create(db, &new, NOW))
        .expect("a token")
}

/// What a request would get: the gate, and the row and the keys where it asks for them.
fn visit(store: &Store, gate: &Gate, token: &str, now: Instant) -> Result<Arc<Grant>, TokenError> {
    let mut answer = gate.ask(token, now);
    if matches!(answer, Answer::Reload) {
        gate.install(store.read_blocking(key_ring).expect("keys"));
        answer = gate.ask(token, now);
    }
    match answer {
        Answer::Good(grant) => Ok(grant),
        Answer::Bad(error, _) => Err(error),
        Answer::Reload => Err(TokenError::UnknownKey),
        Answer::Ask(claims, epoch) => {
            let row = store
                .read_blocking(|db| grant(db, &claims, now))
                .expect("an answer");
            gate.learn(token, claims, epoch, row, now)
        }
    }
}

#[test]
fn a_token_opens_its_tenant_until_it_is_revoked_and_its_revocation_is_seen_at_once_here() {
    on_both(|store| {
        let tenant = tenant(store, "acme");
        let minted = minted(store, NewToken::of(tenant, TokenKind::Scim));
        let gate = Gate::new(KeyRing::default());
        let grant = visit(store, &gate, &minted.token, NOW).expect("it opens");
        assert_eq!(
            (grant.tenant, grant.kind, grant.touch),
            (tenant, TokenKind::Scim, true)
        );
        assert_eq!(grant.permissions, TokenKind::Scim.default_permissions());

        let jti = minted.jti.clone();
        store
            .write_blocking("revoke", move |db| revoke(db, tenant, &jti, NOW))
            .expect("revoked");
        assert!(
            visit(store, &gate, &minted.token, NOW).is_ok(),
            "believed for a while where nobody told the gate"
        );
        gate.forget(&minted.jti);
        assert_eq!(
            visit(store, &gate, &minted.token, NOW).map(drop),
            Err(TokenError::Revoked)
        );
    });
}

#[test]
fn another_node_sees_a_revocation_within_five_seconds() {
    on_both(|store| {
        let tenant = tenant(store, "acme");
        let minted = minted(store, NewToken::of(tenant, TokenKind::Api));
        let gate = Gate::new(store.read_blocking(key_ring).expect("keys"));
        assert!(visit(store, &gate, &minted.token, NOW).is_ok());
        let jti = minted.jti.clone();
        store
            .write_blocking("revoke", move |db| revoke_anywhere(db, &jti, NOW))
            .expect("revoked");
        assert!(visit(store, &gate, &minted.token, NOW.plus_millis(RECHECK - 1)).is_ok());
        let later = visit(store, &gate, &minted.token, NOW.plus_millis(RECHECK));
        assert_eq!(later.map(drop), Err(TokenError::Revoked));
    });
}

#[test]
fn an_answer_asked_for_before_a_revocation_is_not_kept_after_it() {
    on_both(|store| {
        let tenant = tenant(store, "acme");
        let minted = minted(store, NewToken::of(tenant, TokenKind::Scim));
        let gate = Gate::new(store.read_blocking(key_ring).expect("keys"));
        let Answer::Ask(claims, epoch) = gate.ask(&minted.token, NOW) else {
            panic!("a new token is asked about")
        };
        let row = store
            .read_blocking(|db| grant(db, &claims, NOW))
            .expect("an answer");
        gate.forget(&minted.jti);
        assert!(
            gate.learn(&minted.token, claims, epoch, row, NOW).is_ok(),
            "this request was before"
        );
        assert!(
            matches!(gate.ask(&minted.token, NOW), Answer::Ask(..)),
            "the next one asks again"
        );
    });
}

#[test]
fn a_good_signature_without_a_row_opens_nothing() {
    on_both(|store| {
        let (acme, other) = (tenant(store, "acme"), tenant(store, "other"));
        let minted = minted(store, NewToken::of(acme, TokenKind::Scim));
        let key = store
            .write_blocking("key", |db| signing_key(db, NOW))
            .expect("the key");
        let gate = Gate::new(store.read_blocking(key_ring).expect("keys"));
        let seconds = NOW.0 / 1000;
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: "thief".into(),
            jti: token::random_id().expect("random"),
            tid: acme,
            kind: TokenKind::Scim,
            scope: "scim:read scim:write".into(),
            iat: seconds,
            nbf: seconds,
            exp: seconds + 3600,
        };
        let forged = |claims: &Claims| key.sign(claims).expect("a token");
        let refused = |claims: &Claims| visit(store, &gate, &forged(claims), NOW).map(drop);
        assert_eq!(
            refused(&claims),
            Err(TokenError::Unrecorded),
            "a jti nobody recorded"
        );
        let elsewhere = Claims {
            jti: minted.jti.clone(),
            tid: other,
            ..claims.clone()
        };
        assert_eq!(
            refused(&elsewhere),
            Err(TokenError::Unrecorded),
            "a recorded jti in another tenant"
        );
        let kind = Claims {
            jti: minted.jti.clone(),
            kind: TokenKind::Api,
            ..claims.clone()
        };
        assert_eq!(
            refused(&kind),
            Err(TokenError::Unrecorded),
            "a recorded jti of the other kind"
        );
        let endless = Claims {
            jti: minted.jti.clone(),
            exp: i64::MAX,
            ..claims
        };
        let after = NOW.plus_millis(LIFETIME + 31_000);
        assert_eq!(
            visit(store, &gate, &forged(&endless), after).map(drop),
            Err(TokenError::Expired),
            "the row's end counts"
        );
    });
}

#[test]
fn a_token_can_never_do_more_than_its_row_says() {
    on_both(|store| {
        let tenant = tenant(store, "acme");
        let narrow = NewToken {
            permissions: Permissions::parse("scim:read").expect("scopes"),
            ..NewToken::of(tenant, TokenKind::Scim)
        };
        let minted = minted(store, narrow);
        let gate = Gate::new(store.read_blocking(key_ring).expect("keys"));
        let grant = visit(store, &gate, &minted.token, NOW).expect("it opens");
        assert_eq!(grant.permissions.to_string(), "scim:read");
        for (kind, scopes) in [
            (TokenKind::Scim, "groups:read"),
            (TokenKind::Api, "scim:read"),
            (TokenKind::Api, ""),
        ] {
            let permissions = Permissions::parse(scopes).expect("scopes");
            let new = NewToken {
                permissions,
                ..NewToken::of(tenant, kind)
            };
            assert!(
                store
                    .write_blocking("token", move |db| create(db, &new, NOW))
                    .is_err(),
                "{kind} {scopes}"
            );
        }
    });
}

#[test]
fn unknown_keys_make_a_node_read_its_keys_at_most_once_a_second() {
    on_both(|store| {
        let tenant = tenant(store, "acme");
        let minted = minted(store, NewToken::of(tenant, TokenKind::Scim));
        let gate = Gate::new(KeyRing::default());
        assert!(matches!(gate.ask(&minted.token, NOW), Answer::Reload));
        assert!(matches!(
            gate.ask(&minted.token, NOW),
            Answer::Bad(TokenError::UnknownKey, _)
        ));
        assert!(matches!(
            gate.ask(&minted.token, NOW.plus_millis(1000)),
            Answer::Reload
        ));
    });
}

#[test]
fn the_first_start_makes_credentials_once() {
    on_both(|store| {
        let start = || {
            store
                .write_blocking("first", |db| tenants::first_start(db, "$argon2id$", NOW))
                .expect("started")
        };
        let first = start().expect("an empty database");
        assert_eq!(
            (first.tenant.name.as_str(), first.tenant.plan),
            ("default", SubscriptionPlan::Business)
        );
        let gate = Gate::new(store.read_blocking(key_ring).expect("keys"));
        let scim = visit(store, &gate, &first.scim_token, NOW).expect("it opens");
        assert!(scim.kind == TokenKind::Scim && scim.connection.is_some());
        assert_eq!(
            visit(store, &gate, &first.api_token, NOW)
                .expect("it opens")
                .kind,
            TokenKind::Api
        );
        assert!(start().is_none(), "the second start is not the first");
    });
}

#[test]
fn a_hint_is_the_end_of_a_jti() {
    assert_eq!(hint("abcdefgh"), "efgh");
    assert_eq!(hint("abc"), "abc");
    assert_eq!(hint(""), "");
}
