//! `/healthz`, `/readyz`, `/metrics`, `/.well-known/jwks.json`: for machines that watch or verify; they need no token and
//! tell nothing about tenants (C29, B8).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Stopwatch};

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::AppState;
use crate::service::tokens::signing_keys;
use crate::service::{ServiceError, tenants};

/// How long an answer of the database is good for `/readyz`.
const PROBE: Duration = Duration::from_secs(1);

/// What the process counts. One per node.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Answers by the first digit of their status: 1xx to 5xx.
    classes: [AtomicU64; 5],
    /// Requests between their first and last byte here.
    in_flight: AtomicU64,
    draining: AtomicBool,
    probe: Mutex<Option<(Stopwatch, bool)>>,
}

impl Metrics {
    /// Counts an answer.
    pub fn count(&self, status: u16) {
        if let Some(class) = usize::from(status / 100)
            .checked_sub(1)
            .and_then(|class| self.classes.get(class))
        {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a request in until the guard is dropped.
    pub fn enter(self: &std::sync::Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(self.clone())
    }

    /// How many requests are being answered.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// From now on the node is not ready and closes its connections.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the node is going away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    fn probed(&self) -> Option<bool> {
        let probe = *self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        probe
            .filter(|(at, _)| at.elapsed() < PROBE)
            .map(|(_, good)| good)
    }
}

/// One request being answered.
#[derive(Debug)]
pub struct InFlight(std::sync::Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The process is alive.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// The node can serve: it is not draining and the database takes a transaction. Asked at most once a second.
pub async fn readyz(state: web::Data<AppState>) -> HttpResponse {
    let not_ready = |why: &'static str| {
        HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body(format!("{why}\n"))
    };
    if state.metrics.is_draining() {
        return not_ready("draining");
    }
    let good = match state.metrics.probed() {
        Some(good) => good,
        None => {
            let answer: Result<bool, ServiceError> =
                state.store.write("readiness", tenants::is_empty).await;
            if let Err(error) = &answer {
                log::warn!("not ready: {error}");
            }
            let mut probe = state
                .metrics
                .probe
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *probe = Some((Stopwatch::now(), answer.is_ok()));
            answer.is_ok()
        }
    };
    if good {
        let off = state.limits.off();
        let off = off.map_or_else(String::new, |off| format!("{off}\n"));
        HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(format!("ready\n{off}"))
    } else {
        not_ready("database")
    }
}

/// The public keys that verify our tokens (B8, RFC 7517).
pub async fn jwks(state: web::Data<AppState>) -> HttpResponse {
    match state.store.read_short(signing_keys::published).await {
        Ok(set) => HttpResponse::Ok()
            .content_type("application/jwk-set+json")
            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
            .body(set.to_string()),
        Err(error) => {
            log::warn!("the keys cannot be shown: {error}");
            HttpResponse::ServiceUnavailable()
                .insert_header((header::RETRY_AFTER, "1"))
                .finish()
        }
    }
}

/// Counters in the text format of Prometheus.
pub async fn metrics(state: web::Data<AppState>) -> HttpResponse {
    let mut text =
        String::from("# HELP rollcall_build_info What runs.\n# TYPE rollcall_build_info gauge\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "rollcall_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    text.push_str("# HELP rollcall_http_responses_total Answers by class of status.\n");
    text.push_str("# TYPE rollcall_http_responses_total counter\n");
    for (class, count) in (1..).zip(&state.metrics.classes) {
        let _ = writeln!(
            text,
            "rollcall_http_responses_total{{class=\"{class}xx\"}} {}",
            count.load(Ordering::Relaxed)
        );
    }
    for (name, kind, help, value) in [
        (
            "rollcall_http_in_flight",
            "gauge",
            "Requests being answered.",
            state.metrics.in_flight(),
        ),
        (
            "rollcall_sync_log_dropped_total",
            "counter",
            "Rows of the sync log that were lost.",
            state.log.dropped(),
        ),
        (
            "rollcall_auth_failures_total",
            "counter",
            "Wrong tokens.",
            state.limits.wrong_tokens(),
        ),
    ] {
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
    text.push_str("# HELP rollcall_ratelimited_total Requests answered 429.\n");
    text.push_str("# TYPE rollcall_ratelimited_total counter\n");
    for (kind, count) in state.limits.counts() {
        let _ = writeln!(
            text,
            "rollcall_ratelimited_total{{kind=\"{kind}\"}} {count}"
        );
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn answers_are_counted_by_class_and_nonsense_is_not() {
        let metrics = Metrics::default();
        for status in [200, 204, 404, 503, 0, 700] {
            metrics.count(status);
        }
        let counts: Vec<u64> = metrics
            .classes
            .iter()
            .map(|class| class.load(Ordering::Relaxed))
            .collect();
        assert_eq!(counts, [0, 2, 0, 1, 1]);
    }

    #[test]
    fn a_request_is_in_flight_until_it_is_answered() {
        let metrics = Arc::new(Metrics::default());
        let request = metrics.enter();
        assert_eq!(metrics.in_flight(), 1);
        drop(request);
        assert_eq!(metrics.in_flight(), 0);
    }
}
