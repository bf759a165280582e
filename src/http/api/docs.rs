//! `/api/v1/docs`: the OpenAPI document as a page for people. HTML from the server, no script, nothing from elsewhere.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Map, Value};

use super::codes::CODES;
use super::openapi::DOCUMENT;

static PAGE: LazyLock<String> = LazyLock::new(|| page(&DOCUMENT));

/// Nothing but our own stylesheet may load; the page cannot be framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// `GET /api/v1/docs`
pub async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .content_type("text/html; charset=utf-8")
        .body(PAGE.as_str())
}

/// `GET /api/v1/docs.css`
pub async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("docs.css"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Text of the document: escaped, and what stands between backticks as code.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (n, part) in escaped(text).split('`').enumerate() {
        if n % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
        } else {
            html.push_str(part);
        }
    }
    html
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn fields<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

/// The anchor of an operation.
fn anchor(method: &str, path: &str) -> String {
    let path: String = path
        .chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() {
                one
            } else {
                '-'
            }
        })
        .collect();
    format!("{method}{path}")
}

fn page(document: &Value) -> String {
    let mut operations: Vec<(&str, &str, &str, &Value)> = Vec::new();
    for (path, item) in fields(document, "paths") {
        for (method, operation) in item.as_object().into_iter().flat_map(Map::iter) {
            let tag = list(operation, "tags").first().and_then(Value::as_str);
            operations.push((tag.unwrap_or("Other"), path, method, operation));
        }
    }
    let mut tags: Vec<&str> = Vec::new();
    for (tag, ..) in &operations {
        if !tags.contains(tag) {
            tags.push(tag);
        }
    }
    let (mut menu, mut body) = (String::new(), String::new());
    for tag in &tags {
        let id = escaped(&tag.to_lowercase().replace(' ', "-"));
        let _ = write!(menu, "<li><a href=\"#{id}\">{0}</a><ul>", escaped(tag));
        let _ = write!(
            body,
            "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{0}</h2>",
            escaped(tag)
        );
        for (_, path, method, operation) in operations.iter().filter(|(other, ..)| other == tag) {
            let at = anchor(method, path);
            let _ = write!(
                menu,
                "<li><a href=\"#{at}\"><span class=\"method\">{}</span> {}</a></li>",
                method.to_uppercase(),
                escaped(path)
            );
            one(&mut body, &at, method, path, operation);
        }
        menu.push_str("</ul></li>");
        body.push_str("</section>");
    }
    body.push_str("<section aria-labelledby=\"problems\"><h2 id=\"problems\">Problems</h2><p>A refused request is answered with <code>application/problem+json</code> (RFC 9457). Programs go by <code>code</code>, which does not change.</p><table><thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Status</th><th scope=\"col\">What to do</th></tr></thead><tbody>");
    for (code, status, advice) in CODES {
        let _ = write!(
            body,
            "<tr id=\"problem-{code}\"><th scope=\"row\"><code>{code}</code></th><td>{status}</td><td>{}</td></tr>",
            prose(advice)
        );
    }
    body.push_str("</tbody></table></section><section aria-labelledby=\"shapes\"><h2 id=\"shapes\">Shapes</h2>");
    if let Some(components) = document.get("components") {
        for (name, schema) in fields(components, "schemas") {
            let _ = write!(
                body,
                "<article id=\"shape-{0}\"><h3>{0}</h3><p>{1}</p>{2}</article>",
                escaped(name),
                prose(text(schema, "description")),
                shape(schema)
            );
        }
    }
    body.push_str("</section>");
    let info = document.get("info").unwrap_or(&Value::Null);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"stylesheet\" href=\"/api/v1/docs.css\"></head><body><a class=\"skip\" href=\"#content\">Skip to the content</a>\
         <header><h1>{title} <small>{version}</small></h1><p>{description}</p>\
         <p>As data: <a href=\"/api/v1/openapi.json\">openapi.json</a>. Every path stands below <code>/api/v1</code>; send \
         <code>Authorization: Bearer</code> with a token of kind <code>api</code>.</p></header>\
         <nav aria-label=\"Operations\"><ul>{menu}<li><a href=\"#problems\">Problems</a></li><li><a href=\"#shapes\">Shapes</a></li></ul></nav>\
         <main id=\"content\">{body}</main></body></html>",
        title = escaped(text(info, "title")),
        version = escaped(text(info, "version")),
        description = prose(text(info, "description")),
    )
}

