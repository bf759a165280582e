//! Short-lived tokens by OAuth 2.0 client credentials. RFC 6749 §4.4, §5; AU-03, B7, B12, B14.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall::auth::permission::{Permissions, TokenKind};
use rollcall::clock::Instant;
use rollcall::ids::{ClientSecretId, TenantId};
use rollcall::scim::quirks;
use rollcall::service::{clients, connections};

use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{Client, Reply, TestApp, json, user};

const FORM: &str = "application/x-www-form-urlencoded";
const DAY: i64 = 24 * 3600 * 1000;

/// A client of the tenant: its id and secret, and the secret's own id.
fn registered(
    app: &TestApp,
    name: &'static str,
    scopes: Permissions,
) -> (String, String, ClientSecretId) {
    let (tenant, now): (TenantId, Instant) = (app.system().tenant, app.clock.now());
    app.write(move |db| {
        let connection =
            connections::find_or_create(db, tenant, name, quirks::Client::Generic, now)?;
        let made = clients::create(db, tenant, connection.id, scopes, 30 * DAY, now)?;
        Ok((made.client_id.to_string(), made.secret.to_string(), made.id))
    })
}

fn all() -> Permissions {
    TokenKind::Scim.default_permissions()
}

fn door(app: &TestApp) -> Client {
    app.client("", None).with_header("Content-Type", FORM)
}

fn fetch(door: &Client, form: &str) -> Reply {
    door.send("POST", "/oauth2/token", Some(form.as_bytes()))
}

fn form(id: &str, secret: &str) -> String {
    format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
}

#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!(
        (reply.status, &reply.json["error"]),
        (status, &json!(error)),
        "{reply:?}"
    );
    assert!(reply.json["error_description"].is_string(), "{reply:?}");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.json.get("access_token").is_none());
}

#[test]
fn a_client_fetches_a_token_that_opens_scim_for_an_hour() {
    // AU-03, AU-04
    let app = TestApp::new();
    let (id, secret, _) = registered(&app, "HR suite", all());
    assert!(secret.starts_with("rollcall_cs_"));
    let door = door(&app);
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let by_header = door.with_header("Authorization", &basic);
    for reply in [
        fetch(&door, &form(&id, &secret)),
        fetch(&by_header, "grant_type=client_credentials"),
        fetch(
            &by_header,
            &format!("client_id={id}&grant_type=client_credentials&foo=1"),
        ),
    ] {
        reply.expect(200);
        assert_eq!(reply.json["token_type"], "Bearer");
        assert_eq!(reply.json["expires_in"], 3600);
        assert_eq!(reply.json["scope"], "scim:read scim:write scim:bulk");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("content-type"), "application/json");
        let token = reply.json["access_token"].as_str().expect("a token");
        app.client("/scim/v2", Some(token))
            .get("/Users")
            .expect(200);
        app.client("/api/v1", Some(token))
            .get("/groups")
            .expect(403);
    }
    let token = fetch(&door, &form(&id, &secret)).json["access_token"].clone();
    let scim = app.client("/scim/v2", token.as_str());
    scim.post("/Users", &user("ada")).expect(201);
    let row = app.logged("the write", |row| row["operation"] == "create");
    assert_eq!(row["connection_id"], id.as_str(), "{row}");
    app.clock.advance_millis(3600 * 1000 + 60_000);
    scim.get("/Users").scim_failure(401);
    // the secret is nowhere at rest
    assert!(!app.everything_at_rest().contains(&secret[12..]));
}

