//! The command line: `rollcall serve`, `demo`, `tenant`, `token`, `admin`, `migrate`, `check`, `backup`, `restore`,
//! `import`.
//!
//! Every option is an environment variable, too (`ROLLCALL_…`; the flag wins). What a person or a script asked for goes to
//! standard output, everything else to standard error. Exit codes: 0 ok, 1 failed, 2 usage.

mod clients;
mod commands;
mod import;
mod jobs;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::clock::Clock;
use crate::config::{self, Config, Limit, Limits, Sealing};
use crate::ids::ClientSecretId;

/// SCIM 2.0 provisioning server that turns pushed users and groups into course enrollments.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    command: Command,
}

/// In the environment a switch may also be `1`, `yes` or `on`.
fn boolish() -> BoolishValueParser {
    BoolishValueParser::new()
}

#[derive(Debug, Args)]
struct Database {
    /// sqlite://FILE or postgres://USER@HOST/DATABASE
    #[arg(long, global = true, value_name = "URL", env = "ROLLCALL_DATABASE", default_value = config::DATABASE, hide_env_values = true)]
    database: String,
    /// Connections to PostgreSQL
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "ROLLCALL_POSTGRES_POOL",
        default_value_t = 16,
        hide_short_help = true
    )]
    postgres_pool: u32,
    /// Accept a PostgreSQL that may lose acknowledged writes (for tests)
    #[arg(long, global = true, env = "ROLLCALL_ALLOW_UNSAFE_DATABASE", value_parser = boolish(), hide_short_help = true)]
    allow_unsafe_database: bool,
    /// The key that seals secrets in the database; default: a file beside a SQLite database
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ROLLCALL_SEALING_KEY_FILE",
        hide_short_help = true
    )]
    sealing_key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate the database, then serve
    Serve(Serve),
    /// Show the whole product on a throw-away database
    Demo {
        /// End after the story instead of staying up
        #[arg(long, env = "ROLLCALL_EXIT", value_parser = boolish())]
        exit: bool,
        /// Address and port to listen on; port 0 takes a free one
        #[arg(
            long,
            value_name = "ADDRESS",
            env = "ROLLCALL_LISTEN",
            default_value = "127.0.0.1:0"
        )]
        listen: String,
    },
    /// Make, list and change tenants
    #[command(subcommand)]
    Tenant(Tenant),
    /// Make, list and revoke access tokens
    #[command(subcommand)]
    Token(Token),
    /// Make, list and revoke the secrets with which connections fetch short-lived tokens
    #[command(subcommand)]
    Client(Client),
    /// Make console logins
    #[command(subcommand)]
    Admin(Admin),
    /// List and rotate the keys that sign tokens, and the one that seals those
    #[command(subcommand)]
    Key(Key),
    /// Bring the database to this version
    Migrate,
    /// Check the database against its invariants
    Check,
    /// Copy a SQLite database into a file, also while it is served
    Backup {
        /// The copy to write; an existing file is replaced
        file: PathBuf,
    },
    /// Put a copy in the place of a SQLite database that nobody serves
    Restore {
        /// The copy to read
        file: PathBuf,
    },
    /// Plan what a CSV file of people or groups would do, and do it
    ///
    /// Ends with 1 when rows are refused; the others are written all the same.
    Import(import::Import),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address and port to listen on; put a TLS proxy in front of it
    #[arg(long, value_name = "ADDRESS", env = "ROLLCALL_LISTEN", default_value = config::LISTEN)]
    listen: String,
    /// The address clients use, such as https://scim.example.com; default: that of each connection
    #[arg(long, value_name = "URL", env = "ROLLCALL_PUBLIC_URL", value_parser = config::parse_public_url)]
    public_url: Option<String>,
    /// A folder of further SCIM schema files
    #[arg(long, value_name = "FOLDER", env = "ROLLCALL_SCHEMAS")]
    schemas: Option<PathBuf>,
    /// Offer memberships as resources at /GroupMemberships, as draft-zollner-scim-group-membership describes
    #[arg(long, env = "ROLLCALL_GROUP_MEMBERSHIPS")]
    group_memberships: bool,
    /// Threads that speak HTTP; default: one per core
    #[arg(long, value_name = "N", env = "ROLLCALL_WORKERS")]
    workers: Option<usize>,
    /// How long to serve on as "not ready" after SIGTERM, for load balancers to notice
    #[arg(long, value_name = "TIME", env = "ROLLCALL_DRAIN_DELAY", default_value = "0s", value_parser = config::parse_duration)]
    drain_delay: Duration,
    /// Writes per second of one token, twice as many reads, ten times as many operations of Bulk requests; or `off`
    #[arg(long, value_name = "N|off", env = "ROLLCALL_RATE_LIMIT", default_value = config::RATE_LIMIT, value_parser = config::parse_rate_limit)]
    rate_limit: Limit,
    /// Wrong tokens per minute and address before it must wait; or `off`
    #[arg(long, value_name = "N|off", env = "ROLLCALL_FAILURE_LIMIT", default_value = config::FAILURE_LIMIT, value_parser = config::parse_failure_limit)]
    failure_limit: Limit,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Plan {
    Starter,
    Professional,
    Business,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Scim,
    Api,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Idp {
    Okta,
    Entra,
    Generic,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Owner,
    Admin,
    Manager,
    Auditor,
    It,
}

#[derive(Debug, Subcommand)]
enum Tenant {
    /// Make a tenant
    Create {
        /// Unique, ignoring case
        name: String,
        /// Groups are part of professional and business
        #[arg(long, env = "ROLLCALL_PLAN", default_value = "starter")]
        plan: Plan,
        /// An IANA name; due dates end in this zone
        #[arg(
            long,
            value_name = "ZONE",
            env = "ROLLCALL_TIME_ZONE",
            default_value = "UTC"
        )]
        time_zone: String,
    },
    /// List the tenants
    List,
    /// Change a tenant's plan; an upgrade enrolls whoever is owed something
    SetPlan { name: String, plan: Plan },
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Make a token and print it, alone and once
    Create {
        #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
        tenant: String,
        /// scim opens /scim/v2, api opens /api/v1
        #[arg(long, env = "ROLLCALL_KIND")]
        kind: Kind,
        /// Scopes between commas; default: everything of its kind
        #[arg(long, value_name = "SCOPES", env = "ROLLCALL_SCOPES")]
        scopes: Option<String>,
        /// How long it lives
        #[arg(long, value_name = "TIME", env = "ROLLCALL_EXPIRES", default_value = "365d", value_parser = config::parse_duration)]
        expires: Duration,
        /// The connection a SCIM token writes for; made when there is none of that name
        #[arg(long, value_name = "NAME", env = "ROLLCALL_CONNECTION")]
        connection: Option<String>,
        /// The identity provider of a connection that is made; default: what its name says
        #[arg(long, env = "ROLLCALL_IDP")]
        idp: Option<Idp>,
        /// The userName or id of the person it is for: it opens their own account at /Me, and nothing else by default
        #[arg(long, value_name = "NAME", env = "ROLLCALL_USER")]
        user: Option<String>,
        /// What lists call it; default: the connection's name, else the kind
        #[arg(long, value_name = "TEXT", env = "ROLLCALL_LABEL")]
        label: Option<String>,
    },
    /// List the tokens of all tenants or of one
    List {
        #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
        tenant: Option<String>,
    },
    /// Take a token back; servers notice within five seconds
    Revoke {
        // A `jti` may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        jti: String,
    },
}

