//! Versions of a resource, their ETags and the conditional headers. RFC 7644 §3.14, rows ET-01 to ET-11.
//!
//! Comparison is weak on purpose (D-35): under HTTP's strong comparison SCIM's weak tags could never match.

use std::fmt;

/// The counter behind the ETag; grows by one with every effective change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i64);

/// `W/"7"`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// One entry of a list of tags: the text between the quotes. Unquoted text is taken as it is (ET-11).
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag
        .strip_prefix("W/")
        .or_else(|| tag.strip_prefix("w/"))
        .unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap_or(tag)
}

fn lists(header: &str, version: Version) -> bool {
    let wanted = version.0.to_string();
    header.split(',').any(|tag| opaque(tag) == wanted)
}

/// The precondition of a write: `If-Match`, and `If-None-Match: *` (ET-06, ET-09).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfMatch {
    expected: Option<String>,
    none: Option<String>,
}

impl IfMatch {
    /// From the two headers as they were sent.
    #[must_use]
    pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Self {
        Self {
            expected: if_match.map(str::to_owned),
            none: if_none_match.map(str::to_owned),
        }
    }

    /// No precondition, or one `version` from a bulk operation.
    #[must_use]
    pub fn of(version: Option<&str>) -> Self {
        Self::parse(version, None)
    }

    /// Whether the client says nothing of the version it knows.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.expected.is_none()
    }

    /// Whether a write on a resource of this version may go on.
    #[must_use]
    pub fn allows(&self, current: Version) -> bool {
        let matches = |header: &str| header.trim() == "*" || lists(header, current);
        self.expected.as_deref().is_none_or(matches) && !self.none.as_deref().is_some_and(matches)
    }
}

/// The condition of a read (ET-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfNoneMatch(String);

impl IfNoneMatch {
    /// From the header as it was sent.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        Self(header.to_owned())
    }

    /// Whether the client has this version already.
    #[must_use]
    pub fn matches(&self, current: Version) -> bool {
        self.0.trim() == "*" || lists(&self.0, current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_goes_on_when_a_tag_of_the_list_matches_weakly() {
        let current = Version(4);
        for header in [
            "W/\"4\"",
            "\"4\"",
            "4",
            "W/\"3\", W/\"4\"",
            "*",
            " w/\"4\" ",
        ] {
            assert!(
                IfMatch::parse(Some(header), None).allows(current),
                "{header}"
            );
        }
        for header in ["W/\"3\"", "", "garbage", "\"44\""] {
            assert!(
                !IfMatch::parse(Some(header), None).allows(current),
                "{header}"
            );
        }
        assert!(IfMatch::default().allows(current));
        assert!(!IfMatch::parse(None, Some("*")).allows(current));
    }

    #[test]
    fn a_read_is_unchanged_when_the_client_names_the_version() {
        assert!(IfNoneMatch::parse("W/\"7\"").matches(Version(7)));
        assert!(IfNoneMatch::parse("*").matches(Version(7)));
        assert!(!IfNoneMatch::parse("W/\"8\"").matches(Version(7)));
    }
}
