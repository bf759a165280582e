//! A client of one face of the server, and the answers it gets. A failing expectation prints request and answer.

use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::wire::{self, Connection};

/// Speaks to one base path with one token; cheap to clone, usable from many threads.
#[derive(Clone)]
pub struct Client {
    address: String,
    base: String,
    headers: Vec<(String, String)>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// One answer, and the request it belongs to.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The parsed body; `null` when there is none or it is not JSON.
    pub json: Value,
    asked: String,
}

impl Client {
    /// A client of `http://address` + `base`, with an `Authorization` header when there is a token.
    pub fn new(url: &str, base: &str, token: Option<&str>) -> Self {
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let headers = token
            .map(|token| ("Authorization".to_owned(), format!("Bearer {token}")))
            .into_iter()
            .collect();
        Self {
            address,
            base: base.to_owned(),
            headers,
            idle: Arc::default(),
        }
    }

    /// The same client with one more header on every request.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client
            .headers
            .retain(|(one, _)| !one.eq_ignore_ascii_case(name));
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client with another line of a header it has already.
    pub fn and_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client without a header.
    pub fn without_header(&self, name: &str) -> Self {
        let mut client = self.clone();
        client
            .headers
            .retain(|(one, _)| !one.eq_ignore_ascii_case(name));
        client
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None)
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, Some(body.to_string().as_bytes()))
    }

    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, Some(body.to_string().as_bytes()))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, Some(body.to_string().as_bytes()))
    }

    /// Any method, any bytes. `path` is relative to the client's base; what a URL cannot hold is percent-encoded.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Reply {
        self.try_send(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {}{path}: no answer: {error}", self.base))
    }

    /// [`Client::send`] that hands out the error of the connection.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
    ) -> std::io::Result<Reply> {
        let target = encode(&format!("{}{path}", self.base));
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let named = |name: &str| {
            self.headers
                .iter()
                .any(|(one, _)| one.eq_ignore_ascii_case(name))
        };
        if body.is_some() && !named("content-type") {
            headers.push((
                "Content-Type",
                if self.base.starts_with("/scim") {
                    "application/scim+json"
                } else {
                    "application/json"
                },
            ));
        }
        headers.retain(|(_, value)| !value.is_empty());
        let bytes = wire::request(method, &target, &headers, body);
        let mut connection = self
            .idle
            .lock()
            .ok()
            .and_then(|mut idle| idle.pop())
            .unwrap_or_else(|| Connection::new(&self.address));
        let answer = connection.send(&bytes)?;
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(connection);
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let mut asked = format!("{method} {target}");
        if let Some(body) = body {
            let body = String::from_utf8_lossy(body);
            let _ = write!(asked, "\n{}", body.chars().take(2000).collect::<String>());
        }
        Ok(Reply {
            status: answer.status,
            headers: answer.headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            bytes: answer.body,
            asked,
        })
    }
}

impl Reply {
    /// The text of a body that came compressed.
    #[track_caller]
    pub fn gunzipped(&self) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(self.bytes.as_slice())
            .read_to_string(&mut text)
            .unwrap_or_else(|error| panic!("gzip: {error}\n{self:?}"));
        text
    }

    /// The first header of a name (lower case), or `""`.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(one, _)| one == name)
            .map_or("", |(_, value)| value)
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "status\n{self:?}");
        self
    }

    /// Fails the test if the server says that it failed.
    #[track_caller]
    pub fn expect_below_500(&self) -> &Self {
        assert!(self.status < 500, "{self:?}");
        self
    }

    /// Fails the test unless the answer is a SCIM error with this `scimType` and the status that belongs to it.
    #[track_caller]
    pub fn scim_error(&self, keyword: &str) -> &Self {
        let status = match keyword {
            "uniqueness" => 409,
            "sensitive" => 403,
            _ => 400,
        };
        self.scim_failure(status);
        assert_eq!(self.json["scimType"], keyword, "scimType\n{self:?}");
        self
    }

    /// Fails the test unless the answer is a SCIM error of this status (RFC 7644 §3.12).
    #[track_caller]
    pub fn scim_failure(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "status\n{self:?}");
        assert_eq!(
            self.json["schemas"],
            serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
            "error schema\n{self:?}"
        );
        assert_eq!(
            self.json["status"],
            status.to_string(),
            "`status` is text and equals the status line\n{self:?}"
        );
        assert!(
            self.json["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "detail\n{self:?}"
        );
        assert_eq!(
            self.header("content-type"),
            "application/scim+json",
            "content type\n{self:?}"
        );
        self
    }

    /// The `id` of the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json["id"]
            .as_str()
            .unwrap_or_else(|| panic!("an id\n{self:?}"))
            .to_owned()
    }

    /// The `ETag` header.
    #[track_caller]
    pub fn etag(&self) -> String {
        let tag = self.header("etag");
        assert!(!tag.is_empty(), "an ETag\n{self:?}");
        tag.to_owned()
    }

    /// The keys of the body, sorted.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self
            .json
            .as_object()
            .map(|object| object.keys().cloned().collect())
            .unwrap_or_default();
        keys.sort();
        keys
    }

    /// One text of each resource of a list, in order: `names("userName")`.
    pub fn names(&self, attribute: &str) -> Vec<String> {
        let all = self.json["Resources"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        all.iter()
            .map(|one| one[attribute].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The ids of a group's members, sorted.
    pub fn members(&self) -> Vec<String> {
        let all = self.json["members"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> = all
            .iter()
            .map(|one| one["value"].as_str().unwrap_or_default().to_owned())
            .collect();
        ids.sort();
        ids
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = self.text.chars().take(3000).collect();
        writeln!(f, "--- request\n{}\n--- answer {}", self.asked, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "{text}")
    }
}

/// Percent-encodes what a request target cannot hold; what is encoded already stays.
fn encode(target: &str) -> String {
    let mut encoded = String::with_capacity(target.len() + 16);
    for byte in target.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
