//! Which identity provider sent a request, by what it says of itself. A guess for people who read the log: nothing is
//! decided by it (`rest-and-console.md` A7 `idp_guess`).

/// A part of `User-Agent`, lower case, and whose it is. The first that is found counts.
const AGENTS: &[(&str, &str)] = &[
    ("okta", "okta"),
    ("onelogin", "onelogin"),
    ("jumpcloud", "jumpcloud"),
    ("ping", "ping"),
    ("sailpoint", "sailpoint"),
    ("authentik", "authentik"),
    ("keycloak", "keycloak"),
    ("google", "google"),
    ("rippling", "rippling"),
    ("workday", "workday"),
    ("azure", "entra"),
    ("microsoft", "entra"),
    ("entra", "entra"),
    ("rollcall replay", "rollcall"),
];

/// The provider that a request's sender names, or whose own parameter stands in its address.
#[must_use]
pub fn guess(user_agent: Option<&str>, path: &str) -> Option<&'static str> {
    if path.to_ascii_lowercase().contains("aadoptscim") {
        return Some("entra");
    }
    let agent = user_agent?.to_ascii_lowercase();
    let found = AGENTS.iter().find(|(part, _)| agent.contains(part));
    found.map(|(_, whose)| *whose)
}

#[cfg(test)]
mod tests {
    use super::guess;

    #[test]
    fn who_says_who_they_are_is_believed_and_nobody_else_is_named() {
        for (agent, path, whose) in [
            (
                Some("Okta SCIM Client 1.0.0"),
                "/scim/v2/Users",
                Some("okta"),
            ),
            (None, "/scim/v2/Users?aadOptscim062020", Some("entra")),
            (Some("OneLogin/1"), "/scim/v2/Users", Some("onelogin")),
            (Some("curl/8"), "/scim/v2/Users", None),
            (None, "/scim/v2/Users", None),
        ] {
            assert_eq!(guess(agent, path), whose, "{agent:?} {path}");
        }
    }
}
