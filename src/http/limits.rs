//! What a node lets through: requests per token, wrong tokens per address. Requirements B28, B33, E22; row SE-06.
//!
//! Buckets of tokens hang on the gate's memory of the token, so a request finds its own without looking for it. State is
//! this process's alone: several nodes let several times as much through. Not here: the answers (`guard`).

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant as Stopwatch;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::rate::{Failures, Left, Meter, Rate, Wait};
use crate::config::Limits as Settings;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// The limits of this node, and what they have refused.
#[derive(Debug)]
pub struct Limits {
    begin: Stopwatch,
    /// Of reads, writes and operations of Bulk requests; `None`: without limit.
    rates: Option<[Rate; 3]>,
    failures: Option<Failures>,
    /// Requests refused by their rate: reads, writes, operations of Bulk requests.
    limited: [AtomicU64; 3],
    /// Wrong tokens, and those of them that were told to wait.
    wrong: [AtomicU64; 2],
}

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Read,
    Write,
    /// An operation of a Bulk request.
    Bulk,
}

impl Class {
    /// The class of a request: a search is a read, however it is sent.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Read,
            Method::POST if path.ends_with("/.search") => Self::Read,
            _ => Self::Write,
        }
    }

    /// Its name in headers and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Bulk => "bulk-operations",
        }
    }
}

/// A request that a rate let through.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    class: Class,
    rate: Rate,
    left: Left,
}

/// A request that came too early.
#[derive(Clone, Copy, Debug)]
pub struct TooFast {
    pub class: Class,
    pub rate: Rate,
    pub wait: Wait,
}

impl Limits {
    /// The limits of a configuration.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            begin: Stopwatch::now(),
            rates: settings.writes_per_second.map(|writes| {
                [
                    Rate::per_second(writes.saturating_mul(2)),
                    Rate::per_second(writes),
                    Rate::per_second(writes.saturating_mul(10)),
                ]
            }),
            failures: settings.failures_per_minute.map(Failures::new),
            limited: Default::default(),
            wrong: Default::default(),
        }
    }

    /// Counts a request, or so many operations of a Bulk request. `None`: there is no limit.
    pub fn take(&self, meter: &Meter, class: Class, units: u64) -> Result<Option<Passed>, TooFast> {
        let Some([reads, writes, bulk]) = self.rates else {
            return Ok(None);
        };
        let (bucket, rate) = match class {
            Class::Read => (&meter.reads, reads),
            Class::Write => (&meter.writes, writes),
            Class::Bulk => (&meter.bulk, bulk),
        };
        match bucket.take(rate, units, self.now()) {
            Ok(left) => Ok(Some(Passed { class, rate, left })),
            Err(wait) => {
                if let Some(count) = self.limited.get(class as usize) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Err(TooFast { class, rate, wait })
            }
        }
    }

    /// Counts a wrong token from an address. Errors: it must wait.
    pub fn wrong_token(&self, address: Option<IpAddr>) -> Result<(), Wait> {
        self.wrong[0].fetch_add(1, Ordering::Relaxed);
        let (Some(failures), Some(address)) = (&self.failures, address) else {
            return Ok(());
        };
        failures.count(address, self.now()).inspect_err(|_| {
            self.wrong[1].fetch_add(1, Ordering::Relaxed);
        })
    }

    /// Which limits are switched off, for `/readyz` (B28).
    #[must_use]
    pub fn off(&self) -> Option<&'static str> {
        match (&self.rates, &self.failures) {
            (None, None) => Some("rate limits and failure limits are off"),
            (None, Some(_)) => Some("rate limits are off"),
            (Some(_), None) => Some("failure limits are off"),
            (Some(_), Some(_)) => None,
        }
    }

    /// Name, label and value of what was refused so far, for `/metrics`.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [Class::Read, Class::Write, Class::Bulk]
            .into_iter()
            .map(Class::name)
            .chain(["wrong-tokens"])
            .zip(self.limited.iter().chain([&self.wrong[1]]))
            .map(|(kind, count)| (kind, count.load(Ordering::Relaxed)))
    }

    /// How many wrong tokens were sent so far.
    #[must_use]
    pub fn wrong_tokens(&self) -> u64 {
        self.wrong[0].load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Passed {
    /// Says in an answer's headers what is left (draft-ietf-httpapi-ratelimit-headers).
    pub fn tell(&self, headers: &mut HeaderMap) {
        let name = self.class.name();
        set(
            headers,
            POLICY,
            &format!(
                "\"{name}\";q={};w={}",
                self.rate.burst(),
                self.rate.window()
            ),
        );
        set(
            headers,
            LEFT,
            &format!("\"{name}\";r={};t={}", self.left.units, self.left.full_in),
        );
    }
}

impl TooFast {
    /// What the client is told.
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = match self.class {
            Class::Read => "reads",
            Class::Write => "writes",
            Class::Bulk => "operations in Bulk requests",
        };
        format!(
            "a token may send {} {what} per second; send this again in {} seconds",
            self.rate.each_second(),
            self.wait.0
        )
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
