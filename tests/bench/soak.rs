//! Memory, not time: a server process of its own gets mixed requests, and its resident memory is read on the way.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::client::{Client, request};
use crate::report::resident_megabytes;
use crate::work::{id_text, patch, user};

/// How many clients ask at the same time.
const CLIENTS: usize = 32;
/// How many users and groups each client makes for itself to begin with.
const PEOPLE: usize = 50;
/// How often memory is read and shown.
const STEPS: usize = 20;

/// The server's process; killed when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Sends so many requests and shows the memory of the server after each part of them.
pub fn run(database: &str, requests: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = if database == "sqlite://:memory:" {
        format!("sqlite://{}/soak.db", folder.path().display())
    } else {
        database.to_owned()
    };
    let rollcall = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command
            .args(arguments)
            .env("ROLLCALL_DATABASE", &database)
            .env("ROLLCALL_ALLOW_UNSAFE_DATABASE", "true")
            .env("ROLLCALL_RATE_LIMIT", "off")
            .env("ROLLCALL_FAILURE_LIMIT", "off")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null());
        command
    };
    let done = |arguments: &[&str]| -> anyhow::Result<String> {
        let output = rollcall(arguments).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "rollcall {arguments:?} failed");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let tenant = format!("soak {}", rollcall::ids::RequestId::new());
    done(&["migrate"])?;
    done(&["tenant", "create", &tenant, "--plan", "business"])?;
    let token = done(&["token", "create", "--tenant", &tenant, "--kind", "scim"])?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let child = rollcall(&["serve", "--listen", &address.to_string()])
        .stdout(Stdio::null())
        .spawn()?;
    let server = Server(child);
    let process = server.0.id().to_string();
    let started = Instant::now();
    actix_web::rt::System::new().block_on(async {
        ready(address).await?;
        println!("at rest: {} MB resident", resident_megabytes(&process));
        let mut clients = Vec::with_capacity(CLIENTS);
        for number in 0..CLIENTS {
            clients.push(Caller::new(address, &token, number).await?);
        }
        for step in 1..=STEPS {
            let each = requests / STEPS / CLIENTS;
            try_join_all(clients.iter_mut().map(|caller| caller.ask(each))).await?;
            println!(
                "{} requests, {:.0} s: {} MB resident",
                step * each * CLIENTS,
                started.elapsed().as_secs_f64(),
                resident_megabytes(&process)
            );
        }
        anyhow::Ok(())
    })
}

/// Waits until the server answers.
async fn ready(address: SocketAddr) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        if let Ok(mut client) = Client::connect(address).await {
            client
                .expect(200, &request("GET", "/readyz", "", ""))
                .await?;
            return Ok(());
        }
        ensure!(
            started.elapsed() < Duration::from_secs(30),
            "the server does not answer"
        );
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One client with users and a group of its own.
struct Caller<'a> {
    client: Client,
    token: &'a str,
    name: usize,
    users: Vec<String>,
    group: String,
    asked: usize,
}

impl<'a> Caller<'a> {
    async fn new(address: SocketAddr, token: &'a str, name: usize) -> anyhow::Result<Self> {
        let mut client = Client::connect(address).await?;
        let mut users = Vec::with_capacity(PEOPLE);
        for number in 0..PEOPLE {
            let body = user(&format!("soak{name}.{number}@example.com"));
            let ask = request("POST", "/scim/v2/Users", token, &body);
            users.push(id_text(client.expect(201, &ask).await?)?);
        }
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("Soak {name}")});
        let ask = request("POST", "/scim/v2/Groups", token, &body.to_string());
        let group = id_text(client.expect(201, &ask).await?)?;
        Ok(Self {
            client,
            token,
            name,
            users,
            group,
            asked: 0,
        })
    }

    /// Of twenty requests thirteen read, one is refused, six write.
    async fn ask(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.asked += 1;
            let (number, token) = (self.asked, self.token);
            let one = self
                .users
                .get(number % self.users.len())
                .context("no user")?;
            let of_one = format!("/scim/v2/Users/{one}");
            let (status, ask) = match number % 20 {
                0..=7 => (200, request("GET", &of_one, token, "")),
                8..=10 => {
                    let path = format!(
                        "/scim/v2/Users?filter=userName%20eq%20%22soak{}.{}%40example.com%22",
                        self.name,
                        number % PEOPLE
                    );
                    (200, request("GET", &path, token, ""))
                }
                11 => (200, request("GET", "/scim/v2/Users?count=100", token, "")),
                12 => (
                    200,
                    request("GET", &format!("/scim/v2/Groups/{}", self.group), token, ""),
                ),
                13 => (
                    404,
                    request("GET", "/scim/v2/Users/nobody-of-that-name", token, ""),
                ),
                14 => {
                    let body = user(&format!("later{}.{number}@example.com", self.name));
                    (201, request("POST", "/scim/v2/Users", token, &body))
                }
                15..=16 => {
                    let title = format!("Engineer {number}");
                    let body = patch(&json!({"op": "replace", "path": "title", "value": title}));
                    (200, request("PATCH", &of_one, token, &body))
                }
                17 => {
                    // the same body as at the beginning, but for the name's case
                    let body = user(&format!(
                        "Soak{}.{}@example.com",
                        self.name,
                        number % PEOPLE
                    ));
                    (200, request("PUT", &of_one, token, &body))
                }
                18 => {
                    let member = json!({"op": "add", "path": "members", "value": [{"value": one}]});
                    let path = format!("/scim/v2/Groups/{}", self.group);
                    (204, request("PATCH", &path, token, &patch(&member)))
                }
                _ => {
                    let member =
                        json!({"op": "remove", "path": format!("members[value eq \"{one}\"]")});
                    let path = format!("/scim/v2/Groups/{}", self.group);
                    (204, request("PATCH", &path, token, &patch(&member)))
                }
            };
            self.client.expect(status, &ask).await?;
        }
        Ok(())
    }
}
