//! Configuration: what the flags and the environment said, as one value. No other file reads the environment.
//!
//! The command line (`cli`) fills it; the server, the demo and the tests only ever see [`Config`].

use std::path::PathBuf;
use std::time::Duration;

/// The address `serve` listens on when nobody says otherwise: this machine only, for there is no TLS of our own (B32).
pub const LISTEN: &str = "127.0.0.1:8080";
/// The database when nobody says otherwise.
pub const DATABASE: &str = "sqlite://rollcall.db";

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
