//! The real binary: starts, migrates, answers, stops; its exit codes and its help.

use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{Client, json, user};

#[test]
fn the_first_start_prints_tokens_that_work_and_the_second_prints_none() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let listen = format!("127.0.0.1:{port}");
    let first = start(&binary, &listen);
    let tokens: Vec<&str> = first
        .split_whitespace()
        .filter(|word| word.starts_with("eyJ"))
        .collect();
    assert_eq!(tokens.len(), 2, "one SCIM and one API token\n{first}");
    let second = start(&binary, &listen);
    assert!(!second.contains("eyJ"), "{second}");
    assert!(binary.ok(&["tenant", "list"]).contains("default"));
}

/// Starts a server, waits for it, stops it with SIGTERM; returns what it printed.
fn start(binary: &Binary, listen: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file for the output");
    let server = binary.serve_into(listen, file.reopen().expect("the file"));
    assert_eq!(
        Client::new(&server.url, "", None).get("/healthz").status,
        200
    );
    let printed = std::fs::read_to_string(file.path()).expect("the output");
    for token in printed
        .split_whitespace()
        .filter(|word| word.starts_with("eyJ"))
    {
        let (scim, api) = (
            server.scim(token).get("/Users").status,
            server.api(token).get("/courses").status,
        );
        assert!(
            (scim == 200) != (api == 200),
            "a token opens exactly one face: {scim}, {api}"
        );
    }
    assert_eq!(server.stop(), Some(0), "SIGTERM ends it well");
    printed
}

#[test]
fn commands_say_by_their_exit_code_what_happened() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.ok(&["migrate"]);
    binary.ok(&["migrate"]);
    binary.ok(&[
        "tenant",
        "create",
        "acme",
        "--plan",
        "starter",
        "--time-zone",
        "Europe/Berlin",
    ]);
    binary.ok(&["tenant", "set-plan", "acme", "business"]);
    binary.ok(&["check"]);
    for wrong in [
        &["nonsense"][..],
        &["tenant", "create"],
        &["tenant", "create", "x", "--plan", "gold"],
        &["token", "create", "--tenant", "acme", "--kind", "magic"],
    ] {
        assert_eq!(binary.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(
        binary.run(&["tenant", "create", "acme"]).status.code(),
        Some(1),
        "the name is taken"
    );
    assert_eq!(
        binary
            .run(&["token", "create", "--tenant", "nobody", "--kind", "scim"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        Binary::on("mysql://x").run(&["check"]).status.code(),
        Some(1)
    );
    let token = binary.ok(&[
        "token",
        "create",
        "--tenant",
        "acme",
        "--kind",
        "scim",
        "--expires",
        "1d",
    ]);
    assert_eq!(token.split('.').count(), 3, "the token alone\n{token}");
    assert!(binary.ok(&["token", "list"]).contains("scim"));
}

#[test]
fn a_starter_tenant_has_no_groups() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.ok(&["migrate"]);
    binary.ok(&["tenant", "create", "small", "--plan", "starter"]);
    let token = binary.token("small", "scim");
    let api = binary.token("small", "api");
    let server = binary.serve();
    server.scim(&token).post("/Users", &user("ann")).expect(201);
    let reply = server.api(&api).get("/groups");
    assert!(
        reply.status == 200 || reply.json["code"] == "plan_upgrade_required",
        "{reply:?}"
    );
    assert_eq!(
        server.scim(&token).get("/Users").expect(200).json["totalResults"],
        json!(1)
    );
}