#[derive(Debug, Subcommand)]
enum Client {
    /// Make a secret for a connection and print client id and secret, once; older secrets stay valid
    Create {
        #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
        tenant: String,
        /// The connection that fetches tokens; made when there is none of that name
        #[arg(long, value_name = "NAME", env = "ROLLCALL_CONNECTION")]
        connection: String,
        /// Scopes between commas that its tokens may have; default: everything of SCIM
        #[arg(long, value_name = "SCOPES", env = "ROLLCALL_SCOPES")]
        scopes: Option<String>,
        /// How long the secret holds
        #[arg(long, value_name = "TIME", env = "ROLLCALL_EXPIRES", default_value = "365d", value_parser = config::parse_duration)]
        expires: Duration,
        /// The identity provider of a connection that is made; default: what its name says
        #[arg(long, env = "ROLLCALL_IDP")]
        idp: Option<Idp>,
    },
    /// List the secrets of all tenants or of one
    List {
        #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
        tenant: Option<String>,
    },
    /// Take a secret back; tokens that it fetched live on for an hour at most
    Revoke {
        #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
        tenant: String,
        /// The id of the secret, as the list shows it
        id: ClientSecretId,
    },
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Make a login; without --password-stdin a random password is made and printed
    Create {
        #[arg(long, value_name = "NAME", env = "ROLLCALL_TENANT")]
        tenant: String,
        #[arg(long, env = "ROLLCALL_EMAIL")]
        email: String,
        #[arg(long, env = "ROLLCALL_ROLE", default_value = "admin")]
        role: Role,
        /// Read the password from standard input
        #[arg(long, env = "ROLLCALL_PASSWORD_STDIN", value_parser = boolish())]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Key {
    /// List the keys that sign tokens
    List,
    /// Sign with a new key from now on; tokens of the older ones stay valid
    Rotate,
    /// Seal all secrets again: under a new key where it lies in a file, else under the first of the environment
    Rekey,
}

/// How a command ends when it does not succeed.
enum Ended {
    /// It failed: exit code 1.
    Failed(anyhow::Error),
    /// It was asked the wrong way: exit code 2.
    Usage(String),
}

impl<E: Into<anyhow::Error>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads the command line, does what it says and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    // B54: what we make is our owner's alone, and no core file shows what we knew.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    // Clap ends the process itself: help and version with 0, mistakes with 2.
    let cli = Cli::parse();
    let verbosity = if matches!(cli.command, Command::Serve(_)) {
        "info,actix_server=warn"
    } else {
        "warn"
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(verbosity))
        .format(|out, record| {
            let (now, level) = (Clock::system().now(), record.level());
            let (target, told) = (record.target(), record.args());
            writeln!(out, "[{now} {level:<5} {target}] {told}")
        })
        .init();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::Failed(error)) => {
            eprintln!("rollcall: {error:#}");
            ExitCode::from(1)
        }
        Err(Ended::Usage(message)) => {
            eprintln!("rollcall: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<(), Ended> {
    let sealing = match (cli.database.sealing_key_file, config::sealing_keys()) {
        (Some(_), Some(_)) => {
            return Err(Ended::Usage(
                "the sealing key is given twice: by --sealing-key-file and by ROLLCALL_SEALING_KEY"
                    .to_owned(),
            ));
        }
        (Some(file), None) => Sealing::File(file),
        (None, Some(keys)) => Sealing::Keys(keys),
        (None, None) => Sealing::Default,
    };
    let config = Config {
        sealing,
        database: cli.database.database,
        postgres_pool: cli.database.postgres_pool,
        allow_unsafe_database: cli.database.allow_unsafe_database,
        ..Config::default()
    };
    match cli.command {
        Command::Serve(serve) => commands::serve(&Config {
            listen: serve.listen,
            public_url: serve.public_url,
            schemas: serve.schemas,
            group_memberships: serve.group_memberships,
            workers: serve.workers,
            drain_delay: serve.drain_delay,
            limits: Limits {
                writes_per_second: serve.rate_limit.0,
                failures_per_minute: serve.failure_limit.0,
            },
            ..config
        }),
        Command::Demo { exit, listen } => Ok(crate::demo::run(&listen, exit)?),
        Command::Tenant(command) => commands::tenant(&config, command),
        Command::Token(command) => commands::token(&config, command),
        Command::Client(command) => clients::client(&config, command),
        Command::Admin(command) => commands::admin(&config, command),
        Command::Key(command) => commands::key(&config, command),
        Command::Migrate => commands::migrate(&config),
        Command::Check => commands::check(&config),
        Command::Backup { file } => commands::backup(&config, &file),
        Command::Restore { file } => commands::restore(&config, &file),
        Command::Import(asked) => import::import(&config, &asked),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_names_its_commands() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("serve") && help.contains("check"));
        assert!(help.contains("import"), "{help}");
    }

    #[test]
    fn every_option_is_an_environment_variable_as_well() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                if let Some(long) = argument
                    .get_long()
                    .filter(|long| !["help", "version"].contains(long))
                {
                    let expected = format!("ROLLCALL_{}", long.to_uppercase().replace('-', "_"));
                    assert_eq!(
                        argument.get_env().and_then(|env| env.to_str()),
                        Some(expected.as_str())
                    );
                }
            }
            command.get_subcommands().for_each(walk);
        }
        let mut command = Cli::command();
        command.build();
        walk(&command);
    }

    #[test]
    fn the_documented_forms_parse() {
        for line in [
            "rollcall serve --listen 127.0.0.1:0 --database sqlite://x.db",
            "rollcall demo --exit",
            "rollcall tenant create acme --plan business --time-zone Europe/Berlin",
            "rollcall tenant list",
            "rollcall tenant set-plan acme professional",
            "rollcall token create --tenant acme --kind scim --scopes scim:read,scim:write --expires 365d --connection okta",
            "rollcall token list",
            "rollcall token revoke abc",
            "rollcall admin create --tenant acme --email a@b.test --role it --password-stdin",
            "rollcall key list",
            "rollcall key rotate",
            "rollcall key rekey --sealing-key-file rollcall.key",
            "rollcall migrate",
            "rollcall backup copy.db",
            "rollcall restore copy.db",
            "rollcall import members people.csv --commit",
            "rollcall check",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }
}
