//! PostgreSQL for tests: a throw-away cluster per test process, a database per call.
//!
//! The server's programs are looked for in `PATH` and where Debian puts them. The cluster lives
//! in the temporary directory, listens on a unix socket alone, and goes when the test process
//! does, however that ends. `KEYFOB_TEST_POSTGRES_URL` names a server to use instead, as a user
//! who may create databases. Where there is neither, tests that need one are left out with a line
//! that says so, or fail if `KEYFOB_TEST_REQUIRE` names `postgres`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot have its server fails"
)]

use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use url::Url;

/// The URL of a new, empty database; `None` if there is no PostgreSQL to be had.
pub(crate) fn database() -> Option<String> {
    let server = SERVER.get_or_init(Server::find).as_ref()?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("keyfob_test_{}_{number}", process::id());
    server.create(&name);

    let mut url = server.url.clone();
    url.set_path(&name);
    Some(url.into())
}

/// Whether a test that needs `what` must fail rather than be left out.
pub(crate) fn is_required(what: &str) -> bool {
    variable("KEYFOB_TEST_REQUIRE").is_some_and(|list| list.split(',').any(|it| it.trim() == what))
}

/// A server to make databases on.
struct Server {
    url: Url,
    /// The cluster stops when this closes. A static is never dropped, so the end of the process
    /// is what closes it.
    _lifeline: Option<ChildStdin>,
}

impl Server {
    fn find() -> Option<Self> {
        if let Some(url) = variable("KEYFOB_TEST_POSTGRES_URL") {
            let url = url.parse().expect("KEYFOB_TEST_POSTGRES_URL is a URL");
            return Some(Self {
                url,
                _lifeline: None,
            });
        }
        let Some(programs) = programs() else {
            assert!(
                !is_required("postgres"),
                "KEYFOB_TEST_REQUIRE asks for postgres, but there is no initdb and no \
                 KEYFOB_TEST_POSTGRES_URL"
            );
            // The test harness would keep what `eprintln!` says of a test that passes.
            let line = "LEFT OUT: tests on PostgreSQL (no initdb, no KEYFOB_TEST_POSTGRES_URL)";
            let _ = writeln!(io::stderr(), "{line}");
            return None;
        };
        Some(Self::start(&programs))
    }

    /// Starts a cluster of its own.
    #[expect(
        clippy::zombie_processes,
        reason = "it ends after this process, when nobody is left to wait for it"
    )]
    fn start(programs: &Path) -> Self {
        let home = env::temp_dir().join(format!("keyfob-postgres-{}", process::id()));
        let mut command = as_server_user();
        let mut child = command
            .arg("sh")
            .args(["-c", CLUSTER, "keyfob-postgres"])
            .args([programs, &home])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");

        let mut answer = [0; 6];
        let mut output = child.stdout.take().expect("it is piped");
        if output.read_exact(&mut answer).is_err() {
            let log = fs::read_to_string(home.join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start in {}: {log}", home.display());
        }
        let socket: String =
            url::form_urlencoded::byte_serialize(home.as_os_str().as_encoded_bytes()).collect();
        let url = format!("postgres://postgres@localhost/postgres?host={socket}");
        Self {
            url: url.parse().expect("it is a URL"),
            _lifeline: child.stdin.take(),
        }
    }

    /// Creates a database, on a thread of its own because the caller may be a task.
    fn create(&self, name: &str) {
        let (url, name) = (self.url.clone(), name.to_owned());
        let created = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let mut db = PgConnection::connect(url.as_str()).await?;
                let statement = format!("CREATE DATABASE {name}");
                db.execute(AssertSqlSafe(statement)).await?;
                db.close().await
            })
        });
        created.join().expect("no panic").expect("a database");
    }
}

/// Makes a cluster of the programs in `$1` in the directory `$2`, says when it is ready, and
/// removes it when standard input closes: when the tests are over, or were killed.
const CLUSTER: &str = r#"
trap '' INT
umask 077
mkdir "$2" || exit 1
{
    "$1/initdb" --pgdata="$2/data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C --no-sync &&
    "$1/pg_ctl" start --pgdata="$2/data" --wait --options="-k '$2' -c listen_addresses='' \
        -c fsync=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=32MB"
} > "$2/log" 2>&1 < /dev/null || exit 1
echo ready
cat > /dev/null
"$1/pg_ctl" stop --pgdata="$2/data" --mode=immediate > /dev/null 2>&1
rm -rf "$2"
"#;

/// The directory of `initdb` and `pg_ctl`, the newest if there are several.
fn programs() -> Option<PathBuf> {
    let in_path = variable("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = env::split_paths(&in_path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        candidates.extend(versions.flatten().map(|it| it.path().join("bin")));
    }
    candidates.retain(|it| it.join("initdb").exists() && it.join("pg_ctl").exists());
    candidates.sort();
    candidates.pop()
}

/// The beginning of a command as a user who may run a server: root may not.
fn as_server_user() -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        command
    } else {
        Command::new("env")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "these variables are the tests' own and no part of Keyfob's configuration"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static NUMBER: AtomicU32 = AtomicU32::new(0);
