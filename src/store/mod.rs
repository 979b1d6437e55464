//! Persistence: SQLite or PostgreSQL, chosen by the scheme of the database URL.
//!
//! Each submodule below owns one table and reads as a noun whose functions are verbs:
//! `authorization_codes::consume(db, ..)`. The first argument is whichever connection the caller
//! holds: one from [`Store::read`], or that of the unit of work in [`Store::write`].
//!
//! **Invariant:** no module outside `store` mentions sqlx, and no function of a table asks which
//! database it is talking to. Where the two differ is in `database` and `unit_of_work`.

pub mod access_tokens;
pub mod authorization_codes;
pub mod authorization_transactions;
pub mod client_signing_secrets;
pub mod clients;
pub mod consents;
pub mod device_authorizations;
pub mod dpop_proofs;
pub mod grants;
pub mod initial_access_tokens;
pub mod keyset;
pub mod known_browsers;
pub mod login_throttles;
pub mod logout_deliveries;
pub mod pushed_authorization_requests;
pub mod refresh_tokens;
pub mod revoked_access_tokens;
pub mod session_clients;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
pub mod used_assertions;
pub mod users;

mod connection;
mod database;
mod error;
mod migrations;
mod pipeline;
mod pool;
mod purge;
mod unit_of_work;

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use sqlx::error::BoxDynError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use self::connection::Connection;
pub use self::database::{DatabaseOptions, is_safe_sqlite};
pub use self::error::{Outage, StoreError};
pub use self::pool::Lease;

use self::database::Database;
use self::pool::Pool;
use self::unit_of_work::{Pending, Waiting};
use crate::oidc::confirmation::Confirmation;
use crate::oidc::timestamp::Timestamp;

/// A handle to the database. Cloning it is cheap and shares the connections.
///
/// When the last clone is dropped, what has been begun is still finished;
/// [`Store::close`] waits for that.
#[derive(Clone, Debug)]
pub struct Store {
    readers: Pool,
    writer: Writer,
}

/// How units of work reach the database.
#[derive(Clone, Debug)]
enum Writer {
    /// Each has a connection of its own.
    Parallel(Pool),
    /// One task runs them all.
    Serial {
        units: mpsc::Sender<Waiting>,
        pool: Pool,
        task: Arc<Mutex<Option<Task>>>,
    },
}

