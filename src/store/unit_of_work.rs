//! Units of work: writes that succeed or fail together, and alone.
//!
//! **Invariant:** no answer before commit. Whoever learns that a unit succeeded may rely on it
//! after a power cut.
//!
//! PostgreSQL gives every unit a transaction. SQLite has one writer, and its commit costs an
//! fsync; so one task takes all the units that wait, runs them one after the other in one
//! transaction, and answers them when they are committed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::connection::Connection;
use super::error::{Outage, StoreError};
use super::pool::{Lease, Pool};

/// A unit of work that waits for the writer: its closure, and who wants to know.
pub(super) type Waiting = Box<dyn Unit>;

/// A unit of work whose types are forgotten, so that the writer can take any.
pub(super) trait Unit: Send {
    /// Runs it.
    fn run(self: Box<Self>, db: &mut Connection) -> BoxFuture<'_, Outcome>;
    /// Tells whoever waits that it did not run.
    fn refuse(self: Box<Self>, error: StoreError);
    /// Whether nobody waits for it any longer.
    fn is_abandoned(&self) -> bool;
}

/// What became of a unit that was run.
pub(super) enum Outcome {
    /// It is to be committed, and then answered.
    Done(Answer),
    /// It is to be rolled back. It has been answered.
    Failed,
}

/// Tells whoever waits for a unit whether it was committed.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A unit of work and the caller that waits for it.
pub(super) struct Pending<F, T, E> {
    pub(super) unit: F,
    pub(super) reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Unit for Pending<F, T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, db: &mut Connection) -> BoxFuture<'_, Outcome> {
        let Self { unit, reply } = *self;
        async move {
            match attempt(unit, db).await {
                Ok(value) => Outcome::Done(Box::new(move |committed| {
                    // A caller that went away is not told, and that is all.
                    let _ = reply.send(committed.map(|()| value).map_err(E::from));
                })),
                Err(error) => {
                    let _ = reply.send(Err(error));
                    Outcome::Failed
                }
            }
        }
        .boxed()
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error.into()));
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// Runs a unit, whatever it does: it may take too long, panic, or overlook that a statement
/// failed.
async fn attempt<F, T, E>(unit: F, db: &mut Connection) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>>,
    E: From<StoreError>,
{
    db.begin_unit();
    let outcome = AssertUnwindSafe(async {
        let value = unit(db).await?;
        db.finish_unit().await.map_err(StoreError::from)?;
        Ok::<_, E>(value)
    });
    let outcome = timeout(PATIENCE, outcome.catch_unwind()).await;
    db.end_unit();
    let value = match outcome {
        Ok(Ok(outcome)) => outcome?,
        Ok(Err(_panic)) => return Err(StoreError::Panicked.into()),
        Err(_) => return Err(StoreError::from(Outage::Silent).into()),
    };
    // PostgreSQL would answer the commit with a rollback, and say so to nobody.
    if db.has_failed() {
        return Err(StoreError::Spoiled.into());
    }
    Ok(value)
}

/// Runs a unit in a transaction of its own.
pub(super) async fn transact<F, T, E>(pool: Pool, unit: F) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>>,
    E: From<StoreError>,
{
    let mut db = begin(&pool).await?;
    match attempt(unit, &mut db).await {
        Ok(value) => {
            let committed = db.control("COMMIT").await.map_err(StoreError::from);
            if committed.is_err() {
                db.spoil();
            }
            committed?;
            Ok(value)
        }
        Err(error) => {
            if !db.is_good() || db.control("ROLLBACK").await.is_err() {
                db.spoil();
            }
            Err(error)
        }
    }
}

/// Begins a transaction, on a second connection if the first proves dead: nothing is lost yet.
async fn begin(pool: &Pool) -> Result<Lease, StoreError> {
    let mut db = pool.acquire().await?;
    match db.control("BEGIN").await.map_err(StoreError::from) {
        Ok(()) => return Ok(db),
        Err(StoreError::Unavailable(Outage::Broken(_))) => db.spoil(),
        // To wait for a silent server once is enough.
        Err(error) => return Err(error),
    }
    drop(db);
    let mut db = pool.acquire().await?;
    db.control("BEGIN").await?;
    Ok(db)
}

