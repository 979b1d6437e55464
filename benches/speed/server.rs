//! The server under test: the release build, on a core of its own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::load::Target;
use crate::machine::on_the_first_core;

/// How the server is configured.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    pub(crate) database: String,
    program: OsString,
    directory: PathBuf,
    pub(crate) master_key: String,
}

impl Settings {
    /// On a free port, with its files in `directory`.
    pub(crate) fn new(arguments: &Arguments, directory: &Path) -> Result<Self> {
        let file = directory.join("keyfob.sqlite");
        let sqlite = || format!("sqlite:{}", file.display());
        let database = arguments.database.clone().unwrap_or_else(sqlite);
        Ok(Self {
            program: program(arguments),
            address: free_address()?,
            database,
            directory: directory.to_owned(),
            master_key: [Uuid::new_v4(), Uuid::new_v4()]
                .map(|it| it.simple().to_string())
                .concat(),
        })
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    fn command(&self) -> Result<Command> {
        let mut command = on_the_first_core(&self.program);
        for (name, _) in std::env::vars() {
            if name.starts_with("KEYFOB_") {
                command.env_remove(name);
            }
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join("log"))?;
        command
            .arg("serve")
            .current_dir(&self.directory)
            .env("KEYFOB_ISSUER", self.issuer())
            .env("KEYFOB_LISTEN", self.address.to_string())
            .env("KEYFOB_DATABASE__URL", &self.database)
            .env("KEYFOB_MASTER_KEY", &self.master_key)
            .env("KEYFOB_WORKERS", "1")
            // Codes are made before the exchange of all of them is measured.
            .env("KEYFOB_LIFETIMES__AUTHORIZATION_CODE", "10m")
            .stdin(Stdio::null())
            .stderr(log);
        Ok(command)
    }
}

/// A running server. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `keyfob serve` and waits until it is ready. Returns how long that took.
    pub(crate) fn start(settings: &Settings) -> Result<(Self, Duration)> {
        let mut command = settings.command()?;
        let began_at = Instant::now();
        let child = command.spawn()?;
        let mut server = Self {
            child,
            address: settings.address,
        };
        while !is_ready(settings.address, "/readyz") {
            let has_ended = server.child.try_wait()?.is_some();
            if has_ended || began_at.elapsed() > PATIENCE {
                let log = fs::read_to_string(settings.directory.join("log"))?;
                bail!("keyfob serve does not get ready:\n{log}");
            }
            thread::sleep(Duration::from_micros(200));
        }
        Ok((server, began_at.elapsed()))
    }

    /// Starts the bare routes.
    pub(crate) fn bare() -> Result<Self> {
        let address = free_address()?;
        let child = on_the_first_core(std::env::current_exe()?.as_os_str())
            .args(["--bare", &address.port().to_string()])
            .spawn()?;
        let server = Self { child, address };
        while !is_ready(address, "/2") {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(server)
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            address: self.address,
            process: self.child.id(),
        }
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("no resident size")?.parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long `keyfob dev` takes from its start to the line that says that it answers.
pub(crate) fn dev_start(arguments: &Arguments) -> Result<Vec<Duration>> {
    let mut all = Vec::new();
    for _ in 0..arguments.starts {
        let mut command = on_the_first_core(&program(arguments));
        command
            .args(["dev", "--ready-json", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let began_at = Instant::now();
        let mut child = command.spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        all.push(began_at.elapsed());
        child.kill()?;
        child.wait()?;
    }
    Ok(all)
}

/// The program under test: what cargo has built, if nothing else is named.
fn program(arguments: &Arguments) -> OsString {
    let named = arguments.program.as_deref();
    named.unwrap_or(env!("CARGO_BIN_EXE_keyfob")).into()
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Whether it answers 200.
fn is_ready(address: SocketAddr, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}

const PATIENCE: Duration = Duration::from_secs(30);
