//! Two servers on one database, requests alternating between them: nobody notices. A SQLite file takes one server; there
//! the second must refuse to start and say why.

use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{add_members, json, patch, user};
use crate::learning::scenario;

#[test]
fn the_whole_story_holds_with_requests_alternating_between_two_servers() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    if !Database::can_be_shared() {
        return refused(&binary);
    }
    let (scim, api) = (binary.token("acme", "scim"), binary.token("acme", "api"));
    let (first, second) = (binary.serve(), binary.serve());
    scenario::play(&[
        (first.scim(&scim), first.api(&api)),
        (second.scim(&scim), second.api(&api)),
    ]);
    binary.ok(&["check"]);
    assert_eq!((first.stop(), second.stop()), (Some(0), Some(0)));
}

#[test]
fn both_servers_write_the_same_group_and_nothing_is_lost() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    if !Database::can_be_shared() {
        return refused(&binary);
    }
    let token = binary.token("acme", "scim");
    let servers = [binary.serve(), binary.serve()];
    let clients = [servers[0].scim(&token), servers[1].scim(&token)];
    let people: Vec<String> = (0..60)
        .map(|n| {
            clients[n % 2]
                .post("/Users", &user(&format!("learner{n}")))
                .expect(201)
                .id()
        })
        .collect();
    let group = clients[0]
        .post("/Groups", &crate::harness::group("Everybody", &[]))
        .expect(201)
        .id();
    std::thread::scope(|scope| {
        for (number, part) in people.chunks(15).enumerate() {
            let (client, group) = (&clients[number % 2], &group);
            scope.spawn(move || {
                for id in part {
                    client
                        .patch(
                            &format!("/Groups/{group}"),
                            &patch(json!([add_members(&[id])])),
                        )
                        .expect(204);
                }
            });
        }
    });
    assert_eq!(
        clients[1].get(&format!("/Groups/{group}")).members().len(),
        60
    );
    binary.ok(&["check"]);
}

#[test]
fn a_token_revoked_on_one_server_is_refused_by_the_other() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    if !Database::can_be_shared() {
        return refused(&binary);
    }
    let token = binary.token("acme", "scim");
    let servers = [binary.serve(), binary.serve()];
    for server in &servers {
        server.scim(&token).get("/Users").expect(200);
    }
    binary.ok(&["token", "revoke", &crate::harness::app::jti(&token)]);
    // Each server asks the database again after a few seconds.
    let started = std::time::Instant::now();
    while servers
        .iter()
        .any(|server| server.scim(&token).get("/Users").status != 401)
    {
        assert!(started.elapsed().as_secs() < 60, "the token still works");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

/// A second server on a SQLite file ends at once with an error; when the first is gone, the next may serve.
fn refused(binary: &Binary) {
    let first = binary.serve();
    let second = binary.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("served by another process"), "{said}");
    first.kill();
    assert_eq!(binary.serve().stop(), Some(0));
}
