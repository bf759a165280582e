//! How much a token and an address may send. B28, B33, E22; row SE-06.

use crate::harness::{Reply, TestApp, json, user};

/// A server that lets so many writes per second and wrong tokens per minute through.
fn limited(writes: Option<u32>, failures: Option<u32>) -> TestApp {
    TestApp::configured(|config| {
        config.limits.writes_per_second = writes;
        config.limits.failures_per_minute = failures;
    })
}

/// The first answer among so many that is a 429.
fn first_429(count: usize, mut send: impl FnMut() -> Reply) -> Option<Reply> {
    (0..count).map(|_| send()).find(|reply| reply.status == 429)
}

fn seconds(reply: &Reply) -> u64 {
    let text = reply.header("retry-after");
    text.parse()
        .unwrap_or_else(|_| panic!("whole seconds: {text}"))
}

#[test]
fn a_token_over_its_rate_hears_429_in_the_shape_of_its_api_and_others_go_on() {
    // B28, E22, SE-06; MT-07: another token and another tenant have buckets of their own
    let app = limited(Some(10), None);
    let scim = app.scim();
    let refused = first_429(60, || scim.post("/Users/.search", &json!({"schemas": []})));
    assert!(
        refused.is_some(),
        "searches are reads, and have a limit, too"
    );
    let mut n = 0;
    let refused = first_429(60, || {
        n += 1;
        scim.post("/Users", &user(&format!("u{n}")))
    });
    let refused = refused.expect("60 writes at once are more than 10 per second");
    refused.scim_failure(429);
    assert!((1..=6).contains(&seconds(&refused)), "{refused:?}");
    assert!(refused.text.contains("10 writes per second"), "{refused:?}");

    let (theirs, _) = app.other_tenant();
    theirs.post("/Users", &user("ann")).expect(201);
    let second = app.client("/scim/v2", Some(&app.token("scim", None, None)));
    second.post("/Users", &user("second")).expect(201);

    let api = app.api();
    let reply = api.get("/courses");
    let reply = reply.expect(200);
    assert_eq!(reply.header("ratelimit-policy"), "\"reads\";q=40;w=2");
    assert!(
        reply.header("ratelimit").starts_with("\"reads\";r=3"),
        "{reply:?}"
    );
    let refused = first_429(60, || api.get("/courses")).expect("60 reads are more than 40");
    assert_eq!(refused.json["code"], "rate_limited");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert!(seconds(&refused) >= 1);

    let told = app.client("", None).get("/metrics").text;
    assert!(
        !told.contains("ratelimited_total{kind=\"writes\"} 0"),
        "{told}"
    );
}

#[test]
fn operations_of_a_bulk_request_are_counted_one_by_one() {
    // B28: ten times as many as writes
    let app = limited(Some(10), None);
    let bulk = |from: usize, count: usize| {
        let operations: Vec<_> = (from..from + count)
            .map(|n| json!({"method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": user(&format!("u{n}"))}))
            .collect();
        app.scim().post(
            "/Bulk",
            &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}),
        )
    };
    bulk(0, 200).expect(200);
    let refused = bulk(1000, 200);
    refused.scim_failure(429);
    assert!(seconds(&refused) >= 1);
    assert_eq!(
        app.scim().get("/Users").expect(200).json["totalResults"],
        200
    );
}

#[test]
fn an_identity_providers_push_never_meets_the_default_limits() {
    // idp-behavior §16: 30 requests per second steady, and ten times that
    let app = limited(Some(1000), Some(20));
    let scim = app.scim();
    for n in 0..300 {
        scim.post("/Users", &user(&format!("u{n}"))).expect(201);
        scim.get(&format!("/Users?filter=userName%20eq%20%22u{n}%22"))
            .expect(200);
    }
}

#[test]
fn wrong_tokens_are_told_to_wait_and_a_good_one_from_the_same_address_is_not() {
    // B33: 300 bad tokens, then the good one
    let app = limited(None, Some(20));
    let replies: Vec<Reply> = (0..300)
        .map(|n| {
            app.client("/scim/v2", Some(&format!("wrong{n}")))
                .get("/Users")
        })
        .collect();
    let unauthenticated = replies.iter().filter(|reply| reply.status == 401).count();
    assert!((20..40).contains(&unauthenticated), "{unauthenticated}");
    for reply in replies.iter().filter(|reply| reply.status != 401) {
        reply.scim_failure(429);
        assert!(seconds(reply) >= 1);
    }
    app.scim().get("/Users").expect(200);
    app.api().get("/courses").expect(200);
    let problem = app.client("/api/v1", Some("wrong")).get("/courses");
    assert_eq!(problem.expect(429).json["code"], "rate_limited");
    // who sends none guesses nothing: a probe hears what it always heard
    app.client("/scim/v2", None).get("/Users").scim_failure(401);
    let told = app.client("", None).get("/metrics").text;
    assert!(told.contains("rollcall_auth_failures_total 301"), "{told}");
}

#[test]
fn a_server_without_limits_says_so() {
    // B28: `/readyz` then says so
    let ready = |app: &TestApp| app.client("", None).get("/readyz").expect(200).text.clone();
    assert_eq!(ready(&limited(Some(100), Some(20))), "ready\n");
    assert_eq!(
        ready(&limited(None, Some(20))),
        "ready\nrate limits are off\n"
    );
    assert!(ready(&limited(None, None)).contains("failure limits are off"));
}
