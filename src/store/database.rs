//! Which database: what its URL says, and how each kind is opened.
//!
//! Nothing else in Keyfob knows that there are two kinds.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::any::AnyConnectOptions;
use url::Url;

use super::error::StoreError;
use super::pool::Plan;

/// Which database to use, and how much of it.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// `sqlite::memory:`, `sqlite:FILE`, or `postgres://USER:PASSWORD@HOST/NAME`; a directory as
    /// the parameter `host` of the last is that of a unix socket.
    pub url: String,
    /// How many connections to PostgreSQL there may be at once, or readers of a SQLite file.
    pub max_connections: u32,
}

impl DatabaseOptions {
    /// The database at `url`, with as many connections as suit its kind: 4 readers of a SQLite
    /// file, 10 connections to PostgreSQL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        let max_connections = if url.starts_with("sqlite:") { 4 } else { 10 };
        Self {
            url,
            max_connections,
        }
    }
}

impl fmt::Debug for DatabaseOptions {
    /// Leaves out the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseOptions")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// A database, and how to open it.
#[derive(Debug)]
pub(super) enum Database {
    /// SQLite: one connection writes, for all who wait.
    Sqlite {
        writer: Plan,
        /// None in memory, where the connection is the database.
        readers: Option<Plan>,
        place: String,
    },
    /// PostgreSQL: every connection does everything.
    Postgres { plan: Plan, place: String },
}

impl Database {
    /// Reads the URL.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        match url.split_once(':') {
            Some(("sqlite", ":memory:")) => Ok(Self::Sqlite {
                writer: sqlite_plan(":memory:", "cache=private", MEMORY_SETUP)?,
                readers: None,
                place: url.to_owned(),
            }),
            Some(("sqlite", path)) => Self::sqlite_file(path),
            Some(("postgres" | "postgresql", _)) => Self::postgres(url),
            _ => Err(StoreError::Configuration(
                "it must begin with sqlite: or postgres:".to_owned(),
            )),
        }
    }

    fn sqlite_file(path: &str) -> Result<Self, StoreError> {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains('?') {
            return Err(StoreError::Configuration(
                "sqlite: is followed by the path of a file, or by :memory:, and no more".to_owned(),
            ));
        }
        let directory = Path::new(path).parent();
        if let Some(directory) = directory.filter(|it| !it.as_os_str().is_empty() && !it.is_dir()) {
            let message = format!("the directory {} does not exist", directory.display());
            return Err(StoreError::Configuration(message));
        }
        Ok(Self::Sqlite {
            writer: sqlite_plan(path, "mode=rwc", WRITER_SETUP)?,
            readers: Some(sqlite_plan(path, "mode=rw", READER_SETUP)?),
            place: path.to_owned(),
        })
    }

    fn postgres(url: &str) -> Result<Self, StoreError> {
        // The parser's message is fixed and does not repeat the URL.
        let mut url: Url = url
            .parse()
            .map_err(|error: url::ParseError| StoreError::Configuration(error.to_string()))?;
        let own: Vec<_> = url.query_pairs().into_owned().collect();
        let socket = own.iter().find(|(name, _)| name == "host");
        let host = socket.map_or_else(|| url.host_str().unwrap_or(""), |(_, host)| host);
        let place = format!("{host}{}", url.path());
        // Those of the operator come later, and win.
        url.query_pairs_mut()
            .clear()
            .extend_pairs(POSTGRES_OPTIONS)
            .extend_pairs(own);
        Ok(Self::Postgres {
            plan: Plan {
                options: any_options(&url)?,
                setup: "",
                patience: Some(STATEMENT_PATIENCE),
            },
            place,
        })
    }

    /// Where it is, in words that may be logged.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::Sqlite { place, .. } | Self::Postgres { place, .. } => place,
        }
    }
}

/// Whether this version of SQLite is free of the [WAL-reset bug], which corrupts databases: it is
/// fixed in 3.51.3 and from 3.53.0 on (3.52.0 was withdrawn).
///
/// [WAL-reset bug]: https://www.sqlite.org/wal.html#walresetbug
#[must_use]
pub fn is_safe_sqlite(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(3)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
    match minor {
        51 => patch >= 3,
        minor => minor >= 53,
    }
}

