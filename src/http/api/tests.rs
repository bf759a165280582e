//! The REST API through its routes: what a script sees.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{App, test, web};
use serde_json::{Value, json};

use crate::auth::permission::{Permission, Permissions, TokenKind};
use crate::clock::{Clock, Instant};
use crate::http::{AppState, api, health};
use crate::ids::{LearnerId, TenantId, UserId};
use crate::learning::plan::SubscriptionPlan;
use crate::scim::schema::Registry;
use crate::service::directory::bindings::LearnerFacts;
use crate::service::sync_log::SyncLogger;
use crate::service::tokens::{self, Gate, NewToken};
use crate::service::{Scope, ServiceError, check, learners, tenants};
use crate::store::queries::counters;
use crate::store::statement::Stmt;
use crate::store::{Db, Store, StoreOptions};

struct Site {
    state: web::Data<AppState>,
    tenant: TenantId,
    token: String,
    reader: String,
}

struct Reply {
    status: StatusCode,
    tag: Option<String>,
    body: Value,
}

impl Site {
    fn open() -> Result<Self, ServiceError> {
        let store = Store::open("sqlite://:memory:", StoreOptions::default())?;
        let now = Instant(1_772_355_600_000);
        let (tenant, token, reader, keys) = store.write_blocking("site", move |db: &mut Db| {
            let tenant =
                tenants::create(db, "Acme", SubscriptionPlan::Business, "Europe/Berlin", now)?.id;
            let token = tokens::create(db, &NewToken::of(tenant, TokenKind::Api), now)?.token;
            let permissions = Permissions::none().with(Permission::GroupsRead);
            let reader = tokens::create(
                db,
                &NewToken {
                    permissions,
                    ..NewToken::of(tenant, TokenKind::Api)
                },
                now,
            )?
            .token;
            Ok::<_, ServiceError>((tenant, token, reader, tokens::key_ring(db)?))
        })?;
        let registry =
            Registry::builtin().map_err(|error| ServiceError::Bug(anyhow::anyhow!("{error}")))?;
        let state = web::Data::new(AppState {
            log: SyncLogger::start(store.clone()),
            store,
            registry: Arc::new(registry),
            clock: Clock::frozen(now),
            public_url: None,
            tokens: Arc::new(Gate::new(keys)),
            metrics: Arc::new(health::Metrics::default()),
            in_flight: api::in_flight::InFlight::default(),
            limits: Arc::new(crate::http::limits::Limits::new(Default::default())),
            cursor_key: Arc::new([7; 32]),
        });
        Ok(Self {
            state,
            tenant,
            token,
            reader,
        })
    }

    /// A learner with an account, as a directory would make one.
    fn learner(&self, name: &'static str, approved: bool) -> Result<LearnerId, ServiceError> {
        let scope = Scope::system(self.tenant, "test", self.state.clock.now());
        self.state.store.write_blocking("learner", move |db| {
            let user = UserId::new();
            let facts = LearnerFacts { display_name: name.to_owned(), email: None, active: true, external_id: None };
            let learner = learners::for_new_account(db, &scope, user, facts)?.id;
            let sql = "INSERT INTO users (tenant_id, id, learner_id, user_name, user_name_key, active, version, created_at, modified_at, doc) \
                       VALUES (?, ?, ?, ?, ?, ?, 1, 0, 0, '{}')";
            db.execute(Stmt::new(sql).bind(scope.tenant).bind(user).bind(learner).bind(name).bind(name).bind(true))?;
            counters::add(db, scope.tenant, "users", user.0, 1)?;
            if !approved {
                learners::reject(db, &scope, learner)?;
            }
            Ok::<_, ServiceError>(learner)
        })
    }

