//! A server process of the test's own: started on a free port, its output kept, ended on drop.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use url::Url;

use super::launch::{Database, Launch};
use super::seeds::{self, Ready, SeededClient, SeededUser};

/// A running server. It is killed when dropped, and if that is because the test failed, the end of
/// its log is printed.
pub(crate) struct Server {
    /// Where it is, and whom and what it knows.
    pub(crate) ready: Ready,
    launch: Launch,
    child: Child,
    directory: Arc<TempDir>,
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

    /// `keyfob serve` with its data in a file.
    pub(crate) fn serve() -> Self {
        Launch::serve().start()
    }

    /// Starts a server with the seeds, and waits until it answers.
    pub(crate) fn start(launch: Launch) -> Self {
        let mut server = Self::start_empty(launch);
        if server.ready.users.is_empty() {
            server.ready = seeds::plant(&server);
        }
        server
    }

    /// Starts a server with what is in its database, and waits until it answers.
    pub(crate) fn start_empty(launch: Launch) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let (child, said) = launch.spawn(directory.path(), 0);
        let ready = said.unwrap_or_else(|| Ready {
            issuer: launch.issuer().expect("an issuer").to_owned(),
            clients: Vec::new(),
            users: Vec::new(),
            pid: child.id(),
        });
        Self {
            ready,
            launch,
            child,
            directory,
        }
    }

    /// Another `keyfob serve` of the same issuer on the same database, on that port.
    pub(crate) fn replica(&self, port: u16) -> Self {
        let launch = self.launch.clone().listening_on(port);
        let directory = Arc::clone(&self.directory);
        let (child, _) = launch.spawn(directory.path(), 0);
        Self {
            ready: self.ready.clone(),
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
        let url = format!("{}{path}", self.ready.issuer);
        url.parse().expect("a URL below the issuer")
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        let fixed = self.launch.port();
        fixed.unwrap_or_else(|| self.url("/").port().expect("an issuer with a port"))
    }

    /// The URL of its database; `None` for one in memory.
    pub(crate) fn database_url(&self) -> Option<String> {
        self.launch.database_url(self.directory.path())
    }

    /// The user of that name.
    pub(crate) fn user(&self, username: &str) -> &SeededUser {
        self.ready.user(username)
    }

    /// The confidential client for people.
    pub(crate) fn web_app(&self) -> &SeededClient {
        self.ready
            .client(|it| it.client_secret.is_some() && !it.redirect_uris.is_empty())
    }

    /// The public client.
    pub(crate) fn single_page_app(&self) -> &SeededClient {
        self.ready.client(|it| it.client_secret.is_none())
    }

    /// The client that acts as itself.
    pub(crate) fn machine(&self) -> &SeededClient {
        self.ready.client(|it| it.redirect_uris.is_empty())
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
        let (child, said) = self.launch.spawn(self.directory.path(), self.port());
        self.child = child;
        if let Some(ready) = said {
            self.ready = ready;
        }
    }

    /// Asks it to stop (SIGTERM) and waits for at most `patience`.
    ///
    /// # Panics
    /// If it does not stop in time.
    pub(crate) fn terminate(&mut self, patience: Duration) -> ExitStatus {
        self.signal("TERM");
        self.wait(patience)
    }

    /// Waits for its end, for at most `patience`.
    ///
    /// # Panics
    /// If it does not end in time.
    pub(crate) fn wait(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {patience:?}"
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
        let mut child = self
            .launch
            .program(self.directory.path())
            .args(arguments)
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

    /// Everything it has logged so far.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.directory.path().join("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(30)..];
            eprintln!("the server's last lines:\n{}", tail.join("\n"));
        }
    }
}