#[test]
fn a_token_has_the_scopes_asked_for_and_never_more_than_the_client() {
    // B10, B12
    let app = TestApp::new();
    let some = Permissions::parse("scim:read,scim:write").expect("scopes");
    let (id, secret, _) = registered(&app, "Reader", some);
    let door = door(&app);
    let asked = |scope: &str| fetch(&door, &format!("{}&scope={scope}", form(&id, &secret)));
    let narrow = asked("scim:read");
    assert_eq!(narrow.expect(200).json["scope"], "scim:read");
    let reader = app.client("/scim/v2", narrow.json["access_token"].as_str());
    reader.get("/Users").expect(200);
    reader.post("/Users", &user("eve")).scim_failure(403);
    assert_eq!(
        asked("scim:write+scim:read").expect(200).json["scope"],
        "scim:read scim:write"
    );
    assert_eq!(asked("").expect(200).json["scope"], "scim:read scim:write");
    for beyond in [
        "scim:bulk",
        "scim:read+scim:bulk",
        "groups:read",
        "nosuch",
        "scim:read%00",
    ] {
        refused(&asked(beyond), 400, "invalid_scope");
    }
}

#[test]
fn whoever_is_not_the_client_gets_the_same_answer_whatever_is_wrong() {
    // B12, SE-06
    let app = TestApp::new();
    let (id, secret, row) = registered(&app, "One", all());
    let (other, of_other, _) = registered(&app, "Two", all());
    let door = door(&app);
    let mut last = secret.clone();
    last.replace_range(20..21, if &secret[20..21] == "x" { "y" } else { "x" });
    let mut told = Vec::new();
    for (id, secret) in [
        (id.as_str(), of_other.as_str()),
        (other.as_str(), secret.as_str()),
        ("nobody", secret.as_str()),
        (id.as_str(), last.as_str()),
        (id.as_str(), ""),
        (id.as_str(), "rollcall_cs_"),
        ("", secret.as_str()),
    ] {
        let reply = fetch(&door, &form(id, secret));
        refused(&reply, 401, "invalid_client");
        assert!(reply.header("www-authenticate").starts_with("Basic "));
        told.push(reply.text.clone());
    }
    for header in ["Bearer x", "Basic", "Basic !!", "Basic bm9jb2xvbg=="] {
        let reply = fetch(
            &door.with_header("Authorization", header),
            "grant_type=client_credentials",
        );
        refused(&reply, 401, "invalid_client");
        told.push(reply.text.clone());
    }
    // taken back, the other one stays; and at its end
    let (tenant, now) = (app.system().tenant, app.clock.now());
    app.write(move |db| clients::revoke(db, tenant, row, now));
    let gone = fetch(&door, &form(&id, &secret));
    refused(&gone, 401, "invalid_client");
    told.push(gone.text.clone());
    fetch(&door, &form(&other, &of_other)).expect(200);
    app.clock.advance_millis(30 * DAY);
    let late = fetch(&door, &form(&other, &of_other));
    told.push(late.text.clone());
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn two_secrets_of_a_client_hold_at_once() {
    // B14
    let app = TestApp::new();
    let (id, old, _) = registered(&app, "Payroll", all());
    let (again, new, _) = registered(&app, "payroll", all());
    assert_eq!(id, again, "one client");
    let door = door(&app);
    for secret in [old, new] {
        fetch(&door, &form(&id, &secret)).expect(200);
    }
}

#[test]
fn what_is_no_request_for_a_token_is_refused_as_the_rfc_says() {
    // RFC 6749 §5.2
    let app = TestApp::new();
    let (id, secret, _) = registered(&app, "One", all());
    let door = door(&app);
    let good = form(&id, &secret);
    for (body, error) in [
        (String::new(), "invalid_request"),
        (
            format!("client_id={id}&client_secret={secret}"),
            "invalid_request",
        ),
        (
            format!("{good}&grant_type=client_credentials"),
            "invalid_request",
        ),
        (format!("{good}&client_secret={secret}"), "invalid_request"),
        (format!("{good}&scope=a&scope=b"), "invalid_request"),
        (
            good.replace("client_credentials", "password"),
            "unsupported_grant_type",
        ),
        (
            good.replace("client_credentials", "authorization_code"),
            "unsupported_grant_type",
        ),
        ("%ff=%fe".to_owned(), "invalid_request"),
        ("\u{0}".to_owned(), "invalid_request"),
    ] {
        refused(&fetch(&door, &body), 400, error);
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let both = door.with_header("Authorization", &basic);
    refused(&fetch(&both, &good), 400, "invalid_request");
    refused(
        &fetch(&both, "grant_type=client_credentials&client_id=other"),
        400,
        "invalid_request",
    );
    let json = app
        .client("", None)
        .with_header("Content-Type", "application/json");
    refused(&fetch(&json, "{}"), 400, "invalid_request");
    refused(&fetch(&door, &"x".repeat(9000)), 413, "invalid_request");
    let get = door.get(&format!("/oauth2/token?{good}"));
    refused(&get, 405, "invalid_request");
    assert_eq!(get.header("allow"), "POST");
    // never by the URL
    let by_url = door.send("POST", &format!("/oauth2/token?{good}"), Some(b""));
    refused(&by_url, 400, "invalid_request");
}

#[test]
fn a_client_fetches_ten_tokens_in_a_minute_and_no_more() {
    // B12, E22
    let app = TestApp::new();
    app.at("2026-06-01T12:00:00Z");
    let (id, secret, _) = registered(&app, "Eager", all());
    let (calm, calms, _) = registered(&app, "Calm", all());
    let door = door(&app);
    for _ in 0..10 {
        fetch(&door, &form(&id, &secret)).expect(200);
    }
    app.clock.advance_millis(20_000);
    let more = fetch(&door, &form(&id, &secret));
    refused(&more, 429, "temporarily_unavailable");
    assert_eq!(more.header("retry-after"), "40");
    fetch(&door, &form(&calm, &calms)).expect(200);
    app.clock.advance_millis(40_000);
    fetch(&door, &form(&id, &secret)).expect(200);
}

#[test]
fn the_endpoint_is_described_where_clients_look() {
    // RFC 8414; SP-01: the schemes that discovery names are there
    let app = TestApp::new();
    let nobody = app.client("", None);
    let told = nobody.get("/.well-known/oauth-authorization-server");
    let base = app.scim_base().replace("/scim/v2", "");
    assert_eq!(told.expect(200).json["issuer"], base.as_str());
    assert_eq!(told.json["token_endpoint"], format!("{base}/oauth2/token"));
    assert_eq!(
        told.json["grant_types_supported"],
        json!(["client_credentials"])
    );
    let keys = told.json["jwks_uri"].as_str().expect("an address");
    nobody
        .get(keys.strip_prefix(&base).expect("here"))
        .expect(200);
    let config = app.scim().get("/ServiceProviderConfig").json.clone();
    let kinds: Vec<&str> = config["authenticationSchemes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|scheme| scheme["type"].as_str())
        .collect();
    assert_eq!(kinds, ["oauthbearertoken", "oauth2"]);
}

#[test]
fn the_command_line_makes_lists_and_takes_back_secrets() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let run = |arguments: &[&str]| {
        let ended = binary.run(arguments);
        let told = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        (ended.status.code(), told)
    };
    let (code, made) = run(&["client", "create", "--tenant", "acme", "--connection", "HR"]);
    let (id, secret) = made.split_once('\t').expect("id and secret");
    assert!(
        code == Some(0) && secret.starts_with("rollcall_cs_"),
        "{made}"
    );
    let (_, listed) = run(&["client", "list", "--tenant", "acme"]);
    let line = listed.lines().nth(1).expect("a line");
    assert!(line.contains(id) && line.contains("\tlive\t"), "{line}");
    assert!(!listed.contains(secret));
    let row = line.split('\t').nth(2).expect("the secret's id").to_owned();
    assert_eq!(
        run(&["client", "revoke", "--tenant", "acme", &row]).0,
        Some(0)
    );
    assert_eq!(
        run(&["client", "revoke", "--tenant", "acme", &row]).0,
        Some(1)
    );
    assert!(run(&["client", "list"]).1.contains("\trevoked\t"));
    for wrong in [
        &["client", "create", "--tenant", "acme"][..],
        &[
            "client",
            "create",
            "--tenant",
            "acme",
            "--connection",
            "HR",
            "--scopes",
            "groups:read",
        ],
        &["client", "revoke", "--tenant", "acme", "x"],
    ] {
        assert_eq!(run(wrong).0, Some(2), "{wrong:?}");
    }
}
