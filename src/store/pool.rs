//! Connections that wait for the next request.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::connection::Connection;
use super::error::{Outage, StoreError};

/// A bounded number of connections to one database.
///
/// sqlx has a pool, too; this one costs no round trip to the database when a connection is taken
/// or given back, which is half of a cheap read, and does not wait for a server that refuses
/// connections. What sqlx's asks the server, [`Connection`] knows by itself.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    plan: Plan,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

/// How connections are made.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) options: AnyConnectOptions,
    /// Statements to run on every new connection.
    pub(super) setup: &'static str,
    /// How long to wait for the answer to a statement, if the database is another process.
    pub(super) patience: Option<Duration>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection that is given back when it is dropped.
///
/// Give it back before you call [`Store::write`]: in memory, SQLite has one connection, and
/// whoever holds it makes the unit of work wait in vain.
///
/// [`Store::write`]: super::Store::write
#[derive(Debug)]
pub struct Lease {
    /// There until the lease is dropped.
    connection: Option<Connection>,
    pool: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool that will hold up to `size` connections. It makes none yet.
    pub(super) fn new(plan: Plan, size: u32) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        Self(Arc::new(Shared {
            plan,
            permits: Arc::new(Semaphore::new(size.clamp(1, Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
        }))
    }

    /// Takes a connection, an idle one if there is.
    pub(super) async fn acquire(&self) -> Result<Lease, StoreError> {
        timeout(PATIENCE, self.take())
            .await
            .unwrap_or(Err(Outage::Busy.into()))
    }

    async fn take(&self) -> Result<Lease, StoreError> {
        let permits = Arc::clone(&self.0.permits);
        let permit = permits
            .acquire_owned()
            .await
            .map_err(|_| StoreError::from(Outage::Closed))?;
        let connection = if let Some(connection) = self.idle().await {
            connection
        } else {
            let plan = &self.0.plan;
            Connection::open(&plan.options, plan.setup, plan.patience).await?
        };
        Ok(Lease {
            connection: Some(connection),
            pool: self.clone(),
            _permit: permit,
        })
    }

    /// The connection that was used last, if it still answers.
    async fn idle(&self) -> Option<Connection> {
        let mut idle = self.lock().pop()?;
        let is_fresh = self.0.plan.patience.is_none() || idle.since.elapsed() < FRESHNESS;
        if is_fresh {
            return Some(idle.connection);
        }
        let sign_of_life = timeout(FRESHNESS, idle.connection.control("SELECT 1")).await;
        if matches!(sign_of_life, Ok(Ok(()))) {
            return Some(idle.connection);
        }
        // The others are as old: the server was restarted, or a firewall forgot them.
        self.lock().clear();
        None
    }

    /// Takes back a connection that was lent.
    fn give_back(&self, connection: Connection) {
        if !connection.is_good() {
            // What ended this one has most likely ended those that were idle meanwhile.
            self.lock().clear();
        } else if !self.0.permits.is_closed() {
            self.lock().push(Idle {
                connection,
                since: Instant::now(),
            });
        }
    }

    /// Closes the idle connections, and lends none from now on.
    pub(super) async fn close(&self) {
        self.0.permits.close();
        let idle: Vec<Idle> = self.lock().drain(..).collect();
        for idle in idle {
            if let Err(error) = idle.connection.close().await {
                tracing::debug!(%error, "a connection to the database did not close");
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::expect_used,
    reason = "the connection is taken out in `drop` alone, after which nobody can ask for it"
)]
impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("the lease holds")
    }
}

#[expect(
    clippy::expect_used,
    reason = "the connection is taken out in `drop` alone, after which nobody can ask for it"
)]
impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("the lease holds")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.give_back(connection);
        }
    }
}

/// How long a request waits for a connection before it is told that there is none.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long an idle connection is believed to live, and how long it may take to prove it later.
const FRESHNESS: Duration = Duration::from_secs(1);
