//! Why the store could not do what it was asked.

use std::fmt;
use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// Why the store could not do what it was asked.
///
/// No message holds a statement, a value or a password.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this key exists already.
    #[error("a record with this key already exists")]
    Conflict,
    /// The row refers to one that does not exist.
    #[error("the record refers to another that does not exist")]
    Dangling,
    /// A text holds the character NUL, which PostgreSQL cannot store.
    #[error("a text to store holds the character NUL")]
    NulInText,
    /// A stored value is not of the form that it was stored in.
    #[error("the database holds a value that Keyfob did not write")]
    Malformed(#[source] Arc<sqlx::Error>),
    /// The database cannot be reached, or not in time. Trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] Outage),
    /// A unit of work went on after one of its statements had failed. Nothing of it was kept.
    #[error("a unit of work went on after one of its statements had failed")]
    Spoiled,
    /// A unit of work panicked. Nothing of it was kept.
    #[error("a unit of work panicked")]
    Panicked,
    /// The URL of the database names none that Keyfob can use.
    #[error("the database URL cannot be used: {0}")]
    Configuration(String),
    /// The database at this place cannot be opened.
    #[error("cannot open the database at {place}")]
    Unopened {
        /// The file, or the host and name of the database; never its password.
        place: String,
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The SQLite that this program was built with can lose data.
    #[error(
        "SQLite {0} can corrupt a database in WAL mode (the WAL-reset bug): build Keyfob with \
         SQLite 3.51.3, or 3.53.0 or later"
    )]
    UnsafeSqlite(String),
    /// The schema is newer than this program: another, newer one has been here.
    #[error(
        "the database has schema version {found}, but this program knows none later than \
         {known}: start a newer Keyfob, or restore a backup from before the upgrade"
    )]
    NewerSchema {
        /// The version that was found.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("the schema of the database could not be brought up to date")]
    Migration(#[source] Arc<sqlx::migrate::MigrateError>),
    /// Something else that the database reported.
    #[error("the database failed")]
    Database(#[source] Arc<sqlx::Error>),
}

/// Why the database was not available.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Outage {
    /// Every connection was in use, or the queue of units of work full, for too long.
    #[error("too much work was waiting for it")]
    Busy,
    /// It did not answer in time.
    #[error("it did not answer in time")]
    Silent,
    /// The store has been closed: the process is about to end.
    #[error("the store has been closed")]
    Closed,
    /// It refused or lost the connection, is locked, or has no room left.
    #[error("it refused the request or broke off")]
    Broken(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    /// Whether the same request may succeed later, so that a server answers 503 and not 500.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Conflict,
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => Self::Dangling,
            sqlx::Error::Encode(cause) if cause.is::<NulInText>() => Self::NulInText,
            sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::TimedOut => {
                Self::Unavailable(Outage::Silent)
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Malformed(Arc::new(error))
            }
            _ if is_outage(&error) => Self::Unavailable(Outage::Broken(Arc::new(error))),
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl From<Outage> for StoreError {
    fn from(outage: Outage) -> Self {
        Self::Unavailable(outage)
    }
}

/// The fact behind [`StoreError::NulInText`] on its way through sqlx.
#[derive(Debug)]
pub(super) struct NulInText;

impl fmt::Display for NulInText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text holds the character NUL")
    }
}

impl std::error::Error for NulInText {}

/// Whether the connection that met `error` is of no further use.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(cause) => cause
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|cause| matches!(cause.code(), "57P01" | "57P02" | "57P03" | "57P05")),
        _ => false,
    }
}

fn is_outage(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(cause) = error else {
        return is_lost(error);
    };
    if let Some(cause) = cause.try_downcast_ref::<PgDatabaseError>() {
        let code = cause.code();
        // Connection exception, insufficient resources, operator intervention (a time-out, a
        // shutdown), system error; a lock not available, a deadlock, a server that is read-only.
        let is_of_class = ["08", "53", "57", "58"].contains(&code.get(..2).unwrap_or_default());
        return is_of_class || matches!(code, "55P03" | "40001" | "40P01" | "25006");
    }
    let code = cause
        .try_downcast_ref::<SqliteError>()
        .and_then(sqlx::error::DatabaseError::code)
        .and_then(|code| code.parse::<u32>().ok());
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN: the low byte of an extended result code.
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}
