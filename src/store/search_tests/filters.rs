//! A filter in the database and in memory.

use super::*;

fn agree<R: Shown>(store: &Store, filters: &[String]) -> usize {
    let all: Vec<R> = everything(store);
    let mut judged_filters = 0;
    for text in filters {
        for text in [
            text.clone(),
            format!("not ({text})"),
            format!("({text}) and meta.created pr"),
        ] {
            let filter = checked(R::KIND, &text);
            let expected: Vec<uuid::Uuid> = all
                .iter()
                .filter(|row| verdict(*row, |it| eval::matches(&filter, it)))
                .map(Listed::id)
                .collect();
            let mut judged = 0;
            let page = run::<R>(
                store,
                Search {
                    kind: R::KIND,
                    filter: Some(&filter),
                    order: Order::Natural,
                    offset: 0,
                    limit: ALL,
                    resource_type: None,
                },
                &mut judged,
            );
            let found: Vec<uuid::Uuid> = page.rows.iter().map(Listed::id).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(
                usize::try_from(page.total).ok(),
                Some(expected.len()),
                "{text}"
            );
            let counted = run::<R>(
                store,
                Search {
                    kind: R::KIND,
                    filter: Some(&filter),
                    order: Order::Natural,
                    offset: 0,
                    limit: 0,
                    resource_type: None,
                },
                &mut 0,
            );
            assert_eq!(counted.total, page.total, "{text}");
            judged_filters += usize::from(judged > 0);
        }
    }
    judged_filters
}

fn texts(filters: &[&str]) -> Vec<String> {
    filters.iter().map(|text| (*text).to_owned()).collect()
}

/// Decided by the database alone.
fn placed_user_filters() -> Vec<String> {
    let mut all = texts(&[
        r#"userName eq "ADA@X.TEST""#,
        r#"userName ne "bob""#,
        r#"userName eq "STRASSE""#,
        r#"displayName co "%_""#,
        r#"displayName sw "zoë \uD7FF""#,
        r#"displayName ew "lace""#,
        r#"displayName ew "a much longer text than any of the names here""#,
        r#"displayName co """#,
        "displayName pr",
        "displayName eq null",
        r#"displayName gt "bob""#,
        r#"displayName le "bob%_""#,
        r#"externalId eq "E1""#,
        r#"externalId ne "E1""#,
        r#"externalId sw "E""#,
        "externalId pr",
        "active eq true",
        "active ne true",
        "active eq null",
        r#"emails eq "ada@X.test""#,
        r#"emails.value ne "ada@x.test""#,
        r#"emails.type eq "WORK""#,
        r#"emails.type ne "work""#,
        "emails.primary eq true",
        "emails.primary eq false",
        "emails pr",
        "emails.value pr",
        "phoneNumbers.value pr",
        r#"phoneNumbers.value lt "5""#,
        r#"phoneNumbers.value eq """#,
        r#"phoneNumbers.value co """#,
        r#"phoneNumbers[type eq "fax"]"#,
        r#"phoneNumbers[type eq "fax" and value pr]"#,
        r#"emails[type eq "work" and value co "@x"]"#,
        r#"emails[type eq "home" and value co "@x"]"#,
        r#"emails[not (type eq "work")]"#,
        r#"emails[type ne "work" or primary eq true]"#,
        r#"emails[type eq "work"].value eq "ada@x.test""#,
        r#"photos.value eq "https://x.test/A.png""#,
        r#"photos.value eq "https://x.test/a.png""#,
        r#"x509Certificates.value eq "QUJD""#,
        r#"roles eq "admin""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "n-1""#,
        "employeeNumber pr",
        r#"manager eq "Boss""#,
        r#"manager.value ne "boss""#,
        r#"userName eq "bob" or emails.value sw "ADA@""#,
        r#"id eq "nonsense""#,
        "id pr",
        r#"meta.created gt "1970-01-01T00:00:00.999Z""#,
        r#"meta.lastModified le "1970-01-01T00:00:00.999Z""#,
        r#"meta.resourceType eq "User""#,
        r#"meta.resourceType eq "Group""#,
        "groups pr",
    ]);
    all.push(format!("id eq \"{}\"", user_id(2)));
    all.push(format!("id ne \"{}\"", user_id(2)));
    all.push(format!("groups eq \"{}\"", group_id(2)));
    all.push(format!("groups.value ne \"{}\"", group_id(1)));
    all.push(format!("groups[value eq \"{}\"]", group_id(1)));
    all.push(format!("groups[not (value eq \"{}\")]", group_id(1)));
    all
}

