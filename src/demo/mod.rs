//! `rollcall demo`: the whole product on a throw-away database, told as a story.
//!
//! A server starts in this process; an Okta tenant and an Entra tenant, both played by us over HTTP with the bodies the real
//! ones send (`spec/idp-behavior.md` §2.2, §3.3–3.6), push people and groups into it. Every step prints what was sent, what
//! came back and what it caused. An answer the real ones would not accept ends the demo with an error.

mod client;
mod entra;
mod okta;
mod report;

use std::time::Instant as Stopwatch;

use anyhow::Context as _;
use serde_json::json;

use self::client::Client;
use crate::app::{self, Running};
use crate::auth::permission::TokenKind;
use crate::clock::Clock;
use crate::config::Config;
use crate::ids::TenantId;
use crate::learning::plan::SubscriptionPlan;
use crate::scim::quirks::Client as Idp;
use crate::service::tokens::NewToken;
use crate::service::{ServiceError, connections, tenants, tokens};

/// The demo's tenant.
const TENANT: &str = "Acme Academy";

/// Who plays: the REST client of the admin, one SCIM client per directory.
struct Stage {
    api: Client,
    okta: Client,
    entra: Client,
}

/// Plays the demo on a server that listens on `listen`; stays up afterwards unless `exit`.
pub fn run(listen: &str, exit: bool) -> anyhow::Result<()> {
    let started = Stopwatch::now();
    let clock = Clock::system();
    let running = app::spawn(
        Config {
            listen: listen.to_owned(),
            ..Config::throw_away()
        },
        clock.clone(),
    )?;
    report::chapter("A server on a throw-away database");
    report::line(&format!(
        "listening on {} after {} ms",
        running.url,
        started.elapsed().as_millis()
    ));
    let stage = prepare(&running, &clock)?;

    let courses = courses(&stage)?;
    okta::play(&stage, &courses)?;
    entra::play(&stage, &courses)?;
    report::people(&stage.api)?;
    report::enrollments(&stage.api)?;
    report::log(&stage.api)?;

    report::chapter("That was it");
    report::line(&format!(
        "{} requests in {} ms",
        client::sent(),
        started.elapsed().as_millis()
    ));
    if exit {
        return running.stop();
    }
    report::line("the server stays up until you interrupt it; look around with:");
    report::line(&format!(
        "  curl -H 'Authorization: Bearer {}' {}/scim/v2/Users",
        stage.okta.token(),
        running.url
    ));
    report::line(&format!(
        "  curl -H 'Authorization: Bearer {}' {}/api/v1/enrollments",
        stage.api.token(),
        running.url
    ));
    report::line(&format!(
        "  curl -H 'Authorization: Bearer {}' {}/api/v1/sync/requests",
        stage.api.token(),
        running.url
    ));
    running.wait()
}

/// Makes the tenant, its two connections and a token for each player.
fn prepare(running: &Running, clock: &Clock) -> anyhow::Result<Stage> {
    let now = clock.now();
    let make = move |db: &mut crate::store::Db| {
        let tenant =
            tenants::create(db, TENANT, SubscriptionPlan::Business, "Europe/Berlin", now)?.id;
        let mut token = |kind: TokenKind, directory: Option<(&str, Idp)>| {
            token(db, tenant, kind, directory, now)
        };
        Ok::<_, ServiceError>((
            token(TokenKind::Api, None)?,
            token(TokenKind::Scim, Some(("Okta", Idp::Okta)))?,
            token(TokenKind::Scim, Some(("Entra ID", Idp::Entra)))?,
        ))
    };
    let (api, okta, entra) = running
        .state
        .store
        .write_blocking("demo tenant", make)
        .context("the demo's tenant")?;
    report::line(&format!(
        "tenant `{TENANT}` on the Business plan, connections `Okta` and `Entra ID`"
    ));
    Ok(Stage {
        api: Client::new(format!("{}/api/v1", running.url), api, "application/json"),
        okta: Client::new(
            format!("{}/scim/v2", running.url),
            okta,
            "application/scim+json; charset=utf-8",
        ),
        entra: Client::new(
            format!("{}/scim/v2", running.url),
            entra,
            "application/scim+json",
        ),
    })
}

fn token(
    db: &mut crate::store::Db,
    tenant: TenantId,
    kind: TokenKind,
    directory: Option<(&str, Idp)>,
    now: crate::clock::Instant,
) -> Result<String, ServiceError> {
    let connection = match directory {
        Some((name, idp)) => Some(connections::create(db, tenant, name, idp, now)?),
        None => None,
    };
    let label = connection
        .as_ref()
        .map_or("demo", |connection| connection.name.as_str())
        .to_owned();
    let connection = connection.map(|connection| connection.id);
    Ok(tokens::create(
        db,
        &NewToken {
            label,
            connection,
            ..NewToken::of(tenant, kind)
        },
        now,
    )?
    .token)
}

/// The sample courses, published.
struct Courses {
    safety: String,
    privacy: String,
    lifting: String,
}

fn courses(stage: &Stage) -> anyhow::Result<Courses> {
    report::chapter("An admin makes three courses over REST");
    let make = |title: &str, code: &str| -> anyhow::Result<String> {
        let course = stage.api.post(
            "/courses",
            &json!({"title": title, "code": code, "status": "published"}),
            201,
        )?;
        report::line(&format!("course `{title}`"));
        client::id(&course)
    };
    Ok(Courses {
        safety: make("Fire safety", "FIRE-1")?,
        privacy: make("Data protection", "GDPR-1")?,
        lifting: make("Lifting and carrying", "LIFT-1")?,
    })
}

/// Assigns a course to a group as the admin would.
fn assign(
    stage: &Stage,
    group: &str,
    course: &str,
    title: &str,
    terms: serde_json::Value,
) -> anyhow::Result<()> {
    let mut body = json!({"course_id": course});
    if let (Some(body), serde_json::Value::Object(terms)) = (body.as_object_mut(), terms) {
        body.extend(terms);
    }
    stage
        .api
        .post(&format!("/groups/{group}/assignments"), &body, 201)?;
    report::line(&format!(
        "the admin assigns `{title}` {}",
        report::enrolled(&stage.api)?
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_story_ends_well() {
        super::run("127.0.0.1:0", true).expect("the demo plays to its end");
    }
}