/// One operation.
fn one(html: &mut String, at: &str, method: &str, path: &str, operation: &Value) {
    let _ = write!(
        html,
        "<article aria-labelledby=\"{at}\"><h3 id=\"{at}\"><span class=\"method {method}\">{}</span> <code>{}</code></h3><p>{} {}</p>",
        method.to_uppercase(),
        escaped(path),
        prose(text(operation, "summary")),
        prose(text(operation, "description"))
    );
    let scopes: Vec<String> = list(operation, "security")
        .iter()
        .flat_map(|one| list(one, "token"))
        .filter_map(Value::as_str)
        .map(|scope| format!("<code>{}</code>", escaped(scope)))
        .collect();
    let needs = if scopes.is_empty() {
        "any token of the REST API".to_owned()
    } else {
        scopes.join(", ")
    };
    let _ = write!(html, "<p>Needs: {needs}</p>");
    let parameters = list(operation, "parameters");
    if !parameters.is_empty() {
        html.push_str("<table><caption>Parameters</caption><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
        for parameter in parameters {
            let required = parameter.get("required").and_then(Value::as_bool) == Some(true);
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{}</code>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(text(parameter, "name")),
                if required { " (required)" } else { "" },
                escaped(text(parameter, "in")),
                kind(parameter.get("schema").unwrap_or(&Value::Null)),
                prose(text(parameter, "description"))
            );
        }
        html.push_str("</tbody></table>");
    }
    if let Some(body) = operation.get("requestBody") {
        for (media, content) in fields(body, "content") {
            let _ = write!(
                html,
                "<p>Body (<code>{}</code>): {}</p>",
                escaped(media),
                kind(content.get("schema").unwrap_or(&Value::Null))
            );
        }
    }
    html.push_str("<table><caption>Answers</caption><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Meaning</th><th scope=\"col\">Body</th></tr></thead><tbody>");
    for (status, answer) in fields(operation, "responses") {
        let bodies: Vec<String> = fields(answer, "content")
            .map(|(_, content)| kind(content.get("schema").unwrap_or(&Value::Null)))
            .collect();
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            escaped(status),
            prose(text(answer, "description")),
            bodies.join(" or ")
        );
    }
    html.push_str("</tbody></table></article>");
}

/// A schema in a few words, with a link where it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = escaped(name.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        let several: Vec<String> = list(schema, word).iter().map(kind).collect();
        if !several.is_empty() {
            return several.join(" or ");
        }
    }
    let values: Vec<String> = list(schema, "enum")
        .iter()
        .filter_map(Value::as_str)
        .map(|one| format!("<code>{}</code>", escaped(one)))
        .collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    let named = match schema.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => {
            let several: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            several.join(" or ")
        }
        _ => "any".to_owned(),
    };
    if let Some(inner) = schema.get("items") {
        return format!("list of {}", kind(inner));
    }
    match schema.get("format").and_then(Value::as_str) {
        Some(format) => format!("{} ({})", escaped(&named), escaped(format)),
        None => escaped(&named),
    }
}

/// The fields of a schema, or what else it is; with its example.
fn shape(schema: &Value) -> String {
    let mut html = String::new();
    let required: Vec<&str> = list(schema, "required")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut rows = fields(schema, "properties").peekable();
    if rows.peek().is_none() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    } else {
        html.push_str("<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
        for (name, field) in rows {
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{}</code>{}</th><td>{}</td><td>{}</td></tr>",
                escaped(name),
                if required.contains(&name.as_str()) {
                    " (required)"
                } else {
                    ""
                },
                kind(field),
                prose(text(field, "description"))
            );
        }
        html.push_str("</tbody></table>");
    }
    if let Some(example) = schema.get("example") {
        let pretty = serde_json::to_string_pretty(example).unwrap_or_default();
        let _ = write!(
            html,
            "<details><summary>Example</summary><pre tabindex=\"0\">{}</pre></details>",
            escaped(&pretty)
        );
    }
    html
}