/// The task that writes, and how it is told to finish.
#[derive(Debug)]
struct Task {
    closing: oneshot::Sender<()>,
    handle: JoinHandle<()>,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Configuration`] and [`StoreError::Unopened`] say what is wrong with the URL
    /// or the place it names; [`StoreError::NewerSchema`] that this program is too old for it.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, StoreError> {
        let store = Self::open(options).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Opens the database and leaves its schema alone, for [`Self::schema_version`] and
    /// [`Self::migrate`].
    pub async fn open(options: &DatabaseOptions) -> Result<Self, StoreError> {
        let database = Database::parse(&options.url)?;
        let place = database.place().to_owned();
        let (readers, writer) = match database {
            Database::Postgres { plan, .. } => {
                let pool = Pool::new(plan, options.max_connections);
                (pool.clone(), Writer::Parallel(pool))
            }
            Database::Sqlite {
                writer, readers, ..
            } => {
                let writer = Pool::new(writer, 1);
                let readers = readers.map_or_else(
                    || writer.clone(),
                    |plan| Pool::new(plan, options.max_connections),
                );
                let (units, waiting) = mpsc::channel(unit_of_work::BATCH);
                let (closing, closed) = oneshot::channel();
                let task = unit_of_work::write_in_batches(writer.clone(), waiting, closed);
                let handle = tokio::spawn(task);
                let task = Arc::new(Mutex::new(Some(Task { closing, handle })));
                let pool = writer;
                (readers, Writer::Serial { units, pool, task })
            }
        };
        let store = Self { readers, writer };
        store.probe().await.map_err(|error| match error {
            StoreError::UnsafeSqlite(_) => error,
            error => StoreError::Unopened {
                place,
                source: Arc::new(error),
            },
        })?;
        Ok(store)
    }

    /// Finds out whether the database is there, and fit to be used.
    async fn probe(&self) -> Result<(), StoreError> {
        match &self.writer {
            Writer::Parallel(pool) => pool.acquire().await.map(drop),
            Writer::Serial { pool, .. } => {
                let mut db = pool.acquire().await?;
                let version: String = sqlx::query_scalar("SELECT sqlite_version()")
                    .fetch_one(&mut *db)
                    .await?;
                if is_safe_sqlite(&version) {
                    Ok(())
                } else {
                    Err(StoreError::UnsafeSqlite(version))
                }
            }
        }
    }

    /// Brings the schema up to date. Several processes may try at once: one does it.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.writer {
            Writer::Parallel(pool) => {
                let mut db = pool.acquire().await?;
                // Nobody else gets this connection, and a migration may take its time.
                db.spoil();
                db.control("SET statement_timeout = 0; SET lock_timeout = 0")
                    .await?;
                migrations::run(db.inner(), None).await
            }
            Writer::Serial { pool, .. } => {
                let mut db = pool.acquire().await?;
                migrations::run(db.inner(), Some("BEGIN IMMEDIATE")).await
            }
        }
    }

    /// The version of the schema that the database has; `None` if it has none.
    pub async fn schema_version(&self) -> Result<Option<i64>, StoreError> {
        let mut db = self.read().await?;
        migrations::version(&mut db).await
    }

    /// Borrows a connection, for queries that stand alone.
    ///
    /// Give it back before you wait for anything else, above all for [`Self::write`].
    pub async fn read(&self) -> Result<Lease, StoreError> {
        self.readers.acquire().await
    }

    /// Runs a unit of work: what it writes is kept if it succeeds, and gone if it fails, panics
    /// or takes longer than a few seconds. The answer comes when it is safe on the disk.
    ///
    /// The unit must end with an error once one of its statements has failed; it is refused as
    /// [`StoreError::Spoiled`] if it does not. It runs to its end even if the caller stops
    /// waiting after it began. It should wait for nothing but the database.
    ///
    /// ```text
    /// let user = store.write(|db| Box::pin(async move { users::insert(db, &user).await })).await?;
    /// ```
    pub async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.writer {
            Writer::Parallel(pool) => {
                // As a task, it is finished or rolled back whatever becomes of the caller.
                let task = tokio::spawn(unit_of_work::transact(pool.clone(), unit));
                task.await
                    .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
            }
            Writer::Serial { units, .. } => {
                let (reply, answer) = oneshot::channel();
                let waiting = Box::new(Pending { unit, reply });
                match units.send_timeout(waiting, PATIENCE).await {
                    Ok(()) => {}
                    Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                        return Err(StoreError::from(Outage::Busy).into());
                    }
                    Err(mpsc::error::SendTimeoutError::Closed(_)) => {
                        return Err(StoreError::from(Outage::Closed).into());
                    }
                }
                answer
                    .await
                    .unwrap_or_else(|_| Err(StoreError::from(Outage::Closed).into()))
            }
        }
    }

    /// Whether the database answers: an error if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut db = self.read().await?;
        db.control("SELECT 1").await?;
        Ok(())
    }

    /// Finishes the units of work that were begun or wait, and closes the connections. Whatever
    /// comes later is refused.
    pub async fn close(&self) {
        match &self.writer {
            Writer::Parallel(_) => {}
            Writer::Serial { pool, task, .. } => {
                let task = task.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(Task { closing, handle }) = task {
                    let _ = closing.send(());
                    if handle.await.is_err() {
                        tracing::error!("the task that writes to the database had ended");
                    }
                }
                self.readers.close().await;
                pool.close().await;
                return;
            }
        }
        self.readers.close().await;
    }
}

/// Reads a `TEXT` column and parses it into a domain type.
fn parse<T>(row: &AnyRow, column: &str) -> sqlx::Result<T>
where
    T: FromStr<Err: Into<BoxDynError>>,
{
    let text: &str = row.try_get(column)?;
    text.parse()
        .map_err(|error: T::Err| malformed(column, error))
}

/// Reads a `TEXT` column of JSON.
fn parse_json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| malformed(column, error))
}

/// Reads a `BIGINT` column that may be null.
fn instant(row: &AnyRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    let seconds: Option<i64> = row.try_get(column)?;
    Ok(seconds.map(Timestamp))
}

/// Writes the column `confirmation` of a token: nothing for a bearer token.
fn confirmation(confirmation: &Confirmation) -> sqlx::Result<Option<String>> {
    if confirmation.is_empty() {
        return Ok(None);
    }
    json(confirmation).map(Some)
}

/// Reads the column `confirmation` of a token.
fn read_confirmation(row: &AnyRow) -> sqlx::Result<Confirmation> {
    match row.try_get::<Option<&str>, _>("confirmation")? {
        Some(_) => parse_json(row, "confirmation"),
        None => Ok(Confirmation::default()),
    }
}

/// Writes the JSON of a `TEXT` column.
/// Identifiers of APIs as they are stored: nothing, where there are none.
fn resources(resources: &[String]) -> Option<String> {
    (!resources.is_empty()).then(|| resources.join(" "))
}

/// The identifiers of APIs in the column `resources`, each once.
fn read_resources(row: &AnyRow) -> sqlx::Result<Vec<String>> {
    let stored: Option<&str> = row.try_get("resources")?;
    let mut resources: Vec<String> = Vec::new();
    for resource in stored.unwrap_or_default().split_whitespace() {
        if !resources.iter().any(|own| own == resource) {
            resources.push(resource.to_owned());
        }
    }
    Ok(resources)
}

fn json<T: Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn malformed(column: &str, source: impl Into<BoxDynError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: source.into(),
    }
}

/// How long a unit of work waits for its place in the queue.
const PATIENCE: Duration = Duration::from_secs(4);
