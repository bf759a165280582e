//! The keys that sign tokens and the key that seals them. B8, B42, B54, A1.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rollcall::auth::sealing::SealingKeys;
use rollcall::config::{Sealing, Secret};
use rollcall::service::tokens::signing_keys;
use rollcall::store::queries::keys;
use rollcall::store::statement::Stmt;

use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{Client, TestApp};

fn a_key() -> String {
    SealingKeys::generate().expect("a key").to_string()
}

/// What every Ed25519 key in PKCS#8 begins with, in base64: how a dump would show one that lies open.
fn begins_like_an_open_key() -> String {
    let prefix = [0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03];
    STANDARD.encode(prefix)
}

fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).expect("a header");
    let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[test]
fn a_dump_holds_no_usable_secret() {
    // B42: dump, grep; with the control that the search finds one that lies open
    let sealed = TestApp::configured(|config| {
        config.sealing = Sealing::Keys(Secret::new(a_key()));
    });
    let dump = sealed.everything_at_rest();
    assert!(dump.contains("sealed:1:"));
    assert!(!dump.contains(&begins_like_an_open_key()));
    sealed.scim().get("/Users").expect(200);

    // the control: one that lies open would be found
    let open = format!("{}AAAA", begins_like_an_open_key());
    sealed.execute(&format!("UPDATE signing_keys SET secret = '{open}'"));
    assert!(
        sealed
            .everything_at_rest()
            .contains(&begins_like_an_open_key())
    );
}

#[test]
fn rows_that_are_swapped_do_not_open() {
    // B42: the associated data is table and row
    let app = TestApp::configured(|config| {
        config.sealing = Sealing::Keys(Secret::new(a_key()));
    });
    let now = app.clock.now().plus_millis(1);
    app.write(move |db| {
        signing_keys::rotate(db, now)?;
        let stored = keys::all(db)?;
        for (one, other) in [(0, 1), (1, 0)] {
            let swap = Stmt::new("UPDATE signing_keys SET secret = ? WHERE kid = ?");
            db.execute(
                swap.bind(stored[one].secret.as_str())
                    .bind(stored[other].kid.as_str()),
            )?;
        }
        let listed = signing_keys::listed(db)?;
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|key| key.broken.is_some()), "{listed:?}");
        Ok(())
    });
}

#[test]
fn an_older_database_is_sealed_when_it_is_served_with_a_key() {
    let key = a_key();
    let database = Database::fresh();
    // PostgreSQL without a key, and SQLite as it was before: the secret lies open
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let token = binary.token("acme", "scim");
    database.execute(&format!(
        "UPDATE signing_keys SET secret = '{}'",
        STANDARD.encode(pkcs8())
    ));
    let token_of_before = token;
    let with_key = Binary::on(&database.url).with("ROLLCALL_SEALING_KEY", &key);
    assert!(with_key.ok(&["key", "list"]).contains("not sealed"));
    let server = with_key.serve();
    // the public part is what verifies
    server.scim(&token_of_before).get("/Users").expect(200);
    assert_eq!(server.stop(), Some(0));
    assert!(!database.everything().contains(&begins_like_an_open_key()));
    let listed = with_key.ok(&["key", "list"]);
    assert!(
        listed.contains("sealed") && !listed.contains("not sealed"),
        "{listed}"
    );
}

/// An Ed25519 key pair as older databases hold it.
fn pkcs8() -> Vec<u8> {
    let key = rollcall::auth::token::SigningKey::generate().expect("a key");
    STANDARD.decode(key.secret().as_str()).expect("base64")
}

#[test]
fn a_missing_a_wrong_and_an_empty_sealing_key_stop_the_start_and_say_what_to_do() {
    // A1, B42
    let database = Database::fresh();
    let right = Binary::on(&database.url).with("ROLLCALL_SEALING_KEY", &a_key());
    right.tenant("acme");
    let token = right.token("acme", "scim");
    for (wrong, says) in [
        (a_key(), "not here"),
        (String::new(), "32 random bytes"),
        ("secret".to_owned(), "32 random bytes"),
    ] {
        let binary = Binary::on(&database.url).with("ROLLCALL_SEALING_KEY", &wrong);
        let ended = binary.run(&["serve", "--listen", "127.0.0.1:0"]);
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{error}");
        assert!(error.contains(says), "{error}");
        assert!(
            wrong.is_empty() || wrong == "secret" || !error.contains(&wrong),
            "{error}"
        );
    }
    let missing = Binary::on(&database.url).run(&["serve", "--listen", "127.0.0.1:0"]);
    let error = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(1), "{error}");
    assert!(error.contains("key rotate"), "{error}");
    // given up for lost: a new key signs, and what was issued stays valid
    let lost = Binary::on(&database.url).with("ROLLCALL_SEALING_KEY", &a_key());
    lost.ok(&["key", "rotate"]);
    let server = lost.serve();
    server.scim(&token).get("/Users").expect(200);
    server
        .scim(&lost.token("acme", "scim"))
        .get("/Users")
        .expect(200);
}

