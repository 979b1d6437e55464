//! How to start a server: which command, on which database, with which configuration.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::process::Server;
use super::seeds::Ready;

/// Where a server keeps its data.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// Nowhere: it is gone with the process.
    Memory,
    /// A file in the server's own directory.
    File,
    /// The database of this URL.
    Url(String),
}

/// How to start a server.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// Whether it is `keyfob serve`, with the issuer on a port fixed beforehand.
    pub(crate) is_serve: bool,
    database: Database,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Launch {
    /// `keyfob dev` on a free port with its data in memory.
    pub(crate) fn dev() -> Self {
        Self {
            is_serve: false,
            database: Database::Memory,
            arguments: Vec::new(),
            environment: BTreeMap::new(),
        }
    }

    /// `keyfob serve` on a free port with its data in a file, with the same users and clients as
    /// `keyfob dev` but none of its conveniences.
    pub(crate) fn serve() -> Self {
        let port = free_port();
        let master_key = [Uuid::new_v4(), Uuid::new_v4()].map(|it| it.simple().to_string());
        Self {
            is_serve: true,
            database: Database::File,
            ..Self::dev()
        }
        .variable("KEYFOB_ISSUER", &format!("http://localhost:{port}"))
        .variable("KEYFOB_MASTER_KEY", &master_key.concat())
        .listening_on(port)
    }

    /// With its data there.
    pub(crate) fn on(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// With these further arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string);
        self.arguments.extend(arguments);
        self
    }

    /// With this environment variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// `keyfob serve` on that port, whatever the issuer's is: behind a balancer.
    pub(crate) fn listening_on(self, port: u16) -> Self {
        self.variable("KEYFOB_LISTEN", &format!("127.0.0.1:{port}"))
    }

    /// The port on which `keyfob serve` listens; none of `keyfob dev`, which says itself.
    pub(crate) fn port(&self) -> Option<u16> {
        let listen = self.environment.get("KEYFOB_LISTEN")?;
        listen.rsplit(':').next()?.parse().ok()
    }

    /// The issuer of `keyfob serve`; none of `keyfob dev`, which says itself.
    pub(crate) fn issuer(&self) -> Option<&str> {
        let issuer = self.environment.get("KEYFOB_ISSUER");
        issuer.map(String::as_str)
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(self) -> Server {
        Server::start(self)
    }

    /// The URL of the database; `None` for one in memory.
    pub(crate) fn database_url(&self, directory: &Path) -> Option<String> {
        match &self.database {
            Database::Memory => None,
            Database::File => {
                let file = directory.join("keyfob.sqlite");
                Some(format!("sqlite:{}", file.display()))
            }
            Database::Url(url) => Some(url.clone()),
        }
    }

    /// The program, in `directory`, with an environment that has nothing of the developer's own.
    pub(crate) fn program(&self, directory: &Path) -> Command {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KEYFOB_") {
                command.env_remove(name);
            }
        }
        command.current_dir(directory).envs(&self.environment);
        if let (true, Some(url)) = (self.is_serve, self.database_url(directory)) {
            command.env("KEYFOB_DATABASE__URL", url);
        }
        command
    }

    /// Starts the program and waits until it answers: `keyfob dev` on `port`, and what it said;
    /// `keyfob serve` on its own.
    pub(crate) fn spawn(&self, directory: &Path, port: u16) -> (Child, Option<Ready>) {
        let mut command = self.program(directory);
        if self.is_serve {
            command.arg("serve");
        } else {
            command.args(["dev", "--ready-json", "--port", &port.to_string()]);
            if let Some(url) = self.database_url(directory) {
                command.args(["--db", &url]);
            }
        }
        command.args(&self.arguments).stdin(Stdio::null());
        command.stderr(log(directory, "stderr"));
        if let Some(port) = self.port() {
            command.stdout(log(directory, "stdout"));
            let mut child = command.spawn().expect("the server to start");
            if self.environment.contains_key("KEYFOB_TLS__CERTIFICATE") {
                wait_until_bound(&mut child, directory, port);
            } else {
                wait_until_ready(&mut child, directory, port);
            }
            return (child, None);
        }
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the server to start");
        let ready = read_ready_line(&mut child, directory);
        (child, Some(ready))
    }
}

/// The program under test: the one that cargo built, or that of `KEYFOB_TEST_BINARY`, such as a
/// release build.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("KEYFOB_TEST_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_keyfob").into(), PathBuf::from)
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn log(directory: &Path, name: &str) -> File {
    let mut options = File::options();
    let path = directory.join(name);
    options
        .create(true)
        .append(true)
        .open(path)
        .expect("a log file")
}

fn read_ready_line(child: &mut Child, directory: &Path) -> Ready {
    let output = child.stdout.take().expect("its output");
    let mut copy = log(directory, "stdout");
    let (sender, receiver) = mpsc::channel();
    // The thread ends with the server: reading on keeps its pipe from filling up.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = writeln!(copy, "{line}");
            let _ = sender.send(line);
        }
    });
    let Ok(line) = receiver.recv_timeout(PATIENCE) else {
        give_up(child, directory)
    };
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("the ready line {line}: {error}"))
}

fn wait_until_ready(child: &mut Child, directory: &Path, port: u16) {
    let deadline = Instant::now() + PATIENCE;
    while !is_ready(port) {
        let is_gone = child.try_wait().is_ok_and(|status| status.is_some());
        if is_gone || Instant::now() > deadline {
            give_up(child, directory);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until somebody listens: over TLS, requests then wait until they are answered.
pub(crate) fn wait_until_bound(child: &mut Child, directory: &Path, port: u16) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_err() {
        let is_gone = child.try_wait().is_ok_and(|status| status.is_some());
        if is_gone || Instant::now() > deadline {
            give_up(child, directory);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether `/readyz` answers 200.
fn is_ready(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))) else {
        return false;
    };
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}

fn give_up(child: &mut Child, directory: &Path) -> ! {
    let _ = child.kill();
    let _ = child.wait();
    let said = fs::read_to_string(directory.join("stderr")).unwrap_or_default();
    panic!("the server did not get ready:\n{said}")
}

/// How long a server may take to answer: a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
