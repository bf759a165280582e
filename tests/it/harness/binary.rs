//! The real binary as a process of its own: commands, servers that can be stopped or killed.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::client::Client;

/// The binary and the database it works on.
pub struct Binary {
    pub database: String,
    environment: Vec<(String, String)>,
}

/// A running `rollcall serve`; killed when dropped.
pub struct Server {
    pub url: String,
    child: Child,
}

impl Binary {
    /// The binary on a database.
    pub fn on(database: &str) -> Self {
        Self {
            database: database.to_owned(),
            environment: Vec::new(),
        }
    }

    /// The binary with one more variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_rollcall")));
        command
            .args(arguments)
            .env("ROLLCALL_DATABASE", &self.database)
            .env("RUST_LOG", "warn")
            // B28: limits are off in load and conformance runs; what is about them switches them on
            .env("ROLLCALL_RATE_LIMIT", "off")
            .env("ROLLCALL_FAILURE_LIMIT", "off")
            .env_remove("ROLLCALL_SEALING_KEY")
            .env_remove("ROLLCALL_SEALING_KEY_FILE")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs a command to its end that reads this from standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut pipe = child.stdin.take().expect("its standard input");
        pipe.write_all(input.as_bytes()).expect("it reads");
        drop(pipe);
        child.wait_with_output().expect("it ends")
    }

    /// Runs a command that must succeed; returns what it printed.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "rollcall {arguments:?} ended with {}\n{out}\n{err}",
            output.status
        );
        out.trim().to_owned()
    }

    /// Makes a tenant on the business plan.
    pub fn tenant(&self, name: &str) {
        self.ok(&["migrate"]);
        self.ok(&["tenant", "create", name, "--plan", "business"]);
    }

    /// Makes a token of a tenant.
    pub fn token(&self, tenant: &str, kind: &str) -> String {
        self.ok(&["token", "create", "--tenant", tenant, "--kind", kind])
    }

    /// Starts a server on a free port and waits until it answers.
    pub fn serve(&self) -> Server {
        self.start(&free_address(), Stdio::null())
    }

    /// Starts a server whose output goes to a file.
    pub fn serve_into(&self, listen: &str, output: File) -> Server {
        self.start(listen, Stdio::from(output))
    }

    /// Starts a server on a free port whose log goes to a file, as detailed as `level` says.
    pub fn serve_logging(&self, log: File, level: &str) -> Server {
        let mut command = self.command(&["serve"]);
        command.env("RUST_LOG", level).stderr(Stdio::from(log));
        self.spawn(&mut command, &free_address(), Stdio::null())
    }

    /// Starts a server that cannot make any file larger than so many bytes, as on a disk that is full.
    pub fn serve_with_files_up_to(&self, bytes: usize) -> Server {
        let server = env!("CARGO_BIN_EXE_rollcall");
        let blocks = bytes / 512;
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {server} serve \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]);
        let ours = self.command(&[]);
        command.envs(
            ours.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        self.spawn(
            command.stderr(Stdio::null()),
            &free_address(),
            Stdio::null(),
        )
    }

    /// Starts a server whose output goes to a file; `false` when it ends by itself, else it is stopped once it answers.
    pub fn try_serve_into(&self, output: File) -> bool {
        let listen = free_address();
        let mut child = self
            .command(&["serve", "--listen", &listen])
            .stdout(Stdio::from(output))
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let ready = Client::new(&format!("http://{listen}"), "", None);
        let started = Instant::now();
        loop {
            if child.try_wait().expect("it can be waited for").is_some() {
                return false;
            }
            let reply = ready.try_send("GET", "/readyz", None);
            if reply.is_ok_and(|reply| reply.status == 200) {
                drop(child.kill());
                drop(child.wait());
                return true;
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "it does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn start(&self, listen: &str, output: Stdio) -> Server {
        self.spawn(&mut self.command(&["serve"]), listen, output)
    }

    fn spawn(&self, command: &mut Command, listen: &str, output: Stdio) -> Server {
        let child = command
            .args(["--listen", listen])
            .stdout(output)
            .spawn()
            .expect("the server starts");
        let mut server = Server {
            url: format!("http://{listen}"),
            child,
        };
        let ready = Client::new(&server.url, "", None);
        let started = Instant::now();
        while !ready
            .try_send("GET", "/readyz", None)
            .is_ok_and(|reply| reply.status == 200)
        {
            if let Ok(Some(status)) = server.child.try_wait() {
                panic!("the server ended with {status} before it answered");
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the server does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

fn free_address() -> String {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    format!("127.0.0.1:{port}")
}

impl Server {
    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client of the SCIM face.
    pub fn scim(&self, token: &str) -> Client {
        Client::new(&self.url, "/scim/v2", Some(token))
    }

    /// A client of the REST face.
    pub fn api(&self, token: &str) -> Client {
        Client::new(&self.url, "/api/v1", Some(token))
    }

    /// `kill -9`: no warning, no cleaning up.
    pub fn kill(mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server is gone");
    }

    /// SIGTERM; returns the exit code.
    pub fn stop(mut self) -> Option<i32> {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the server can be waited for") {
                return status.code();
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the server ignores SIGTERM"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