/// Runs every unit that comes, until the last sender is gone or `closing` says so.
pub(super) async fn write_in_batches(
    pool: Pool,
    mut units: mpsc::Receiver<Waiting>,
    closing: oneshot::Receiver<()>,
) {
    // It is asked again after it has said so, which without the fuse is a panic.
    let mut closing = closing.fuse();
    let mut batch = Vec::with_capacity(BATCH);
    let mut is_open = true;
    loop {
        tokio::select! {
            biased;
            _ = &mut closing, if is_open => {
                is_open = false;
                units.close();
            }
            count = units.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return;
                }
                commit_together(&pool, batch.drain(..)).await;
            }
        }
    }
}

/// Runs the units in one transaction and answers them all.
async fn commit_together(pool: &Pool, batch: impl Iterator<Item = Waiting>) {
    let mut waiting = batch.filter(|unit| !unit.is_abandoned());
    let mut done = Vec::new();
    let outcome = match pool.acquire().await {
        Ok(mut db) => match run_together(&mut db, &mut waiting, &mut done).await {
            Ok(()) => Ok(()),
            Err(error) => {
                db.forget_ahead();
                // SQLite may have rolled back by itself, and then knows of nothing to roll back.
                let _ = db.control("ROLLBACK").await;
                Err(StoreError::from(error))
            }
        },
        Err(error) => Err(error),
    };
    for answer in done {
        answer(outcome.clone());
    }
    if let Err(error) = outcome {
        for unit in waiting {
            unit.refuse(error.clone());
        }
    }
}

/// Runs the units and commits those that succeeded.
///
/// What begins and ends savepoints goes ahead of the next unit's first statement. Two names take
/// turns, so that a unit whose savepoint was not reached cannot be rolled back to the one before:
/// there is none of its name, and then nothing is committed.
async fn run_together(
    db: &mut Connection,
    waiting: &mut impl Iterator<Item = Waiting>,
    done: &mut Vec<Answer>,
) -> Result<(), sqlx::Error> {
    let mut savepoints = SAVEPOINTS.iter().cycle();
    let mut savepoint = None;
    db.control_ahead("BEGIN IMMEDIATE");
    for unit in waiting {
        // Before the first that succeeds, there is nothing to be spared by a rollback.
        if savepoint.is_none() && !done.is_empty() {
            savepoint = savepoints
                .next()
                .inspect(|savepoint| db.control_ahead(savepoint.begin));
        }
        match unit.run(db).await {
            Outcome::Done(answer) => {
                done.push(answer);
                if let Some(savepoint) = savepoint.take() {
                    db.control_ahead(savepoint.release);
                }
            }
            // It failed before it asked for anything.
            Outcome::Failed if db.has_control_ahead() => {}
            Outcome::Failed => match savepoint {
                // The savepoint stays, for the next unit.
                Some(savepoint) => db.control_prepared(savepoint.roll_back).await?,
                None if db.control_prepared("ROLLBACK").await.is_ok() => {
                    db.control_ahead("BEGIN IMMEDIATE");
                }
                // It had not begun. If it cannot, nobody shall try once more.
                None => db.control_prepared("BEGIN IMMEDIATE").await?,
            },
        }
    }
    if done.is_empty() {
        db.forget_ahead();
        return Ok(());
    }
    db.control_prepared("COMMIT").await
}

/// The statements around a unit that is not the first of its transaction.
struct Savepoint {
    begin: &'static str,
    release: &'static str,
    roll_back: &'static str,
}

const SAVEPOINTS: [Savepoint; 2] = [
    Savepoint {
        begin: "SAVEPOINT even",
        release: "RELEASE even",
        roll_back: "ROLLBACK TO even",
    },
    Savepoint {
        begin: "SAVEPOINT odd",
        release: "RELEASE odd",
        roll_back: "ROLLBACK TO odd",
    },
];

/// How many units one commit serves at most.
pub(super) const BATCH: usize = 64;

/// How long a unit may take: the writer's others wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
