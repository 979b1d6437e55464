//! A server process of the test's own: started on a free port, its output kept, ended on drop.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

/// The line that `keyfob dev --ready-json` prints when, and only when, it answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    /// The issuer identifier.
    pub(crate) issuer: String,
    /// The seeded clients.
    pub(crate) clients: Vec<SeededClient>,
    /// The seeded users.
    pub(crate) users: Vec<SeededUser>,
    /// The process.
    pub(crate) pid: u32,
}

/// A seeded client: its RFC 7591 metadata with what it needs to sign in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SeededClient {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    #[serde(default)]
    pub(crate) redirect_uris: Vec<String>,
    #[serde(default)]
    pub(crate) grant_types: Vec<String>,
    /// The other members.
    #[serde(flatten)]
    pub(crate) metadata: BTreeMap<String, Value>,
}

/// A seeded user, with the password in the clear.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SeededUser {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) email: Option<String>,
    /// The other claims.
    #[serde(flatten)]
    pub(crate) claims: BTreeMap<String, Value>,
}

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
    database: Database,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Launch {
    /// `keyfob dev` on a free port with its data in memory.
    pub(crate) fn dev() -> Self {
        Self {
            database: Database::Memory,
            arguments: Vec::new(),
            environment: BTreeMap::new(),
        }
    }

    /// With its data there.
    pub(crate) fn on(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// With these further arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// With this environment variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(self) -> Server {
        Server::start(self)
    }
}

/// A running server. It is killed when dropped, and if that is because the test failed, the end of
/// its log is printed.
pub(crate) struct Server {
    /// What it said when it was ready.
    pub(crate) ready: Ready,
    launch: Launch,
    child: Child,
    directory: TempDir,
}

impl Server {
    /// `keyfob dev` with its data in memory.
    pub(crate) fn dev() -> Self {
        Launch::dev().start()
    }

    /// `keyfob dev` with its data in a file, which survives [`Self::restart`].
    pub(crate) fn with_file() -> Self {
        Launch::dev().on(Database::File).start()
    }

    fn start(launch: Launch) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (child, ready) = spawn(&launch, directory.path(), 0);
        Self {
            ready,
            launch,
            child,
            directory,
        }
    }

    /// The issuer identifier.
    pub(crate) fn issuer(&self) -> &str {
        &self.ready.issuer
    }

    /// The URL of `path`, which starts with a slash, below the issuer.
    pub(crate) fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.ready.issuer)
            .parse()
            .expect("a URL below the issuer")
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.url("/").port().expect("an issuer with a port")
    }

    /// The URL of its database, as `--db` takes it; `None` for one in memory.
    pub(crate) fn database_url(&self) -> Option<String> {
        database_url(&self.launch.database, self.directory.path())
    }

    /// The seeded user of that name.
    pub(crate) fn user(&self, username: &str) -> &SeededUser {
        let mut users = self.ready.users.iter();
        users
            .find(|user| user.username == username)
            .unwrap_or_else(|| panic!("no seeded user {username}"))
    }

    /// The seeded confidential client for people.
    pub(crate) fn web_app(&self) -> &SeededClient {
        self.client(|client| client.client_secret.is_some() && !client.redirect_uris.is_empty())
    }

    /// The seeded public client.
    pub(crate) fn single_page_app(&self) -> &SeededClient {
        self.client(|client| client.client_secret.is_none())
    }

    /// The seeded client that acts as itself.
    pub(crate) fn machine(&self) -> &SeededClient {
        self.client(|client| client.redirect_uris.is_empty())
    }

    fn client(&self, is_it: impl Fn(&SeededClient) -> bool) -> &SeededClient {
        let mut clients = self.ready.clients.iter();
        clients
            .find(|client| is_it(client))
            .unwrap_or_else(|| panic!("no such client among {:?}", self.ready.clients))
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().expect("the server to be killed");
        self.child.wait().expect("the server to be gone");
    }

    /// Starts it again on the same port and database, after [`Self::kill9`] if it still runs.
    pub(crate) fn restart(&mut self) {
        if self.child.try_wait().expect("its state").is_none() {
            self.kill9();
        }
        let (child, ready) = spawn(&self.launch, self.directory.path(), self.port());
        self.child = child;
        self.ready = ready;
    }

    /// Asks it to stop (SIGTERM) and waits for at most `patience`.
    ///
    /// # Panics
    /// If it does not stop in time.
    pub(crate) fn terminate(&mut self, patience: Duration) -> ExitStatus {
        self.signal("TERM");
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "still running {patience:?} after SIGTERM"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name])
            .arg(self.child.id().to_string())
            .status()
            .expect("a shell");
        assert!(status.success(), "kill -s {name}");
    }

    /// Runs another command of the program on the same database.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut command = program(&self.launch, self.directory.path());
        command.args(arguments);
        if let Some(url) = self.database_url() {
            command.args(["--db", &url]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut input = child.stdin.take().expect("its input");
        // A command that reads nothing may be gone already.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        child.wait_with_output().expect("its output")
    }

    /// The directory of its own: database, logs.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Everything it has written to its standard output and error so far.
    pub(crate) fn log(&self) -> String {
        ["stdout", "stderr"]
            .map(|name| fs::read(self.directory.path().join(name)).unwrap_or_default())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = fs::read(self.directory.path().join("stderr")).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(30)..];
            eprintln!("the server's last lines:\n{}", tail.join("\n"));
        }
    }
}

/// The program under test: the one that cargo built, or that of `KEYFOB_TEST_BINARY`, such as a
/// release build.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("KEYFOB_TEST_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_keyfob").into(), PathBuf::from)
}

fn database_url(database: &Database, directory: &Path) -> Option<String> {
    match database {
        Database::Memory => None,
        Database::File => Some(format!(
            "sqlite:{}",
            directory.join("keyfob.sqlite").display()
        )),
        Database::Url(url) => Some(url.clone()),
    }
}

/// The program with an environment that has nothing of the developer's own configuration.
fn program(launch: &Launch, directory: &Path) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KEYFOB_") {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).envs(&launch.environment);
    command
}

/// Starts the program and waits for the line that says it answers.
fn spawn(launch: &Launch, directory: &Path, port: u16) -> (Child, Ready) {
    let log = |name: &str| {
        File::options()
            .create(true)
            .append(true)
            .open(directory.join(name))
            .expect("a log file")
    };
    let mut command = program(launch, directory);
    command.args(["dev", "--ready-json", "--port", &port.to_string()]);
    if let Some(url) = database_url(&launch.database, directory) {
        command.args(["--db", &url]);
    }
    command.args(&launch.arguments);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log("stderr"))
        .spawn()
        .expect("the server to start");

    let output = child.stdout.take().expect("its output");
    let mut copy = log("stdout");
    let (sender, receiver) = mpsc::channel();
    // The thread ends with the server: reading on keeps its pipe from filling up.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = writeln!(copy, "{line}");
            let _ = sender.send(line);
        }
    });
    let line = receiver.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        let _ = child.kill();
        let _ = child.wait();
        let log = fs::read_to_string(directory.join("stderr")).unwrap_or_default();
        panic!("the server did not get ready ({error}):\n{log}")
    });
    let ready = serde_json::from_str(&line)
        .unwrap_or_else(|error| panic!("the ready line {line}: {error}"));
    (child, ready)
}

/// How long a server may take to answer: a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
