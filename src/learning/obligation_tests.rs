//! The status of one obligation, rule by rule (§3.1), its due date, adjustment by adjustment (§3.2), and the laws of both.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::super::standing::{Cycle, merge};
use super::*;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap_or(Instant(0))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

fn policy() -> Policy {
    Policy::new(&Settings::default(), Tz::Europe__Berlin)
}

/// What an obligation is asked about: the rest of it is nothing.
#[derive(Default, Clone)]
struct Facts<'a> {
    due: Due,
    months: Option<u16>,
    since: &'a str,
    floor: Option<&'a str>,
    completions: &'a [&'a str],
    extensions: &'a [(&'a str, &'a str)],
    waivers: &'a [Option<&'a str>],
    absences: &'a [(&'a str, &'a str)],
    started: bool,
}

fn judged(facts: &Facts<'_>, now: &str, policy: &Policy) -> Judgment {
    let completions: Vec<Instant> = facts.completions.iter().map(|text| at(text)).collect();
    let extensions: Vec<Extension> = facts
        .extensions
        .iter()
        .map(|(granted, due)| Extension {
            granted_at: at(granted),
            due: day(due),
        })
        .collect();
    let waivers: Vec<Waiver> = facts
        .waivers
        .iter()
        .map(|until| Waiver {
            until: until.map(day),
        })
        .collect();
    let absences: Vec<Absence> = facts
        .absences
        .iter()
        .map(|(left, back)| Absence {
            left_at: at(left),
            back_at: at(back),
        })
        .collect();
    Obligation {
        options: Options::stored(true, facts.due, facts.months.map(i64::from)),
        required_since: at(if facts.since.is_empty() {
            "2026-01-01T09:00:00Z"
        } else {
            facts.since
        }),
        due_floor: facts.floor.map(day),
        completions: &completions,
        extensions: &extensions,
        waivers: &waivers,
        absences: &absences,
        started: facts.started,
    }
    .judge(at(now), policy)
}

#[track_caller]
fn status(facts: &Facts<'_>, now: &str, expected: &str) {
    let judgment = judged(facts, now, &policy());
    assert_eq!(judgment.status.as_str(), expected, "{now}: {judgment:?}");
}

#[test]
fn rule_1_an_active_waiver_stands_before_everything_and_ends_with_its_last_day() {
    let facts = Facts {
        due: Due::Date(day("2026-01-31")),
        waivers: &[Some("2026-03-31")],
        ..Facts::default()
    };
    status(&facts, "2026-03-31T21:59:59Z", "waived");
    status(&facts, "2026-03-31T22:00:00Z", "overdue");
    let forever = Facts {
        waivers: &[None],
        completions: &["2025-01-01T09:00:00Z"],
        ..facts
    };
    status(&forever, "2040-01-01T00:00:00Z", "waived");
}

#[test]
fn rules_2_and_3_any_completion_counts_or_only_those_since_the_obligation_began() {
    let before = Facts {
        completions: &["2025-06-01T09:00:00Z"],
        ..Facts::default()
    };
    status(&before, "2030-01-01T00:00:00Z", "compliant");
    let strict = Policy {
        honor_prior_completion: false,
        ..policy()
    };
    let now = "2026-02-01T00:00:00Z";
    assert_eq!(judged(&before, now, &strict).status, Status::NotStarted);
    let after = Facts {
        completions: &["2025-06-01T09:00:00Z", "2026-01-01T09:00:00Z"],
        ..Facts::default()
    };
    assert_eq!(judged(&after, now, &strict).status, Status::Compliant);
}

#[test]
fn rules_4_and_5_a_certificate_is_valid_then_expiring_then_expired() {
    let facts = Facts {
        months: Some(12),
        completions: &["2026-01-10T09:00:00Z"],
        ..Facts::default()
    };
    for (now, expected) in [
        ("2026-01-10T09:00:00Z", "compliant"),
        ("2026-12-10T22:59:59Z", "compliant"),
        ("2026-12-10T23:00:00Z", "expiring"),
        ("2027-01-10T22:59:59Z", "expiring"),
        ("2027-01-10T23:00:00Z", "expired"),
    ] {
        status(&facts, now, expected);
    }
    // An extension of the renewal: in grace, and expired in the strict view.
    let extended = Facts {
        extensions: &[("2027-01-05T09:00:00Z", "2027-01-20")],
        ..facts
    };
    let grace = judged(&extended, "2027-01-15T09:00:00Z", &policy());
    assert_eq!(
        (grace.status, grace.in_grace, grace.strict()),
        (Status::Expiring, true, Status::Expired)
    );
    status(&extended, "2027-01-20T23:00:00Z", "expired");
}

#[test]
fn rule_6_what_lapsed_before_the_obligation_is_not_done_rather_than_expired() {
    // §7.9
    let lapsed = Facts {
        months: Some(1),
        completions: &["2025-06-01T09:00:00Z"],
        ..Facts::default()
    };
    status(&lapsed, "2026-01-02T09:00:00Z", "not_started");
    // Without a due date of the assignment: the window from the beginning.
    let judgment = judged(&lapsed, "2026-01-02T09:00:00Z", &policy());
    assert_eq!(judgment.due, Some(day("2026-01-31")));
    status(&lapsed, "2026-01-31T23:00:00Z", "overdue");
    let never = Facts {
        due: Due::Relative(10),
        ..Facts::default()
    };
    status(&never, "2026-01-11T22:59:59Z", "not_started");
    let started = Facts {
        started: true,
        ..never.clone()
    };
    status(&started, "2026-01-11T22:59:59Z", "in_progress");
    status(&started, "2026-01-11T23:00:00Z", "overdue");
    status(&Facts::default(), "2040-01-01T00:00:00Z", "not_started");
}

