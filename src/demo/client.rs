//! A player's HTTP client: one base address, one token, and the status each step must get.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request};

static SENT: AtomicU64 = AtomicU64::new(0);

/// How many requests all players have sent.
pub fn sent() -> u64 {
    SENT.load(Ordering::Relaxed)
}

pub struct Client {
    agent: Agent,
    base: String,
    token: String,
    media_type: &'static str,
}

impl Client {
    pub fn new(base: String, token: String, media_type: &'static str) -> Self {
        let agent =
            Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build());
        Self {
            agent,
            base,
            token,
            media_type,
        }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn get(&self, path: &str, status: u16) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None, status)
    }

    pub fn post(&self, path: &str, body: &Value, status: u16) -> anyhow::Result<Value> {
        self.send(Method::POST, path, Some(body), status)
    }

    pub fn put(&self, path: &str, body: &Value, status: u16) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, Some(body), status)
    }

    pub fn patch(&self, path: &str, body: &Value, status: u16) -> anyhow::Result<Value> {
        self.send(Method::PATCH, path, Some(body), status)
    }

    /// Sends a request; an answer with another status than the one that must come is an error that shows it.
    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        status: u16,
    ) -> anyhow::Result<Value> {
        SENT.fetch_add(1, Ordering::Relaxed);
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", self.media_type);
        let mut answer = match body {
            Some(body) => self.agent.run(
                request
                    .header("Content-Type", self.media_type)
                    .body(body.to_string())?,
            ),
            None => self.agent.run(request.body(())?),
        }
        .with_context(|| format!("{method} {path}"))?;
        let text = answer
            .body_mut()
            .read_to_string()
            .with_context(|| format!("the answer to {method} {path}"))?;
        if answer.status().as_u16() != status {
            let sent = body.map(Value::to_string).unwrap_or_default();
            bail!(
                "{method} {path} {sent}\nwas answered {} instead of {status}: {text}",
                answer.status()
            );
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .with_context(|| format!("the answer to {method} {path} is not JSON: {text}"))
    }
}

/// The `id` of an answer.
pub fn id(answer: &Value) -> anyhow::Result<String> {
    Ok(answer["id"]
        .as_str()
        .context("an answer without an id")?
        .to_owned())
}

/// `totalResults` of a list.
pub fn total(answer: &Value) -> anyhow::Result<u64> {
    answer["totalResults"]
        .as_u64()
        .context("a list without totalResults")
}

/// A filter as a query value, percent-encoded.
pub fn encoded(filter: &str) -> String {
    let mut text = String::new();
    for byte in filter.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
