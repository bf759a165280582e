//! Configuration: what the flags and the environment said, as one value. No other file reads the environment.
//!
//! The command line (`cli`) fills it; the server, the demo and the tests only ever see [`Config`].

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The address `serve` listens on when nobody says otherwise: this machine only, for there is no TLS of our own (B32).
pub const LISTEN: &str = "127.0.0.1:8080";
/// The database when nobody says otherwise.
pub const DATABASE: &str = "sqlite://rollcall.db";

/// A text that no log and no error may show.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one place that uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where the key comes from that seals secrets in the database (B42).
#[derive(Clone, Debug, Default)]
pub enum Sealing {
    /// A file beside the SQLite database, made when there is none; on PostgreSQL none, and secrets lie open.
    #[default]
    Default,
    /// This file.
    File(PathBuf),
    /// These keys.
    Keys(Secret),
}

/// The sealing keys of the environment. No flag: the command line is no place for secrets (B54).
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "the one secret of the environment, which clap would show as a flag"
)]
pub fn sealing_keys() -> Option<Secret> {
    std::env::var("ROLLCALL_SEALING_KEY").ok().map(Secret::new)
}

/// What one node lets through (E22). `None`: without limit, as for load and conformance runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Writes per second of one token; twice as many reads, ten times as many operations of Bulk requests.
    pub writes_per_second: Option<u32>,
    /// Wrong tokens per minute and address.
    pub failures_per_minute: Option<u32>,
}

/// The rate of writes when nobody says otherwise; an identity provider sends some 30 requests per second.
pub const RATE_LIMIT: &str = "1000";
/// The largest rate that may be set.
const LARGEST_RATE: u32 = 1000;
/// The wrong tokens per minute when nobody says otherwise.
pub const FAILURE_LIMIT: &str = "20";

/// Reads a rate of writes: `off`, or 10 to 1000 per second.
pub fn parse_rate_limit(text: &str) -> Result<Limit, String> {
    limit(text, 10..=LARGEST_RATE)
}

/// Reads how many wrong tokens may be: `off`, or 1 to 10000 per minute.
pub fn parse_failure_limit(text: &str) -> Result<Limit, String> {
    limit(text, 1..=10_000)
}

/// A limit of the command line; `off` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Option<u32>);

fn limit(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<Limit, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(|number| Limit(Some(number))).ok_or_else(|| {
        format!(
            "`{text}` is neither `off` nor a number from {} to {}",
            range.start(),
            range.end()
        )
    })
}

/// Everything a server needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host:port`; port 0 takes a free one.
    pub listen: String,
    /// `sqlite://FILE`, `sqlite://:memory:` (thrown away) or `postgres://…`.
    pub database: String,
    /// The address clients use, without a trailing slash; `None`: that of each connection (B31).
    pub public_url: Option<String>,
    /// A folder of further schema files.
    pub schemas: Option<PathBuf>,
    /// Whether memberships are resources of their own, too (*draft-zollner-scim-group-membership*).
    pub group_memberships: bool,
    /// Threads that speak HTTP; `None`: one per core.
    pub workers: Option<usize>,
    /// Connections to PostgreSQL.
    pub postgres_pool: u32,
    /// Where the key comes from that seals secrets.
    pub sealing: Sealing,
    /// What one node lets through.
    pub limits: Limits,
    /// Accept a PostgreSQL that may lose acknowledged writes (`fsync` off).
    pub allow_unsafe_database: bool,
    /// How long to go on serving as "not ready" before connections are closed, for load balancers to notice (C16).
    pub drain_delay: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: LISTEN.to_owned(),
            database: DATABASE.to_owned(),
            public_url: None,
            schemas: None,
            group_memberships: false,
            workers: None,
            postgres_pool: 16,
            sealing: Sealing::Default,
            limits: Limits::default(),
            allow_unsafe_database: false,
            drain_delay: Duration::ZERO,
        }
    }
}

impl Config {
    /// A server on a free port of this machine over a throw-away database: the demo and the tests.
    #[must_use]
    pub fn throw_away() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            database: "sqlite://:memory:".to_owned(),
            ..Self::default()
        }
    }
}

/// Reads a public address: `http` or `https`, a host, no query; trailing slashes are dropped.
pub fn parse_public_url(text: &str) -> Result<String, String> {
    let address = text.trim().trim_end_matches('/');
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let plain = address
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte));
    if host.is_empty() || host.contains('@') || !plain {
        return Err(format!(
            "`{text}` is not an address such as `https://scim.example.com`"
        ));
    }
    Ok(address.to_owned())
}

/// Reads a span of time: a whole number and `s`, `m`, `h` or `d`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a span of time such as `90s`, `15m`, `12h` or `365d`");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return Err(wrong()),
    };
    let count: u32 = text
        .strip_suffix(unit)
        .and_then(|count| count.parse().ok())
        .ok_or_else(wrong)?;
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_a_number_and_a_unit() {
        assert_eq!(parse_duration("365d"), Ok(Duration::from_secs(365 * 86400)));
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        for wrong in ["", "d", "365", "-1d", "1.5h", "1w", "99999999999d", "1é"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_off_or_a_number_within_its_bounds() {
        assert_eq!(parse_rate_limit("off"), Ok(Limit(None)));
        assert_eq!(parse_rate_limit(RATE_LIMIT), Ok(Limit(Some(1000))));
        assert_eq!(parse_failure_limit(FAILURE_LIMIT), Ok(Limit(Some(20))));
        for wrong in ["", "0", "9", "1001", "-1", "1.5", "on", "many"] {
            assert!(parse_rate_limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_secret_shows_itself() {
        let config = Config {
            sealing: Sealing::Keys(Secret::new("marker".to_owned())),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("marker"));
    }

    #[test]
    fn a_public_address_has_a_scheme_and_a_host() {
        assert_eq!(
            parse_public_url("https://scim.acme.test/"),
            Ok("https://scim.acme.test".to_owned())
        );
        assert_eq!(
            parse_public_url("http://127.0.0.1:8080/base"),
            Ok("http://127.0.0.1:8080/base".to_owned())
        );
        for wrong in [
            "",
            "scim.acme.test",
            "https://",
            "ftp://x",
            "https://a b",
            "https://x?y",
            "https://u:p@x",
        ] {
            assert!(parse_public_url(wrong).is_err(), "{wrong}");
        }
    }
}
