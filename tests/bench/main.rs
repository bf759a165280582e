//! What the server reaches over HTTP, and beside it, in the same run, what the machine could reach without it.
//!
//! ```text
//! cargo bench --bench http -- [--quick] [--database URL] [--members 100,1000,10000,100000] [--users 1000000]
//! ```
//!
//! Without `--database` it measures SQLite in a temporary file. A run makes a tenant of its own and leaves it behind.
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
mod work;

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::report::Report;
use crate::server::Bench;

/// How many clients ask at the same time.
const CLIENTS: [usize; 4] = [1, 8, 32, 128];

/// What the command line said.
struct Options {
    database: String,
    /// How long each line measures.
    time: Duration,
    /// The sizes of the groups that get another member.
    members: Vec<usize>,
    /// How many users the searches are measured among; nothing else is measured then.
    users: Option<usize>,
}

fn options() -> anyhow::Result<Options> {
    let mut options = Options {
        database: "sqlite://:memory:".to_owned(),
        time: Duration::from_secs(3),
        members: vec![100, 1_000, 10_000, 100_000],
        users: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // cargo adds it
            "--bench" => {}
            "--quick" => options.time = Duration::from_millis(700),
            "--database" => {
                options.database = arguments.next().context("--database needs a URL")?
            }
            "--members" => {
                let list = arguments
                    .next()
                    .context("--members needs numbers such as 100,100000")?;
                options.members = list
                    .split(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()
                    .context("--members takes numbers")?;
            }
            "--users" => {
                let users = arguments.next().context("--users needs a number")?;
                options.users = Some(users.parse().context("--users takes a number")?);
                options.members = vec![100_000];
            }
            other => anyhow::bail!(
                "there is no option {other}; see the first lines of tests/bench/main.rs"
            ),
        }
    }
    options.members.sort_unstable();
    Ok(options)
}

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let started = Instant::now();
    let server = rollcall::app::spawn(
        server::config(&options.database),
        rollcall::clock::Clock::system(),
    )?;
    let ready = started.elapsed();
    let bench = Bench::of(&server)?;
    let mut report = Report::new(&options.database);
    report.line(&format!("ready to answer after {} ms", ready.as_millis()));
    let filled = Instant::now();
    let ground = fill::ground(&bench, &options.members, options.users.unwrap_or(0))?;
    report.line(&format!(
        "{} accounts and {} groups made in {:.1} s",
        ground.accounts,
        ground.groups.len(),
        filled.elapsed().as_secs_f64()
    ));
    if options.users.is_some() {
        queries::fill_values(&bench)?;
        let asked = queries::queries(&bench, &ground, &mut report);
        actix_web::rt::System::new().block_on(asked)?;
        return server.stop();
    }
    actix_web::rt::System::new().block_on(async {
        work::people(&bench, &ground, options.time, &mut report).await?;
        work::assignments(&bench, &ground, &mut report).await?;
        work::members(&bench, &ground, options.time, &mut report).await?;
        mass::mass(&bench, &ground, &mut report).await
    })?;
    report.line(&format!(
        "resident memory at the end, clients included: {} MB",
        report::resident_megabytes()
    ));
    server.stop()
}
