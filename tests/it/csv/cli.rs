//! `rollcall import KIND FILE.csv [--commit]`: plan and commit without a server, and beside one; exit codes 0, 1, 2.

use std::fs;

use crate::harness::binary::Binary;
use crate::harness::build::rows;
use crate::harness::database::Database;

#[test]
fn a_file_is_planned_then_committed_also_beside_a_server() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("people.csv");
    let errors = folder.path().join("errors.csv");
    let path = file.to_str().expect("UTF-8");
    fs::write(&file, "email\nann@acme.test\nbob@acme.test\n").expect("it is written");

    let told = binary.ok(&["import", "learners", path]);
    assert!(
        told.contains("learners made\t2") && told.contains("nothing is written yet"),
        "{told}"
    );
    let server = binary.serve();
    let api = server.api(&binary.token("acme", "api"));
    assert!(rows(&api, "/learners").is_empty());
    let told = binary.ok(&["import", "learners", path, "--commit", "--tenant", "acme"]);
    assert!(
        told.contains("learners made\t2") && told.ends_with("committed"),
        "{told}"
    );
    assert_eq!(rows(&api, "/learners").len(), 2);

    // Refused rows: the others are written, the exit code says so, the file says which.
    fs::write(
        &file,
        "email;note\nann@acme.test;x\nno address;y\ncarl@acme.test;z\n",
    )
    .expect("it is written");
    let mixed = binary.run(&[
        "import",
        "learners",
        path,
        "--commit",
        "--errors",
        errors.to_str().expect("UTF-8"),
    ]);
    assert_eq!(mixed.status.code(), Some(1), "{mixed:?}");
    assert_eq!(rows(&api, "/learners").len(), 3);
    let told = fs::read_to_string(&errors).expect("the errors");
    assert!(
        told.starts_with("email;note;error\r\nno address;y;line 3: bad_email"),
        "{told}"
    );
    assert!(
        mixed.stderr.windows(3).all(|part| part != b"\x1b[K"),
        "no progress without a terminal"
    );

    for (arguments, code) in [
        (&["import", "people", path][..], 2),
        (&["import", "learners"], 2),
        (&["import", "learners", path, "--date-format", "guess"], 2),
        (&["import", "learners", path, "--tenant", "nobody"], 1),
        (&["import", "learners", "/nowhere/at/all.csv"], 1),
        (&["import", "members", path], 1),
    ] {
        let output = binary.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {output:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(server.stop(), Some(0));
    binary.ok(&["check"]);
}