fn sqlite_plan(path: &str, parameters: &str, setup: &'static str) -> Result<Plan, StoreError> {
    let path = percent_encoding::utf8_percent_encode(path, IN_A_PATH);
    let url = format!("sqlite:{path}?{parameters}");
    let url: Url = url
        .parse()
        .map_err(|error: url::ParseError| StoreError::Configuration(error.to_string()))?;
    Ok(Plan {
        options: any_options(&url)?,
        setup,
        patience: None,
    })
}

fn any_options(url: &Url) -> Result<AnyConnectOptions, StoreError> {
    let options = AnyConnectOptions::from_url(url)
        .map_err(|error| StoreError::Configuration(error.to_string()))?;
    // Keyfob logs what it does; the statements by which it does so are no news.
    Ok(options.disable_statement_logging())
}

/// What [`Url`] would read as something else than the path of a file.
const IN_A_PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?');

/// How the connection that writes a file is set up.
///
/// With `synchronous = FULL`, a commit waits until its bytes are on the disk: what Keyfob has
/// answered survives a power cut, at the price of an fsync per commit. The units of work that
/// wait at the same time share one. `NORMAL` would be faster and could forget a revocation.
const WRITER_SETUP: &str = "PRAGMA busy_timeout = 3000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000; \
     PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216";

/// How the connections that read a file are set up: they cannot write it.
const READER_SETUP: &str = "PRAGMA busy_timeout = 3000; PRAGMA query_only = ON; \
     PRAGMA cache_size = -1000; PRAGMA temp_store = MEMORY";

/// How the one connection to a database in memory is set up: nothing there outlives a crash.
const MEMORY_SETUP: &str =
    "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON";

/// What every session asks of PostgreSQL, so that a slow server or a lock that nobody gives back
/// ends in an error before the person in front of the browser gives up.
const POSTGRES_OPTIONS: [(&str, &str); 4] = [
    ("application_name", "keyfob"),
    ("options[statement_timeout]", "4s"),
    ("options[lock_timeout]", "3s"),
    ("options[idle_in_transaction_session_timeout]", "10s"),
];

/// How long a server may be silent. Its own time-out comes first, if it lives.
const STATEMENT_PATIENCE: Duration = Duration::from_millis(4500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_loses_data_is_told_apart() {
        for (version, is_safe) in [
            ("3.40.1", false),
            ("3.51.2", false),
            ("3.51.3", true),
            ("3.51.10", true),
            ("3.52.0", false),
            ("3.53.0", true),
            ("3.53", true),
            ("3.60.1", true),
            ("4.0.0", false),
            ("", false),
            ("three", false),
        ] {
            assert_eq!(is_safe_sqlite(version), is_safe, "{version}");
        }
    }

    #[test]
    fn the_place_of_a_database_leaves_out_its_password() {
        for (url, place) in [
            ("sqlite::memory:", "sqlite::memory:"),
            ("sqlite:keyfob.db", "keyfob.db"),
            ("sqlite:///keyfob.db", "/keyfob.db"),
            (
                "postgres://me:secret@db.example/keyfob",
                "db.example/keyfob",
            ),
            ("postgresql://me@localhost/x?host=/run/pg", "/run/pg/x"),
        ] {
            assert_eq!(Database::parse(url).unwrap().place(), place, "{url}");
        }
    }

    #[test]
    fn a_url_that_names_no_database_is_refused() {
        for (url, message) in [
            (
                "mysql://localhost/x",
                "it must begin with sqlite: or postgres:",
            ),
            ("keyfob.db", "it must begin with sqlite: or postgres:"),
            (
                "sqlite:/no/such/place/x.db",
                "the directory /no/such/place does not exist",
            ),
            ("postgres://me:secret@[/x", "invalid IPv6 address"),
        ] {
            let error = Database::parse(url).unwrap_err();
            let StoreError::Configuration(found) = error else {
                panic!("{url}: {error}");
            };
            assert_eq!(found, message, "{url}");
        }
    }
}