    async fn send(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let app = test::init_service(
            App::new()
                .app_data(self.state.clone())
                .configure(api::configure),
        )
        .await;
        let mut request = test::TestRequest::with_uri(&format!("/api/v1{path}")).method(method);
        request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        if let Some(body) = body {
            request = request.set_json(body);
        }
        let response = test::call_service(&app, request.to_request()).await;
        let (status, tag) = (
            response.status(),
            response
                .headers()
                .get(header::ETAG)
                .and_then(|tag| tag.to_str().ok())
                .map(str::to_owned),
        );
        let bytes = test::read_body(response).await;
        Reply {
            status,
            tag,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(&self.token, Method::GET, path, &[], None).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(&self.token, Method::POST, path, &[], Some(body))
            .await
    }
}

fn id(reply: &Reply) -> String {
    reply.body["id"].as_str().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn a_script_makes_a_group_assigns_a_course_and_adds_a_learner() -> Result<(), ServiceError> {
    let site = Site::open()?;
    let ann = site.learner("ann", true)?;
    let group = site
        .post("/groups", json!({"name": " Sales ", "color": "#2563eb"}))
        .await;
    assert_eq!(
        (group.status, group.tag.as_deref()),
        (StatusCode::CREATED, Some("\"1\"")),
        "{}",
        group.body
    );
    assert_eq!(
        (
            &group.body["name"],
            &group.body["color"],
            &group.body["origin"]
        ),
        (&json!("Sales"), &json!("#2563EB"), &json!("rest"))
    );
    let group = id(&group);
    let course = id(&site
        .post("/courses", json!({"title": "Security", "code": "SEC"}))
        .await);
    let body = json!({"course_id": course, "mandatory": true, "due": {"kind": "date", "date": "2026-03-31"}, "recert_months": 12});
    let assigned = site
        .post(&format!("/groups/{group}/assignments"), body.clone())
        .await;
    assert_eq!(assigned.status, StatusCode::CREATED, "{}", assigned.body);
    assert_eq!(assigned.body["due"], body["due"]);
    let again = site
        .post(&format!("/groups/{group}/assignments"), body)
        .await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (StatusCode::CONFLICT, &json!("already_assigned"))
    );
    let added = site
        .post(
            &format!("/groups/{group}/members"),
            json!({"learners": [{"id": ann}]}),
        )
        .await;
    assert_eq!(
        (added.status, &added.body["enrollments_created"]),
        (StatusCode::OK, &json!(1)),
        "{}",
        added.body
    );
    let again = site
        .post(
            &format!("/groups/{group}/members"),
            json!({"learners": [{"user_name": "ANN"}]}),
        )
        .await;
    assert_eq!(
        (&again.body["outcome"], &again.body["results"][0]["outcome"]),
        (&json!("no_op"), &json!("no_op"))
    );
    let enrollments = site.get(&format!("/enrollments?learner_id={ann}")).await;
    let first = &enrollments.body["data"][0];
    assert_eq!(
        (&first["status"], &first["mandatory"], &first["due"]),
        (&json!("not_started"), &json!(true), &json!("2026-03-31"))
    );
    assert_eq!(first["due_set_by"]["group"], json!("Sales"));
    let one = site
        .get(&format!(
            "/enrollments/{}",
            first["id"].as_str().unwrap_or_default()
        ))
        .await;
    assert_eq!(&one.body, first);
    let why = site
        .get(&format!("/explain?learner={ann}&course={course}"))
        .await;
    assert_eq!(why.body["enrolled"], json!(true));
    let removed = site
        .send(
            &site.token,
            Method::DELETE,
            &format!("/groups/{group}/members/{ann}"),
            &[],
            None,
        )
        .await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(
        site.get(&format!("/groups/{group}/members")).await.body["data"],
        json!([])
    );
    assert_eq!(
        site.get("/enrollments").await.body["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let (tenant, now) = (site.tenant, site.state.clock.now());
    let findings = site
        .state
        .store
        .read_blocking(|db| check::check(db, tenant, now))?;
    assert!(findings.is_empty(), "{findings:?}");
    Ok(())
}

#[actix_web::test]
async fn a_learner_who_is_not_approved_is_refused_or_pended() -> Result<(), ServiceError> {
    let site = Site::open()?;
    let bob = site.learner("bob", false)?;
    let group = id(&site.post("/groups", json!({"name": "Sales"})).await);
    let path = format!("/groups/{group}/members");
    let refused = site
        .post(
            &path,
            json!({"learners": [{"id": bob}, {"user_name": "ghost"}]}),
        )
        .await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!("learner_not_eligible")
        )
    );
    assert_eq!(refused.body["errors"][0]["code"], json!("rejected"));
    assert_eq!(refused.body["errors"][1]["code"], json!("not_found"));
    let pended = site
        .post(
            &path,
            json!({"learners": [{"id": bob}], "on_ineligible": "pend"}),
        )
        .await;
    assert_eq!(pended.body["results"][0]["outcome"], json!("pended"));
    let waiting = site.get(&format!("{path}?state=pending")).await;
    assert_eq!(waiting.body["data"][0]["waiting_for"], json!("rejected"));
    let approved = site
        .send(
            &site.token,
            Method::POST,
            &format!("/learners/{bob}/approve"),
            &[],
            None,
        )
        .await;
    assert_eq!(approved.body["approval"], json!("approved"));
    assert_eq!(
        site.get(&format!("/learners/{bob}")).await.body["groups"][0]["state"],
        json!("active")
    );
    Ok(())
}

#[actix_web::test]
async fn versions_guard_edits() -> Result<(), ServiceError> {
    let site = Site::open()?;
    let path = format!(
        "/groups/{}",
        id(&site.post("/groups", json!({"name": "Sales"})).await)
    );
    let edit = async |tag: &'static str, body: Value| {
        site.send(
            &site.token,
            Method::PATCH,
            &path,
            &[("if-match", tag)],
            Some(body),
        )
        .await
    };
    let edited = edit("\"1\"", json!({"description": "Field sales"})).await;
    assert_eq!(
        (edited.status, edited.tag.as_deref()),
        (StatusCode::OK, Some("\"2\""))
    );
    let stale = edit("\"1\"", json!({"description": null})).await;
    assert_eq!(
        (stale.status, &stale.body["code"]),
        (StatusCode::PRECONDITION_FAILED, &json!("version_conflict"))
    );
    assert_eq!(
        edit("W/\"2\"", json!({"description": null})).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        edit("*", json!({"description": null})).await.body["description"],
        Value::Null
    );
    let shown = site.get(&path).await;
    let tag = shown.tag.unwrap_or_default();
    assert!(tag.starts_with("\"3-"), "version and digest: {tag}");
    let known = site
        .send(
            &site.token,
            Method::GET,
            &path,
            &[("if-none-match", tag.as_str())],
            None,
        )
        .await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    Ok(())
}

