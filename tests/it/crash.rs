//! `kill -9` while 32 clients write: what was acknowledged is there after the restart, and `rollcall check` finds nothing.
//!
//! Five rounds; `ROLLCALL_CRASH_ROUNDS=50` plays more.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::harness::binary::Binary;
use crate::harness::build::{assign, course, pairs, rows};
use crate::harness::database::Database;
use crate::harness::{Client, add_members, group, json, patch, user};

/// What the server said is done.
#[derive(Default)]
struct Acknowledged {
    users: BTreeSet<String>,
    members: BTreeSet<String>,
}

#[test]
fn an_acknowledged_write_survives_kill_9() {
    let rounds: usize = std::env::var("ROLLCALL_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let (scim, api) = (binary.token("acme", "scim"), binary.token("acme", "api"));
    let mut server = binary.serve();
    let courses = [
        course(&server.api(&api), "Fire safety"),
        course(&server.api(&api), "Security basics"),
    ];
    let team = server
        .scim(&scim)
        .post("/Groups", &group("Everybody", &[]))
        .expect(201)
        .id();
    for course in &courses {
        assign(&server.api(&api), &team, course);
    }
    let acknowledged = Mutex::new(Acknowledged::default());
    let number = AtomicUsize::new(0);

    for round in 0..rounds {
        let stop = AtomicBool::new(false);
        let (done, news) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..32 {
                let client = server.scim(&scim);
                let (stop, number, acknowledged, team) = (&stop, &number, &acknowledged, &team);
                let done = done.clone();
                scope.spawn(move || write_until(&client, stop, number, acknowledged, team, &done));
            }
            // Another moment in each round: after so many members, whatever else is under way.
            for _ in 0..=40 + (round * 37) % 100 {
                news.recv_timeout(Duration::from_secs(30))
                    .expect("the server writes until it is killed");
            }
            server.kill();
            stop.store(true, Ordering::SeqCst);
        });
        binary.ok(&["check"]);
        server = binary.serve();
        verify(
            &server.scim(&scim),
            &server.api(&api),
            &acknowledged.lock().expect("the list"),
            &team,
            round,
        );
    }
    assert_eq!(server.stop(), Some(0));
    binary.ok(&["check"]);
}

/// Creates users and adds them to the group until the server is gone.
fn write_until(
    client: &Client,
    stop: &AtomicBool,
    number: &AtomicUsize,
    acknowledged: &Mutex<Acknowledged>,
    team: &str,
    done: &mpsc::Sender<()>,
) {
    while !stop.load(Ordering::SeqCst) {
        let name = format!("learner{}", number.fetch_add(1, Ordering::SeqCst));
        let Ok(created) =
            client.try_send("POST", "/Users", Some(user(&name).to_string().as_bytes()))
        else {
            return;
        };
        if created.status != 201 {
            continue;
        }
        let id = created.id();
        acknowledged
            .lock()
            .expect("the list")
            .users
            .insert(id.clone());
        let add = patch(json!([add_members(&[&id])])).to_string();
        let Ok(added) = client.try_send("PATCH", &format!("/Groups/{team}"), Some(add.as_bytes()))
        else {
            return;
        };
        if added.status == 204 {
            acknowledged.lock().expect("the list").members.insert(id);
            // Nobody counts any more once the server is killed.
            let _ = done.send(());
        }
    }
}

/// Everything acknowledged is there, and every member has both enrollments.
fn verify(scim: &Client, api: &Client, acknowledged: &Acknowledged, team: &str, round: usize) {
    let mut present = BTreeSet::new();
    loop {
        let page = scim.get(&format!(
            "/Users?attributes=userName&count=1000&startIndex={}",
            present.len() + 1
        ));
        let ids = page.expect(200).names("id");
        if ids.is_empty() {
            break;
        }
        present.extend(ids);
    }
    let lost: Vec<&String> = acknowledged.users.difference(&present).collect();
    assert!(lost.is_empty(), "round {round}: users lost: {lost:?}");
    let members: BTreeSet<String> = scim
        .get(&format!("/Groups/{team}"))
        .expect(200)
        .members()
        .into_iter()
        .collect();
    let lost: Vec<&String> = acknowledged.members.difference(&members).collect();
    assert!(lost.is_empty(), "round {round}: members lost: {lost:?}");
    let mut enrolled = pairs(&rows(api, "/enrollments"));
    let count = enrolled.len();
    enrolled.dedup();
    assert_eq!(enrolled.len(), count, "round {round}: an enrollment twice");
    assert_eq!(
        count,
        2 * members.len(),
        "round {round}: every member has both enrollments and nobody else has any"
    );
}