#[test]
fn several_completions_hold_by_the_latest_end() {
    // §3.1, §7.22: an early voluntary retake can extend, never shorten.
    let facts = Facts {
        months: Some(12),
        completions: &["2026-01-10T09:00:00Z", "2026-04-01T09:00:00Z"],
        ..Facts::default()
    };
    let judgment = judged(&facts, "2026-05-01T00:00:00Z", &policy());
    assert_eq!(judgment.valid_until, Some(day("2027-04-01")));
}

#[test]
fn each_adjustment_of_a_due_date_moves_it_as_the_table_says() {
    // §3.2 (1) late joiner, (2) return, (3) extension; §7.15 the plan's floor
    let facts = Facts {
        due: Due::Date(day("2026-01-05")),
        ..Facts::default()
    };
    let late = Policy {
        late_joiner_grace_days: 14,
        ..policy()
    };
    let now = "2026-01-02T09:00:00Z";
    let due = |facts: &Facts<'_>, policy: &Policy| {
        let judgment = judged(facts, now, policy);
        let kinds: Vec<&str> = judgment.adjustments.iter().map(|one| one.kind).collect();
        (
            judgment.due.map(|day| day.to_string()).unwrap_or_default(),
            kinds.join(" "),
        )
    };
    let told = |date: &str, kinds: &str| (date.to_owned(), kinds.to_owned());
    assert_eq!(due(&facts, &policy()), told("2026-01-05", ""));
    assert_eq!(due(&facts, &late), told("2026-01-15", "late_joiner_grace"));
    let floored = Facts {
        floor: Some("2026-01-31"),
        ..facts.clone()
    };
    assert_eq!(due(&floored, &policy()), told("2026-01-31", "plan_upgrade"));
    let away = Facts {
        absences: &[("2026-01-04T09:00:00Z", "2026-01-20T09:00:00Z")],
        ..facts.clone()
    };
    assert_eq!(due(&away, &policy()), told("2026-02-03", "return_grace"));
    // Somebody already late before leaving gains nothing.
    let too_late = Facts {
        absences: &[("2026-01-06T09:00:00Z", "2026-01-20T09:00:00Z")],
        ..facts.clone()
    };
    assert_eq!(due(&too_late, &policy()), told("2026-01-05", ""));
    let all = Facts {
        floor: Some("2026-01-31"),
        absences: &[("2026-01-04T09:00:00Z", "2026-01-25T09:00:00Z")],
        extensions: &[("2026-01-02T09:00:00Z", "2026-01-10")],
        ..facts
    };
    assert_eq!(
        due(&all, &late),
        told("2026-01-10", "plan_upgrade return_grace extension")
    );
}

/// A status, a due date and whether it binds.
fn obligations() -> impl Strategy<Value = Vec<(bool, Judgment)>> {
    let status = prop::sample::select(vec![
        Status::Expired,
        Status::Overdue,
        Status::InProgress,
        Status::NotStarted,
        Status::Expiring,
        Status::Compliant,
        Status::Waived,
    ]);
    let one = (any::<bool>(), status, prop::option::of(0_u16..100)).prop_map(
        |(mandatory, status, due)| {
            let judgment = Judgment {
                due: due.map(|days| add_days(day("2026-01-01"), days)),
                ..Judgment::of(status)
            };
            (mandatory, judgment)
        },
    );
    prop::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn the_learners_view_is_the_strictest(obligations in obligations()) {
        // I-11, §3.3
        let view = merge(&obligations, Cycle::default(), false);
        prop_assert_eq!(view.mandatory, obligations.iter().any(|(mandatory, _)| *mandatory));
        prop_assert_eq!(view.due, obligations.iter().filter_map(|(_, judgment)| judgment.due).min());
        let binding = obligations.iter().filter(|(mandatory, _)| *mandatory == view.mandatory);
        if let Some(worst) = binding.map(|(_, judgment)| judgment.status).min() {
            prop_assert_eq!(view.status, worst);
        }
    }

    #[test]
    fn judging_twice_says_the_same_and_time_alone_only_worsens(
        days in prop::collection::btree_set(0_i64..900, 0..5), months in prop::option::of(1_u16..25),
        due in prop::option::of(0_u16..400), now in 900_i64..2000, later in 0_i64..400,
    ) {
        // I-9: a pure function of facts and clock, which never forgives by itself
        let completions: Vec<Instant> = days.iter().map(|day| Instant(1_700_000_000_000 + day * 86_400_000)).collect();
        let obligation = Obligation {
            options: Options::stored(true, due.map_or(Due::None, Due::Relative), months.map(i64::from)),
            required_since: Instant(1_700_000_000_000), due_floor: None, completions: &completions,
            extensions: &[], waivers: &[], absences: &[], started: false,
        };
        let instant = |day: i64| Instant(1_700_000_000_000 + day * 86_400_000);
        let once = obligation.judge(instant(now), &policy());
        prop_assert_eq!(&once, &obligation.judge(instant(now), &policy()));
        prop_assert!(obligation.judge(instant(now + later), &policy()).status <= once.status);
    }
}
