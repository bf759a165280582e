//! The benchmark over HTTP: `cargo bench --bench http -- [--quick] [--database URL] [--only OPERATION] [--soak N]`.
//!
//! The server is the real binary in its own process; the client is raw and cheap. Beside each operation stands, from the
//! same run, the bare limit: the same statements through [`rollcall::store::Store`] without HTTP, JSON or rules, and for
//! reads a static actix answer of the same size. Client and server share the machine, so read the ratios and the
//! server's CPU time per request before the absolute numbers. Never a test: nothing here fails because it is slow.

mod bare;
mod load;
mod report;
mod statics;
#[path = "../wire/mod.rs"]
mod wire;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use load::Load;
use report::Report;
use statics::Static;
use world::World;

/// What the command line asks for.
struct Arguments {
    quick: bool,
    database: Option<String>,
    soak: u64,
    only: Option<String>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments {
        quick: false,
        database: None,
        soak: 0,
        only: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => {}
            "--quick" => arguments.quick = true,
            "--database" => arguments.database = words.next(),
            "--only" => arguments.only = words.next(),
            "--soak" => {
                arguments.soak = words
                    .next()
                    .and_then(|count| count.parse().ok())
                    .unwrap_or(1_000_000)
            }
            // The second process of this program: a static answer to compare with.
            "--static" => {
                return statics::serve(
                    words
                        .next()
                        .and_then(|size| size.parse().ok())
                        .unwrap_or(1_000),
                );
            }
            other => {
                eprintln!(
                    "unknown argument `{other}`\nusage: cargo bench --bench http -- [--quick] [--database URL] [--only OPERATION] [--soak N]"
                );
                return ExitCode::from(2);
            }
        }
    }
    run(&arguments);
    ExitCode::SUCCESS
}

fn run(arguments: &Arguments) {
    let (time, sizes, spare): (Duration, &[usize], usize) = if arguments.quick {
        (Duration::from_secs(1), &[100, 1_000, 10_000], 20_000)
    } else {
        (
            Duration::from_secs(5),
            &[100, 1_000, 10_000, 100_000],
            80_000,
        )
    };
    let world = World::open(arguments.database.as_deref(), sizes, spare);
    let wanted = |name: &str| {
        arguments
            .only
            .as_deref()
            .is_none_or(|only| name.contains(only))
    };
    let mut report = Report::start(&world);
    report.memory("after start", &world);
    for clients in [1, 8, 32, 128] {
        let load = Load { clients, time };
        if wanted("create user") {
            report.line(
                "create user",
                clients,
                &world.create_users(load),
                &[("storage", bare::create_users(&world, load))],
            );
        }
        let fixed = Static::start(world.user_size());
        if wanted("get user") {
            let limits = [
                ("storage", bare::get_users(&world, load)),
                ("static", fixed.load(load)),
            ];
            report.line("get user", clients, &world.get_users(load), &limits);
        }
        if wanted("userName eq") {
            let limits = [
                ("storage", bare::find_users(&world, load)),
                ("static", fixed.load(load)),
            ];
            report.line("userName eq", clients, &world.find_users(load), &limits);
        }
        let page = Static::start(world.page_size());
        if wanted("list page") {
            let limits = [
                ("storage", bare::list_users(&world, load)),
                ("static", page.load(load)),
            ];
            report.line(
                "list page of 100",
                clients,
                &world.list_users(load),
                &limits,
            );
        }
        if wanted("patch user") {
            report.line(
                "patch user",
                clients,
                &world.patch_users(load),
                &[("storage", bare::patch_users(&world, load))],
            );
        }
    }
    if wanted("add member") {
        add_members(&world, &mut report, arguments.quick, time);
    }
    if let Some(largest) = world.groups.last()
        && wanted("assign course")
    {
        let name = format!("assign course, {}", largest.size);
        report.line(
            &name,
            1,
            &world.assign_courses(3),
            &[("storage", bare::assign_courses(&world, 3))],
        );
    }
    report.memory("after the run", &world);
    if arguments.soak > 0 {
        report.line("mixed requests", 32, &world.soak(arguments.soak, 32), &[]);
        report.memory(&format!("after {} mixed requests", arguments.soak), &world);
    }
}

fn add_members(world: &World, report: &mut Report, quick: bool, time: Duration) {
    // Sizes take turns request by request, so that noise meets all alike.
    let rounds = if quick { 200 } else { 1_000 };
    let over_http = world.add_members_in_turn(rounds);
    let over_storage = bare::add_members_in_turn(world, rounds);
    for (number, group) in world.groups.iter().enumerate() {
        report.line(
            &format!("add member, {}", group.size),
            1,
            &over_http[number],
            &[("storage", over_storage[number].clone())],
        );
    }
    report.ratio("add one member, largest group against smallest", &over_http);
    for clients in [8, 32, 128] {
        let load = Load { clients, time };
        for group in [0, world.groups.len() - 1] {
            let name = format!("add member, {}", world.groups[group].size);
            report.line(
                &name,
                clients,
                &world.add_members(load, group),
                &[("storage", bare::add_members(world, load, group))],
            );
        }
    }
}
