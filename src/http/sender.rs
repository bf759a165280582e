//! Who sent a request, as far as logs may know: its program, its network, the trace it belongs to (C31, B4, B43).
//!
//! Not here: who the caller is; that is its token's business ([`super::guard`]).

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, USER_AGENT};

use crate::ids::RequestId;
use crate::service::sync_log::Sender;

/// W3C Trace Context.
pub const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// What logs say of a request's sender.
#[must_use]
pub fn of(request: &HttpRequest) -> Sender {
    let agent = request.headers().get(USER_AGENT);
    Sender {
        user_agent: agent
            .and_then(|agent| agent.to_str().ok())
            .map(str::to_owned),
        ip: request.peer_addr().map(|address| network(address.ip())),
        trace: Trace::of(request.headers()).map(|trace| trace.id),
    }
}

/// The network of an address: enough to see where somebody comes from, too little to know who it is (B43).
#[must_use]
pub fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// The trace that a client says its request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// 32 hexadecimal digits, lower case.
    pub id: String,
    flags: String,
}

impl Trace {
    /// A valid `traceparent`; any other is as if there were none, as its specification wants.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(TRACE_PARENT);
        let (Some(one), None) = (all.next(), all.next()) else {
            return None;
        };
        Self::parse(one.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, id, parent, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length| {
            text.len() == length
                && text
                    .bytes()
                    .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
        };
        let something = |text: &str| text.bytes().any(|c| c != b'0');
        // Later versions may say more behind these four; this one must not.
        let whole =
            hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let named = hex(id, 32) && something(id) && hex(parent, 16) && something(parent);
        (whole && named && hex(flags, 2)).then(|| Self {
            id: id.to_owned(),
            flags: flags.to_owned(),
        })
    }

    /// What is answered: the same trace, and our request as the span.
    #[must_use]
    pub fn answer(&self, request: RequestId) -> String {
        let id = request.0.as_simple().to_string();
        let span = id.get(16..).unwrap_or_default();
        format!("00-{}-{span}-{}", self.id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_trace_is_taken_when_it_is_whole_and_not_otherwise() {
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let trace = Trace::parse(&good).expect("a trace");
        assert_eq!((trace.id.as_str(), trace.flags.as_str()), (TRACE, "01"));
        assert!(Trace::parse(&format!("cc-{TRACE}-00f067aa0ba902b7-01-more")).is_some());
        for bad in [
            String::new(),
            format!("{good}-more"),
            good.replace("00-4", "ff-4"),
            good.to_uppercase(),
            good.replace(TRACE, &"0".repeat(32)),
            good.replace("00f067aa0ba902b7", "0000000000000000"),
            good.replace("-01", "-1"),
            good.replace("-01", ""),
        ] {
            assert_eq!(Trace::parse(&bad), None, "{bad}");
        }
        let request: RequestId = "0199a2c4-0000-7000-8000-00000000beef"
            .parse()
            .expect("an id");
        assert_eq!(
            trace.answer(request),
            format!("00-{TRACE}-800000000000beef-01")
        );
    }

    #[test]
    fn addresses_are_told_as_networks() {
        for (address, shown) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ] {
            assert_eq!(network(address.parse().expect("an address")), shown);
        }
    }
}
