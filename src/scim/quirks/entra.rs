//! Microsoft Entra ID. `idp-behavior.md` §3.
//!
//! Most of its dialect is covered by switches that are on for everybody: `Add` and `Replace`, `"True"`, dotted keys, a
//! bare manager, member removal by list; and by `replace_creates`, which is on for Entra.

use serde_json::Value;

use super::rename;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const MISSPELT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";

/// Known since 2026-09 (documentation samples, and templates made from them): the enterprise URN without its last
/// colon. Ignored as an unknown schema it would lose department and manager.
pub(super) fn misspelt_enterprise_urn_in_body(body: &mut Value) -> bool {
    rename::in_resource(body, MISSPELT, ENTERPRISE)
}

/// The same in the paths and keys of a PATCH.
pub(super) fn misspelt_enterprise_urn_in_patch(body: &mut Value) -> bool {
    rename::in_patch(body, MISSPELT, ENTERPRISE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_misspelt_urn_is_put_right_in_schemas_and_keys() {
        let mut body = json!({"schemas": ["urn:x", MISSPELT], MISSPELT: {"department": "Ops"}, "userName": "ada"});
        assert!(misspelt_enterprise_urn_in_body(&mut body));
        assert_eq!(body, json!({"schemas": ["urn:x", ENTERPRISE], ENTERPRISE: {"department": "Ops"}, "userName": "ada"}));
        assert!(!misspelt_enterprise_urn_in_body(&mut body));
    }

    #[test]
    fn a_key_that_is_also_there_in_its_right_spelling_is_left_alone() {
        let mut body = json!({ENTERPRISE: {"department": "Ops"}, MISSPELT: {"department": "HR"}});
        assert!(!misspelt_enterprise_urn_in_body(&mut body));
    }

    #[test]
    fn the_misspelt_urn_is_put_right_in_paths_and_path_less_values() {
        let mut body = json!({"operations": [
            {"op": "Add", "path": format!("{MISSPELT}:department"), "value": "Ops"},
            {"op": "Add", "value": {format!("{MISSPELT}:manager"): "u3", "title": "x"}},
            {"op": "Add", "path": "title", "value": MISSPELT}]});
        assert!(misspelt_enterprise_urn_in_patch(&mut body));
        let right = json!({"operations": [
            {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Ops"},
            {"op": "Add", "value": {format!("{ENTERPRISE}:manager"): "u3", "title": "x"}},
            {"op": "Add", "path": "title", "value": MISSPELT}]});
        assert_eq!(body, right);
    }
}
