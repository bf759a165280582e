//! Every example of the OpenAPI document is sent, and every answer is of the shape that the document promises.

use rollcall::http::api::conform::{self, Components};
use rollcall::http::api::openapi::DOCUMENT;

use super::walk::{Operation, Site, operations};
use crate::harness::{Reply, TestApp, Value};

fn components() -> Components {
    let schemas = DOCUMENT["components"]["schemas"]
        .as_object()
        .expect("schemas");
    schemas
        .iter()
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect()
}

/// What is wrong with an answer by the document.
fn wrong(operation: &Operation, reply: &Reply, components: &Components) -> Option<String> {
    let name = format!("{} {}", operation.method, operation.path);
    let answer = &operation.detail["responses"][reply.status.to_string()];
    if answer.is_null() {
        return Some(format!(
            "{name} answers {}, which is not described: {}",
            reply.status, reply.text
        ));
    }
    let kind = reply
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    let content = answer["content"].as_object();
    if reply.text.is_empty() {
        return content.map(|_| {
            format!(
                "{name} answers {} without the body that is described",
                reply.status
            )
        });
    }
    let Some(schema) = content
        .and_then(|content| content.get(&kind))
        .map(|one| &one["schema"])
    else {
        return Some(format!(
            "{name} answers {} as {kind}, which is not described",
            reply.status
        ));
    };
    if !kind.ends_with("json") {
        return None;
    }
    let errors = conform::check(schema, &reply.json, components);
    (!errors.is_empty()).then(|| format!("{name} answers {}: {errors:?}", reply.status))
}

/// Routes whose example needs what only longer work makes; their own tests send them.
fn needs_more(operation: &Operation, site: &Site) -> bool {
    let content = &operation.detail["requestBody"]["content"];
    content.get("text/csv").is_some()
        || operation
            .address(site)
            .contains("0199a2c4-0000-7000-8000-000000000001")
}

#[test]
fn every_example_is_taken_and_every_answer_has_its_shape() {
    let components = components();
    let mut problems: Vec<String> = Vec::new();
    for (name, schema) in &components {
        if let Some(example) = schema.get("example") {
            let errors = conform::check(schema, example, &components);
            if !errors.is_empty() {
                problems.push(format!("the example of {name}: {errors:?}"));
            }
        }
    }
    let app = TestApp::new();
    let mut succeeded = 0;
    for (n, operation) in operations().into_iter().enumerate() {
        let mark = format!("site{n}");
        let site = Site::of(&app, &mark);
        if needs_more(&operation, &site) {
            continue;
        }
        site.prepare(&operation);
        if operation.method != "GET" {
            let body = operation
                .body(&site)
                .map(|body| body.to_string().into_bytes());
            let address = operation.address(&site);
            let mark = if address.contains('?') { '&' } else { '?' };
            let plan = site.api.send(
                &operation.method,
                &format!("{address}{mark}dry_run=true"),
                body.as_deref(),
            );
            if plan.status == 200 {
                problems.extend(wrong(&operation, &plan, &components));
            } else {
                problems.push(format!(
                    "{} {} dry: {} {}",
                    operation.method, operation.path, plan.status, plan.text
                ));
            }
        }
        let reply = operation.send(&site.api, &site);
        if (200..300).contains(&reply.status) {
            succeeded += 1;
            problems.extend(wrong(&operation, &reply, &components));
        } else {
            problems.push(format!(
                "{} {}: {} {}",
                operation.method, operation.path, reply.status, reply.text
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(succeeded > 30, "{succeeded}");
}

#[test]
fn the_page_for_people_shows_every_operation_and_explains_every_code() {
    let app = TestApp::new();
    let browser = app.client("/api/v1", None);
    let page = browser.get("/docs");
    page.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    for operation in operations() {
        let address = format!("</span> <code>{}</code>", operation.path);
        assert!(page.text.contains(&address), "{address}");
    }
    // It works without a network: nothing but our own stylesheet, and no script.
    assert!(
        !page.text.contains("<script") && !page.text.contains("https://"),
        "nothing from elsewhere"
    );
    assert!(
        page.text.contains("<main")
            && page.text.contains("lang=\"en\"")
            && page.text.contains("class=\"skip\"")
    );
    assert!(
        browser
            .get("/docs.css")
            .expect(200)
            .text
            .contains("prefers-color-scheme: dark")
    );
    for part in page.text.split("href=\"#").skip(1) {
        let target = part.split('"').next().unwrap_or_default();
        assert!(
            page.text.contains(&format!("id=\"{target}\"")),
            "#{target} leads nowhere"
        );
    }
    let mut codes = Vec::new();
    for operation in operations() {
        for (status, answer) in operation.detail["responses"].as_object().expect("answers") {
            let description = answer["description"].as_str().unwrap_or_default();
            if status.starts_with(['4', '5']) {
                codes.extend(description.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    codes.retain(|code| {
        code.chars()
            .all(|one| one.is_ascii_lowercase() || one == '_')
    });
    assert!(codes.len() > 50);
    for code in codes {
        assert!(
            page.text.contains(&format!("id=\"problem-{code}\"")),
            "`{code}` is not explained"
        );
    }
}

#[test]
fn a_problem_leads_to_its_explanation() {
    let app = TestApp::new();
    let reply = app
        .api()
        .get("/groups/0199a2c4-0000-7000-8000-000000000001");
    let kind = reply.expect(404).json["type"]
        .as_str()
        .expect("a type")
        .to_owned();
    let anchor = kind
        .strip_prefix("/api/v1/docs#")
        .expect("an anchor of the page");
    let page = app.client("/api/v1", None).get("/docs");
    assert!(page.text.contains(&format!("id=\"{anchor}\"")));
    let _: &Value = &reply.json;
}
