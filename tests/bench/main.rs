//! What the server reaches over HTTP, and beside it, in the same run, what the machine could reach without it.
//!
//! ```text
//! cargo bench --bench http -- [--quick] [--database URL] [--members 100,1000,10000,100000] [--only get,patch] [--clients 1,32]
//! cargo bench --bench http -- --users 1000000 [--database URL]
//! cargo bench --bench http -- --soak 1000000 [--database URL]
//! ```
//!
//! `--only` takes names of [`ROWS`]; `--clients` how many ask at the same time. `--soak` measures memory instead of time:
//! it drives a server process of its own with so many mixed requests and reads its resident memory on the way.
//!
//! Without `--database` it measures SQLite in a temporary file. A run makes a tenant of its own and leaves it behind;
//! `--users` finds the one of the run before.
//! Each line shows requests per second, median and 99th percentile over HTTP with 1, 8, 32 and 128 clients, then the
//! bare limit: for a write, its statements alone through `Store::write` with as many callers (on SQLite that is the
//! group commit); for a read, an actix server that answers bytes of the same size from memory. `ratio` is HTTP over
//! bare. The clients share the cores with the server, so compare ratios between machines, not numbers.
//!
//! Never a test: nothing here fails because it was slow.

mod bare;
mod client;
mod fill;
mod load;
mod mass;
mod queries;
mod report;
mod server;
mod soak;
mod work;

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::report::Report;
use crate::server::Bench;

/// The product's, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What can be measured: users made, read, found by `userName`, listed (first page, middle page), patched; courses assigned;
/// one member added to groups of each size, in turn (`sizes`) and by many clients (`member`); the mass changes, with others
/// asking meanwhile.
const ROWS: [&str; 10] = [
    "create", "get", "find", "list", "middle", "patch", "assign", "sizes", "member", "mass",
];

/// What is measured, and how.
struct Plan {
    /// How long each line measures.
    time: Duration,
    /// How many clients ask at the same time, one line each.
    clients: Vec<usize>,
    /// Names of [`ROWS`]; empty means all.
    only: Vec<String>,
}

impl Plan {
    fn wants(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row)
    }
}

/// What the command line said.
struct Options {
    database: String,
    plan: Plan,
    /// So many mixed requests instead, to see what memory they leave taken.
    soak: Option<usize>,
    /// The sizes of the groups that get another member.
    members: Vec<usize>,
    /// How many users there are; without `only` the searches among them are measured, and nothing else.
    users: Option<usize>,
}

fn options() -> anyhow::Result<Options> {
    let mut options = Options {
        database: "sqlite://:memory:".to_owned(),
        plan: Plan {
            time: Duration::from_secs(3),
            clients: vec![1, 8, 32, 128],
            only: Vec::new(),
        },
        soak: None,
        members: vec![100, 1_000, 10_000, 100_000],
        users: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // cargo adds it
            "--bench" => {}
            "--quick" => options.plan.time = Duration::from_millis(700),
            "--database" => {
                options.database = arguments.next().context("--database needs a URL")?
            }
            "--members" => options.members = numbers(&argument, arguments.next())?,
            "--clients" => options.plan.clients = numbers(&argument, arguments.next())?,
            "--only" => {
                let list = arguments.next().unwrap_or_default();
                options.plan.only = list.split(',').map(str::to_owned).collect();
                let known = |name: &String| ROWS.contains(&name.as_str());
                anyhow::ensure!(
                    options.plan.only.iter().all(known),
                    "--only takes some of {}",
                    ROWS.join(",")
                );
            }
            "--users" => {
                options.users = numbers(&argument, arguments.next())?.first().copied();
                options.members = vec![100_000];
            }
            "--soak" => options.soak = numbers(&argument, arguments.next())?.first().copied(),
            other => anyhow::bail!(
                "there is no option {other}; see the first lines of tests/bench/main.rs"
            ),
        }
    }
    options.members.sort_unstable();
    Ok(options)
}

fn numbers(option: &str, list: Option<String>) -> anyhow::Result<Vec<usize>> {
    let list = list.with_context(|| format!("{option} needs numbers such as 100,100000"))?;
    list.split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{option} takes numbers"))
}

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let plan = &options.plan;
    if let Some(requests) = options.soak {
        return soak::run(&options.database, requests);
    }
    let started = Instant::now();
    let server = rollcall::app::spawn(
        server::config(&options.database),
        rollcall::clock::Clock::system(),
    )?;
    let ready = started.elapsed();
    let bench = Bench::of(&server, options.users.is_some())?;
    let mut report = Report::new(&options.database);
    report.line(&format!("ready to answer after {} ms", ready.as_millis()));
    let filled = Instant::now();
    let sized = ["assign", "sizes", "member", "mass"];
    let searches = options.users.is_some() && plan.only.is_empty();
    let sizes = if searches || sized.iter().any(|row| plan.wants(row)) {
        options.members.as_slice()
    } else {
        &[]
    };
    let ground = fill::ground(&bench, sizes, options.users.unwrap_or(0))?;
    report.line(&format!(
        "{} accounts and {} groups made in {:.1} s",
        ground.accounts,
        ground.groups.len(),
        filled.elapsed().as_secs_f64()
    ));
    if searches {
        let asked = queries::queries(&bench, &ground, &mut report);
        actix_web::rt::System::new().block_on(asked)?;
        return server.stop();
    }
    actix_web::rt::System::new().block_on(async {
        work::people(&bench, &ground, plan, &mut report).await?;
        if plan.wants("assign") {
            work::assignments(&bench, &ground, &mut report).await?;
        }
        work::members(&bench, &ground, plan, &mut report).await?;
        if plan.wants("mass") {
            mass::mass(&bench, &ground, &mut report).await?;
        }
        anyhow::Ok(())
    })?;
    report.line(&format!(
        "resident memory at the end, clients included: {} MB",
        report::resident_megabytes("self")
    ));
    server.stop()
}
