//! The command line as the README has it: every command, its help, wrong input, exit codes.

use crate::harness::binary::Binary;
use crate::harness::database::Database;

const COMMANDS: &[&[&str]] = &[
    &["serve"],
    &["demo"],
    &["tenant"],
    &["tenant", "create"],
    &["tenant", "list"],
    &["tenant", "set-plan"],
    &["token"],
    &["token", "create"],
    &["token", "list"],
    &["token", "revoke"],
    &["client"],
    &["client", "create"],
    &["client", "list"],
    &["client", "revoke"],
    &["admin"],
    &["admin", "create"],
    &["key"],
    &["key", "list"],
    &["key", "rotate"],
    &["key", "rekey"],
    &["migrate"],
    &["backup"],
    &["restore"],
    &["import"],
    &["check"],
];

fn out(output: &std::process::Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn every_command_explains_itself_and_touches_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("none.db");
    let binary = Binary::on(&format!("sqlite://{}", file.display()));
    for command in COMMANDS {
        let help = binary.run(&[*command, &["--help"]].concat());
        let (told, _) = out(&help);
        assert_eq!(help.status.code(), Some(0), "{command:?}");
        assert!(told.contains("Usage: rollcall"), "{command:?}: {told}");
        assert!(!told.contains("not built"), "{command:?}: {told}");
    }
    assert!(out(&binary.run(&["--version"])).0.starts_with("rollcall "));
    assert!(!file.exists());
}

#[test]
fn wrong_usage_ends_with_2_and_a_sentence_on_standard_error() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    for wrong in [
        &[][..],
        &["serve", "--rate-limit", "100000"],
        &["serve", "--failure-limit", "none"],
        &["serve", "--drain-delay", "soon"],
        &["serve", "--public-url", "scim.acme.test"],
        &["tenant"],
        &["tenant", "create", ""],
        &["tenant", "create", "x", "--time-zone", "Europe/Atlantis"],
        &["tenant", "set-plan", "acme", "gold"],
        &["token", "create", "--tenant", "acme"],
        &[
            "token",
            "create",
            "--tenant",
            "acme",
            "--kind",
            "scim",
            "--scopes",
            "groups:reed",
        ],
        &[
            "token",
            "create",
            "--tenant",
            "acme",
            "--kind",
            "scim",
            "--scopes",
            "groups:read",
        ],
        &[
            "token",
            "create",
            "--tenant",
            "acme",
            "--kind",
            "api",
            "--connection",
            "okta",
        ],
        &[
            "token",
            "create",
            "--tenant",
            "acme",
            "--kind",
            "scim",
            "--expires",
            "0s",
        ],
        &[
            "token",
            "create",
            "--tenant",
            "acme",
            "--kind",
            "scim",
            "--expires",
            "99999d",
        ],
        &["admin", "create", "--tenant", "acme", "--email", "nobody"],
        &[
            "admin", "create", "--tenant", "acme", "--email", "a@b.test", "--role", "king",
        ],
        &["import", "people", "x.csv"],
        &["backup"],
        &["key", "turn"],
    ] {
        let ended = binary.run(wrong);
        let (told, said) = out(&ended);
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}: {told}{said}");
        assert!(
            told.is_empty() && !said.trim().is_empty(),
            "{wrong:?}: {told}"
        );
    }
}

#[test]
fn what_is_not_there_ends_with_1_and_is_named() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    for (wrong, names) in [
        (&["tenant", "set-plan", "nobody", "business"][..], "nobody"),
        (
            &["token", "create", "--tenant", "nobody", "--kind", "api"],
            "nobody",
        ),
        (
            &[
                "token", "create", "--tenant", "acme", "--kind", "scim", "--user", "ann",
            ],
            "ann",
        ),
        (&["token", "list", "--tenant", "nobody"], "nobody"),
        (&["token", "revoke", "-none"], "-none"),
        (
            &[
                "admin", "create", "--tenant", "nobody", "--email", "a@b.test",
            ],
            "nobody",
        ),
        (
            &["import", "members", "none.csv", "--tenant", "acme"],
            "none.csv",
        ),
    ] {
        let ended = binary.run(wrong);
        let (told, said) = out(&ended);
        assert_eq!(ended.status.code(), Some(1), "{wrong:?}: {told}{said}");
        assert!(said.contains(names), "{wrong:?}: {said}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let none = format!("sqlite://{}/none.db", folder.path().display());
    for reads in [
        &["tenant", "list"][..],
        &["token", "list"],
        &["check"],
        &["key", "list"],
    ] {
        let ended = Binary::on(&none).run(reads);
        assert_eq!(ended.status.code(), Some(1), "{reads:?}");
        assert!(out(&ended).1.contains("rollcall migrate"), "{reads:?}");
    }
}

#[test]
fn a_login_is_made_with_a_password_from_standard_input_or_a_random_one() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let made = binary.ok(&[
        "admin",
        "create",
        "--tenant",
        "acme",
        "--email",
        "a@acme.test",
    ]);
    let (email, password) = made.split_once('\t').expect("e-mail and password");
    assert_eq!(email, "a@acme.test");
    assert!(password.len() >= 16, "{password}");
    let given = |email: &str, password: &str| {
        binary.run_with_input(
            &[
                "admin",
                "create",
                "--tenant",
                "acme",
                "--email",
                email,
                "--role",
                "owner",
                "--password-stdin",
            ],
            password,
        )
    };
    let ok = given("b@acme.test", "a long enough one\n");
    assert_eq!(
        out(&ok).0.trim(),
        "b@acme.test",
        "the password is not repeated"
    );
    assert_eq!(given("c@acme.test", "short\n").status.code(), Some(2));
    assert_eq!(
        given("B@ACME.test", "a long enough one\n").status.code(),
        Some(1),
        "taken"
    );
    assert!(!database.everything().contains("a long enough one"));
}

#[test]
fn a_token_of_the_command_line_has_the_scopes_and_the_end_it_was_made_with() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    binary.ok(&[
        "token",
        "create",
        "--tenant",
        "acme",
        "--kind",
        "scim",
        "--scopes",
        "scim:read",
        "--expires",
        "2d",
        "--connection",
        "entra",
        "--label",
        "Nightly",
    ]);
    let listed = binary.ok(&["token", "list", "--tenant", "acme"]);
    let line = listed
        .lines()
        .find(|line| line.contains("Nightly"))
        .expect("the token");
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!(
        (fields[0], fields[1], fields[6], fields[7]),
        ("acme", "scim", "live", "scim:read")
    );
    binary.ok(&["token", "revoke", fields[3]]);
    assert!(binary.ok(&["token", "list"]).contains("revoked"));
}