#[actix_web::test]
async fn typos_rights_and_foreign_ids_are_refused() -> Result<(), ServiceError> {
    let site = Site::open()?;
    for (path, status, code) in [
        (
            "/groups?colour=red",
            StatusCode::BAD_REQUEST,
            "unknown_parameter",
        ),
        (
            "/groups?limit=0",
            StatusCode::BAD_REQUEST,
            "invalid_parameter",
        ),
        ("/groups?cursor=%25", StatusCode::BAD_REQUEST, "bad_cursor"),
        ("/groups/0199a2c4", StatusCode::NOT_FOUND, "not_found"),
    ] {
        let reply = site.get(path).await;
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (status, &json!(code)),
            "{path}"
        );
    }
    let dry = site
        .post("/groups?dry_run=true", json!({"name": "Sales"}))
        .await;
    assert_eq!(
        (dry.status, &dry.body["response"]["status"]),
        (StatusCode::OK, &json!(201))
    );
    assert_eq!(site.get("/groups").await.body["data"], json!([]));
    let typo = site.post("/groups", json!({"nome": "Sales"})).await;
    assert_eq!(
        (typo.status, &typo.body["code"]),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!("validation_failed")
        )
    );
    let read = site
        .send(&site.reader, Method::GET, "/groups", &[], None)
        .await;
    assert_eq!(read.status, StatusCode::OK);
    let write = site
        .send(
            &site.reader,
            Method::POST,
            "/groups",
            &[],
            Some(json!({"name": "Sales"})),
        )
        .await;
    assert_eq!(
        (write.status, &write.body["code"]),
        (StatusCode::FORBIDDEN, &json!("forbidden"))
    );
    assert!(
        write.body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("groups:write"))
    );
    let text = site
        .send(
            &site.token,
            Method::POST,
            "/groups",
            &[("content-type", "text/plain")],
            None,
        )
        .await;
    assert_eq!(text.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    Ok(())
}

#[actix_web::test]
async fn pages_follow_their_cursor_to_the_end() -> Result<(), ServiceError> {
    let site = Site::open()?;
    for name in ["delta", "Alpha", "charlie", "Bravo", "echo"] {
        assert_eq!(
            site.post("/groups", json!({"name": name})).await.status,
            StatusCode::CREATED
        );
    }
    let mut names = Vec::new();
    let mut path = "/groups?limit=2".to_owned();
    loop {
        let page = site.get(&path).await.body;
        names.extend(
            page["data"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|group| group["name"].clone()),
        );
        match page["page"]["next_cursor"].as_str() {
            Some(cursor) => path = format!("/groups?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(names, ["Alpha", "Bravo", "charlie", "delta", "echo"]);
    Ok(())
}