#[test]
fn what_columns_hold_is_decided_by_the_database_alone() {
    on_both(|store| {
        fill(store, false);
        assert_eq!(agree::<UserRow>(store, &placed_user_filters()), 0);
        let mut groups = texts(&[
            r#"displayName eq "WELDERS""#,
            r#"displayName co "l""#,
            r#"externalId eq "G1""#,
            r#"externalId eq "g1""#,
            "members pr",
            "members eq null",
        ]);
        groups.push(format!("members eq \"{}\"", user_id(2)));
        groups.push(format!("members.value eq \"{}\"", user_id(1)));
        groups.push(format!("members[value eq \"{}\"]", user_id(1)));
        assert_eq!(agree::<GroupRow>(store, &groups), 0);
    });
}

#[test]
fn what_only_the_document_holds_is_decided_by_the_judge() {
    on_both(|store| {
        fill(store, true);
        let mut users = texts(&[
            r#"title eq "director""#,
            r#"name.familyName pr"#,
            r#"userName sw "e" or title pr"#,
            r#"not (title pr) and active eq true"#,
            r#"not (emails[display eq "b"])"#,
            r#"emails[display eq "b" and value sw "bob"]"#,
            "emails.primary pr",
            "manager pr",
            r#"photos.value co "PNG""#,
            r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
            r#"department eq "sales""#,
            r#"groups[type eq "User"]"#,
            r#"groups[type eq "direct"]"#,
            r#"displayName co "needle""#,
            r#"displayName ew "needle""#,
            r#"emails.value co "needle""#,
            r#"emails[value ew "needle" and type eq "work"]"#,
            r#"x509Certificates.value co "QU""#,
        ]);
        let long = format!("{}NEEDLE", "z".repeat(600));
        for operator in ["eq", "ne", "sw", "gt", "ge", "lt", "le"] {
            users.push(format!("emails.value {operator} \"{long}\""));
            users.push(format!("emails.value {operator} \"{}\"", "z".repeat(512)));
            users.push(format!("displayName {operator} \"{}\"", "Y".repeat(512)));
        }
        users.extend(placed_user_filters());
        assert!(agree::<UserRow>(store, &users) > 0);
        // all members are of one type, which no document needs to tell
        let of_type = texts(&[r#"members.type eq "User""#, r#"members[type eq "User"]"#]);
        assert_eq!(agree::<GroupRow>(store, &of_type), 0);
    });
}

/// Attributes of an operator's schema: those with rows are decided by the database alone, parts of one element past each
/// other by the judge, and both as the document has it.
#[test]
fn what_an_operator_defines_is_decided_as_in_memory() {
    let placed = [
        "site eq \"AACHEN\"",
        "site ne \"Aachen\"",
        "site co \"e\"",
        "site sw \"ber\"",
        "site ew \"n\"",
        "site gt \"b\"",
        "site le \"berlin\"",
        "site eq \"\"",
        "site pr",
        "badgeNumber eq \"B1\"",
        "badgeNumber sw \"b\"",
        "grade eq 7",
        "grade lt 0",
        "grade ge -2",
        "grade ne 7",
        "contractor eq true",
        "contractor eq false",
        "contractor pr",
        "hiredAt ge \"2020-05-01T02:00:00+02:00\"",
        "hiredAt lt \"2020-05-01T00:00:00Z\"",
        "skills eq \"go\"",
        "skills pr",
        "skills[value eq \"go\"]",
        "skills[value sw \"w\" or value eq \"nothing\"]",
        "homepage eq \"https://x.test/Bob\"",
        "homepage eq \"https://x.test/bob\"",
        "certificates.issuer eq \"tüv\"",
        "certificates eq \"crane\"",
        "certificates[level ge 2]",
        "certificates[issuer eq \"TÜV\" or level eq 1]",
        "not (certificates.level gt 2) and site pr",
        "urn:example:params:scim:schemas:extension:employee:1.0:User:certificates[value eq \"crane\"]",
    ];
    let judged = [
        "quota gt 0.1",
        "certificates pr",
        "certificates[issuer eq \"TÜV\" and value eq \"First aid\"]",
        "certificates[issuer eq \"TÜV\" and not (value eq \"First aid\")]",
        "certificates[issuer ne \"TÜV\"]",
        "certificates[primary eq false]",
        "certificates[primary eq true and level eq 3]",
        "certificates.primary eq true",
        "grade gt 1.5",
        "hiredAt co \"2020\"",
    ];
    on_both(|store| {
        fill(store, false);
        assert_eq!(agree::<UserRow>(store, &texts(&placed)), 0);
        assert!(agree::<UserRow>(store, &texts(&judged)) > 0);
    });
    on_both(|store| {
        fill(store, true);
        agree::<UserRow>(store, &texts(&placed));
        agree::<UserRow>(store, &texts(&judged));
        let needle = texts(&["site co \"needle\"", "site ew \"needle\"", "site gt \"s\""]);
        agree::<UserRow>(store, &needle);
    });
}
