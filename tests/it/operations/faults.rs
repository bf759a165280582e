//! What breaks around the server, and what it does then. C16, C18–C20, C24, C29, A22.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{Client, TestApp, user};

#[test]
fn a_server_that_is_told_to_stop_says_so_finishes_and_ends_well() {
    // C16, C29: not ready first, for load balancers to notice, and still serving
    let database = Database::fresh();
    let binary = Binary::on(&database.url).with("ROLLCALL_DRAIN_DELAY", "1s");
    binary.tenant("acme");
    let token = binary.token("acme", "scim");
    let server = binary.serve();
    let scim = server.scim(&token);
    scim.post("/Users", &user("ann")).expect(201);
    let probe = Client::new(&server.url, "", None);
    let told = Command::new("kill")
        .args(["-TERM", &server.pid().to_string()])
        .status();
    assert!(told.is_ok_and(|status| status.success()));
    let started = Instant::now();
    while probe.get("/readyz").status != 503 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it stays ready"
        );
    }
    probe.get("/healthz").expect(200);
    let last = scim.post("/Users", &user("bob"));
    last.expect(201);
    // a second signal ends the waiting
    assert_eq!(server.stop(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10));
    let again = binary.serve();
    assert_eq!(again.scim(&token).get("/Users").json["totalResults"], 2);
}

#[test]
fn a_full_disk_costs_writes_an_answer_of_503_and_nothing_else() {
    // C18: no wrong 2xx, reads go on, and all is well when there is room again
    let database = Database::file();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let token = binary.token("acme", "scim");
    let full = binary.serve_with_files_up_to(2 << 20);
    let scim = full.scim(&token);
    let mut made = Vec::new();
    let refused = (0..3_000).find_map(|n| {
        let mut body = user(&format!("u{n}"));
        body["title"] = "x".repeat(4_000).into();
        let reply = scim.post("/Users", &body);
        if reply.status == 201 {
            made.push(reply.id());
            return None;
        }
        Some(reply)
    });
    let refused = refused.expect("the disk is full before 3,000 users are made");
    refused.scim_failure(503);
    assert!(!refused.header("retry-after").is_empty());
    for hidden in ["disk", "SQL", "I/O"] {
        assert!(!refused.text.contains(hidden), "{refused:?}");
    }
    for id in made.iter().take(5) {
        scim.get(&format!("/Users/{id}")).expect(200);
    }
    Client::new(&full.url, "", None).get("/healthz").expect(200);
    full.kill();
    let roomy = binary.serve();
    let scim = roomy.scim(&token);
    for id in &made {
        scim.get(&format!("/Users/{id}")).expect(200);
    }
    scim.post("/Users", &user("afterwards")).expect(201);
    assert_eq!(roomy.stop(), Some(0));
    binary.ok(&["check"]);
}

#[test]
fn a_database_that_cannot_be_used_stops_the_start_and_is_named() {
    // C35: exit code 1, what it is about, no stack
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        at("broken.db"),
        "this is no database, and long enough to be seen as none",
    )
    .expect("a file");
    std::fs::create_dir(at("folder.db")).expect("a folder");
    for path in [
        at("broken.db"),
        at("folder.db"),
        at("nowhere/rollcall.db"),
        "/proc/rollcall.db".to_owned(),
    ] {
        let ended =
            Binary::on(&format!("sqlite://{path}")).run(&["serve", "--listen", "127.0.0.1:0"]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{path}: {said}");
        assert!(
            said.contains(&path) && !said.contains("panicked"),
            "{path}: {said}"
        );
    }
    let ended = Binary::on("postgres://rollcall@127.0.0.1:1/none").run(&["migrate"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("PostgreSQL"));
}

#[test]
fn an_address_in_use_stops_the_start_and_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let database = Database::fresh();
    let ended = Binary::on(&database.url).run(&["serve", "--listen", &address]);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains(&address), "{said}");
}

#[test]
fn servers_that_start_at_once_on_an_empty_database_make_one_tenant() {
    // C24, B19: one prints the credentials; on SQLite all but one refuse to serve
    let database = Database::fresh();
    let folder = tempfile::tempdir().expect("a folder");
    let outputs: Vec<_> = (0..3).map(|n| folder.path().join(n.to_string())).collect();
    std::thread::scope(|scope| {
        for output in &outputs {
            let url = &database.url;
            scope.spawn(move || {
                let file = std::fs::File::create(output).expect("a file");
                Binary::on(url).try_serve_into(file)
            });
        }
    });
    let told = outputs
        .iter()
        .map(|output| std::fs::read_to_string(output).expect("the output"))
        .filter(|text| text.contains("First start"))
        .count();
    assert_eq!(told, 1, "one of them made the credentials");
    let tenants = Binary::on(&database.url).ok(&["tenant", "list"]);
    assert_eq!(tenants.lines().count(), 1, "{tenants}");
}

#[test]
fn connections_that_the_database_drops_are_replaced_and_nobody_hears_of_a_bug() {
    // C20, A22: 2xx or 503, then 2xx; on SQLite nobody drops any
    let app = TestApp::new();
    let scim = app.scim();
    scim.post("/Users", &user("before")).expect(201);
    for round in 0..3 {
        app.drop_connections();
        for n in 0..12 {
            let made = scim.post("/Users", &user(&format!("u{round}.{n}")));
            assert!(matches!(made.status, 201 | 503), "{made:?}");
            let read = scim.get("/Users?filter=userName%20eq%20%22before%22");
            assert!(matches!(read.status, 200 | 503), "{read:?}");
        }
        scim.post("/Users", &user(&format!("after{round}")))
            .expect(201);
    }
    app.check();
}