#[test]
fn sqlite_keeps_its_key_in_a_file_of_its_owner_beside_it() {
    // B54, C25: the key is no part of a backup, and a copy works without it
    let database = Database::file();
    let path = database.url.trim_start_matches("sqlite://").to_owned();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let token = binary.token("acme", "scim");
    let key = format!("{path}.key");
    let mode = |path: &str| {
        std::fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode(&key), mode(&path)), (0o600, 0o600));

    let folder = tempfile::tempdir().expect("a folder");
    let (copy, other) = (
        folder.path().join("copy.db"),
        folder.path().join("other.db"),
    );
    binary.ok(&["backup", text(&copy)]);
    assert_eq!(mode(text(&copy)), 0o600);
    let secret = std::fs::read_to_string(&key).expect("the key");
    let bytes = std::fs::read(&copy).expect("the copy");
    let held = String::from_utf8_lossy(&bytes);
    assert!(!held.contains(secret.trim()) && !held.contains(&begins_like_an_open_key()));
    let elsewhere = Binary::on(&format!("sqlite://{}", other.display()));
    let told = elsewhere.ok(&["restore", text(&copy)]);
    assert!(told.contains("stay valid"), "{told}");
    let server = elsewhere.serve();
    server.scim(&token).get("/Users").expect(200);
    server
        .scim(&elsewhere.token("acme", "scim"))
        .get("/Users")
        .expect(200);

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let open = binary.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(open.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&open.stderr).contains("chmod 600"));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn keys_rotate_while_a_server_runs_and_tokens_stay_valid() {
    // B8, B42: signing keys and the sealing key, no downtime
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sealing.key");
    std::fs::write(&file, a_key()).expect("the key");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    let database = Database::fresh();
    let binary = Binary::on(&database.url).with("ROLLCALL_SEALING_KEY_FILE", text(&file));
    binary.tenant("acme");
    let (first, api) = (binary.token("acme", "scim"), binary.token("acme", "api"));
    let server = binary.serve();
    server.scim(&first).get("/Users").expect(200);
    let published = || {
        let set = Client::new(&server.url, "", None).get("/.well-known/jwks.json");
        assert_eq!(
            set.expect(200).header("content-type"),
            "application/jwk-set+json"
        );
        assert!(
            !set.text.contains("\"d\""),
            "public parts alone: {}",
            set.text
        );
        let keys = set.json["keys"].as_array().expect("keys").clone();
        keys.iter()
            .map(|key| key["kid"].as_str().expect("a kid").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(published(), [kid(&first)]);

    binary.ok(&["key", "rekey"]);
    binary.ok(&["key", "rotate"]);
    let second = binary.token("acme", "scim");
    assert_ne!(kid(&second), kid(&first));
    assert_eq!(published(), [kid(&first), kid(&second)]);
    for token in [&first, &second] {
        server.scim(token).get("/Users").expect(200);
    }
    // the server makes tokens with the new key, whose sealing key it has to read again
    let third = server.api(&api).post(
        "/tokens",
        &serde_json::json!({"label": "third", "kind": "scim"}),
    );
    let third = third.expect(201).json["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(kid(&third), kid(&second));
    server.scim(&third).get("/Users").expect(200);

    // what a retired key has signed is gone: so is the key
    let list = binary.ok(&["token", "list"]);
    for jti in list
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').nth(3))
    {
        binary.ok(&["token", "revoke", jti]);
    }
    binary.ok(&["key", "rotate"]);
    let kids = published();
    assert!(!kids.contains(&kid(&first)), "{kids:?}");
    assert_eq!(
        std::fs::read_to_string(&file)
            .expect("the key")
            .lines()
            .count(),
        1
    );
}
