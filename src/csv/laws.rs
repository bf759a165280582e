//! Laws of reading and writing, over random tables; and rows that hold one thing each.

use proptest::prelude::*;

use super::columns::Kind;
use super::encoding::Encoding;
use super::reader::{Reader, Row, Settings};
use super::row::Named;
use super::write::{Style, line};

fn rows(kind: Kind, text: &str) -> Vec<Row> {
    let settings = Settings::of(kind);
    let mut reader =
        Reader::open(text.as_bytes(), Encoding::Utf8, &settings).expect("the header is good");
    let mut all = Vec::new();
    loop {
        let some = reader.next_rows(2).expect("it is text");
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

fn code(row: &Row) -> &str {
    row.read
        .as_ref()
        .map_or_else(|error| error.code.as_str(), |_| "good")
}

#[test]
fn lines_are_those_of_the_file_also_behind_quoted_breaks_and_blank_lines() {
    let text = "sep=;\r\ngroup;email\r\n\"Sales\r\nTeam\";a@b\r\n\r\n;\r\nSupport;c@d\r\n\"Sup\"\"port\";e@f";
    let found: Vec<(u64, &str)> = vec![(3, "validation_failed"), (7, "good"), (8, "good")];
    let rows = rows(Kind::Members, text);
    let lines: Vec<(u64, &str)> = rows.iter().map(|row| (row.line, code(row))).collect();
    assert_eq!(lines, found);
    assert_eq!(rows[2].cells[0], "Sup\"port");
}

#[test]
fn members_are_read_and_what_is_wrong_is_named() {
    let text = "group,external_id,user_name,email,action,note\n\
                Sales,e-1,,,,x\n\
                Sales,,ann,ann@acme.test,ADD,\n\
                Sales,,,bob@acme.test,remove,\n\
                Sales,,Ann,,add,\n\
                Sales,,,bob@acme.test,add,\n\
                ,,ann,,,\n\
                Sales,,,,,\n\
                Sales,,ann,,move,\n\
                Sales,,ann,,,,,more\n\
                Sales,,a\u{0}b,,\n";
    let rows = rows(Kind::Members, text);
    let codes: Vec<&str> = rows.iter().map(code).collect();
    assert_eq!(
        codes,
        [
            "good",
            "good",
            "good",
            "good",
            "contradiction",
            "missing_value",
            "missing_value",
            "bad_action",
            "too_many_cells",
            "control_character"
        ]
    );
    let field = |index: usize| rows[index].read.clone().expect("good");
    assert_eq!(field(0).learner, Some(Named::ExternalId("e-1".to_owned())));
    assert_eq!(field(1).learner, Some(Named::UserName("ann".to_owned())));
    assert!(field(2).remove);
    assert_eq!(field(3).twin, Some(3), "the same person, whatever the case");
}

#[test]
fn a_cohorts_blanks_inherit() {
    let text = "group,description,color,email,course_code,mandatory,due_date,recert_months\n\
                ,,,a@b,,,,\n\
                Q1,New hires,#aabbcc,a@b,SEC,yes,2026-03-31,12\n\
                ,,,b@c,SEC,,,\n\
                ,,,c@d,FIRE,,,\n\
                ,,,d@e,SEC,no,,\n\
                ,,blue,e@f,,,,\n\
                ,,,f@g,OTHER,,31.3.2026,\n\
                ,,,f@g,OTHER,,,121\n";
    let rows = rows(Kind::Cohort, text);
    let codes: Vec<&str> = rows.iter().map(code).collect();
    assert_eq!(
        codes,
        [
            "missing_value",
            "good",
            "good",
            "good",
            "contradiction",
            "validation_failed",
            "bad_date",
            "recert_months_out_of_range"
        ]
    );
    let field = |index: usize| rows[index].read.clone().expect("good");
    assert_eq!(field(1).color.as_deref(), Some("#AABBCC"));
    assert_eq!(field(2).group.as_deref(), Some("Q1"));
    assert_eq!(field(2).assigned, field(1).assigned);
    let fire = field(3).assigned.expect("a course");
    assert!(!fire.mandatory && fire.due_date.is_none());
}

#[test]
fn learners_have_a_name() {
    let text = "email,user_name,active\nann@acme.test,,ja\n,bob,\n,,true\nno address,x,\nc@d,,perhaps\nANN@acme.test,,\n";
    let rows = rows(Kind::Learners, text);
    let codes: Vec<&str> = rows.iter().map(code).collect();
    assert_eq!(
        codes,
        [
            "good",
            "good",
            "missing_value",
            "bad_email",
            "bad_truth",
            "good"
        ]
    );
    let ann = rows[0]
        .read
        .clone()
        .expect("good")
        .person
        .expect("a person");
    assert_eq!(
        (ann.user_name.as_str(), ann.active),
        ("ann@acme.test", Some(true))
    );
    assert_eq!(rows[5].read.clone().expect("good").twin, Some(2));
}

#[test]
fn headers_alone_and_files_of_nothing_are_told_apart() {
    assert_eq!(rows(Kind::Members, "group,email\n"), Vec::new());
    let settings = Settings::of(Kind::Members);
    let error = Reader::open(&b""[..], Encoding::Utf8, &settings)
        .err()
        .expect("no header");
    assert_eq!(error.code, "empty_file");
}

proptest! {
    /// What we write is read again, cell by cell, whatever stands in it and whatever delimits it.
    #[test]
    fn what_is_written_is_read_again(
        table in proptest::collection::vec(proptest::collection::vec("[ -~\\t\\r\\näß€=+@-]{0,12}", 3), 1..8),
        delimiter in proptest::sample::select(super::delimiter::KNOWN.to_vec()),
    ) {
        let style = Style { delimiter, raw: true };
        let mut text = String::new();
        line(&mut text, style, ["group", "email", "action"]);
        for row in &table {
            line(&mut text, style, row);
        }
        let settings = Settings::of(Kind::Members);
        let mut reader = Reader::open(text.as_bytes(), Encoding::Utf8, &settings).expect("the header is good");
        prop_assert_eq!(reader.delimiter, delimiter);
        let read: Vec<Vec<String>> = reader.next_rows(100).expect("it is text").into_iter().map(|row| row.cells).collect();
        let written: Vec<Vec<String>> = table.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        prop_assert_eq!(read, written);
    }

    /// No bytes make the reader panic, and no cell of a spreadsheet runs.
    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let encoding = Encoding::detect(bytes.as_slice()).expect("memory reads");
        for kind in Kind::ALL {
            if let Ok(mut reader) = Reader::open(bytes.as_slice(), encoding, &Settings::of(*kind)) {
                while reader.next_rows(10).is_ok_and(|rows| !rows.is_empty()) {}
            }
        }
    }

    #[test]
    fn no_written_cell_runs(cell in ".{0,8}") {
        let mut out = String::new();
        line(&mut out, Style::default(), [cell.as_str(), "x"]);
        // As a spreadsheet reads it.
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_bytes());
        let record = reader.records().next().expect("a line").expect("it is text");
        let first = record.get(0).expect("a cell");
        prop_assert!(!first.starts_with(['=', '+', '-', '@', '\t', '\r']), "{out:?}");
    }
}
