//! What the statements of the tables run on.

use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use sqlx::any::{
    Any, AnyArguments, AnyConnectOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo,
    AnyTypeInfoKind, AnyValue,
};
use sqlx::{
    AnyConnection, ConnectOptions as _, Decode, Either, Execute, Executor, SqlStr, Value as _,
};

use super::error::{self, NulInText};
use super::pipeline::{Pipeline, Train};

/// A connection to the database: the first argument of every function of a table.
///
/// It is sqlx's, and beside it knows three things that sqlx keeps to itself: how long to wait for
/// an answer, whether the connection is still good, and whether a statement has failed.
#[derive(Debug)]
pub struct Connection {
    inner: AnyConnection,
    health: Health,
    pipeline: Pipeline,
    /// Whether statements may travel with the next one: in a unit of work, to SQLite.
    is_pipelined: bool,
}

/// What became of the statements that ran on a connection.
#[derive(Debug)]
struct Health {
    /// How long to wait for the answer to a statement; a database in this process always answers.
    patience: Option<Duration>,
    /// Whether a statement runs, or was dropped while it ran.
    is_running: bool,
    is_lost: bool,
    has_failed: bool,
}

impl Connection {
    /// Connects, and runs `setup` first of all.
    pub(super) async fn open(
        options: &AnyConnectOptions,
        setup: &'static str,
        patience: Option<Duration>,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = Self {
            inner: options.connect().await?,
            health: Health {
                patience,
                is_running: false,
                is_lost: false,
                has_failed: false,
            },
            pipeline: Pipeline::default(),
            is_pipelined: false,
        };
        if !setup.is_empty() {
            connection.control(setup).await?;
        }
        Ok(connection)
    }

    /// Runs statements that steer the connection, as they stand: SQLite and PostgreSQL both take
    /// several at once that way.
    pub(super) async fn control(&mut self, statements: &'static str) -> Result<(), sqlx::Error> {
        self.execute(sqlx::raw_sql(statements)).await?;
        Ok(())
    }

    /// As [`Self::control`], but keeps the statement prepared, and what was sent ahead goes
    /// before it.
    pub(super) async fn control_prepared(
        &mut self,
        statement: &'static str,
    ) -> Result<(), sqlx::Error> {
        self.execute(sqlx::query(statement)).await?;
        Ok(())
    }

    /// Sends a statement that steers the transaction ahead, to go before the next statement.
    pub(super) fn control_ahead(&mut self, statement: &'static str) {
        self.pipeline.control(statement);
    }

    /// Whether [`Self::control_ahead`] still waits for a statement to go before.
    pub(super) fn has_control_ahead(&self) -> bool {
        self.pipeline.has_control()
    }

    /// Forgets whatever was sent ahead.
    pub(super) fn forget_ahead(&mut self) {
        self.pipeline.forget();
    }

    /// Runs a statement of whose answer nothing is needed but that there is no error. SQLite is
    /// asked when the unit of work asks the next question or ends, and an error is known then.
    pub(super) async fn run_ahead<'q>(
        &mut self,
        query: impl Execute<'q, Any> + 'q,
    ) -> Result<(), sqlx::Error> {
        if !self.is_pipelined {
            self.execute(query).await?;
            return Ok(());
        }
        let (sql, arguments) = take_apart(query).inspect_err(|_| self.health.has_failed = true)?;
        self.pipeline.push(sql, arguments.unwrap_or_default());
        Ok(())
    }

    /// Begins a unit of work.
    pub(super) fn begin_unit(&mut self) {
        self.health.has_failed = false;
        // To another process, statements go one by one.
        self.is_pipelined = self.health.patience.is_none();
    }

    /// Runs what the unit of work has sent ahead and nothing has followed.
    pub(super) async fn finish_unit(&mut self) -> Result<(), sqlx::Error> {
        if let Some(train) = self.pipeline.flush() {
            self.send(train).await?;
        }
        Ok(())
    }

    /// Ends a unit of work: what it sent ahead and did not finish is forgotten.
    pub(super) fn end_unit(&mut self) {
        self.is_pipelined = false;
        self.pipeline.forget_statements();
    }

    /// What the last statement of `train` answers.
    async fn send(&mut self, train: Train) -> Result<Vec<Answer>, sqlx::Error> {
        let Connection { inner, health, .. } = self;
        let Train {
            sql,
            arguments,
            before,
        } = train;
        // Every answer of Keyfob's statements is small: it is read whole, so that a time-out and
        // a failure are the statement's and not one row's.
        let answer = inner.fetch_many(sqlx::query_with(sql, arguments));
        let mut answers: Vec<Answer> = health.note(answer.try_collect()).await?;
        let mut ends = answers.iter().enumerate().filter(|(_, it)| it.is_left());
        if let Some((last, _)) = before.checked_sub(1).and_then(|last| ends.nth(last)) {
            answers.drain(..=last);
        }
        Ok(answers)
    }

    /// Whether somebody else may have it next.
    pub(super) fn is_good(&self) -> bool {
        // A statement that is dropped while it runs in this process simply stops; one that a
        // server runs leaves an answer behind that nobody read.
        let is_interrupted = self.health.is_running && self.health.patience.is_some();
        !self.health.is_lost && !is_interrupted
    }

    /// Sees to it that nobody else has it next.
    pub(super) fn spoil(&mut self) {
        self.health.is_lost = true;
    }

    /// Whether a statement has failed since [`Self::begin_unit`].
    pub(super) fn has_failed(&self) -> bool {
        self.health.has_failed
    }

    /// The connection as sqlx's migrations want it.
    pub(super) fn inner(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Says good-bye to the database.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        sqlx::Connection::close(self.inner).await
    }
}

impl Health {
    /// Waits for what a statement answers, and notes what became of it.
    async fn note<T>(
        &mut self,
        answer: impl Future<Output = Result<T, sqlx::Error>> + Send,
    ) -> Result<T, sqlx::Error> {
        self.is_running = true;
        let answer = match self.patience {
            Some(patience) => tokio::time::timeout(patience, answer)
                .await
                .unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))),
            None => answer.await,
        };
        self.is_running = false;
        if let Err(error) = &answer {
            self.has_failed = true;
            self.is_lost |= error::is_lost(error);
        }
        answer
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let query = take_apart(query);
        let answer = async move {
            match query? {
                (sql, Some(arguments)) => {
                    let train = self.pipeline.couple(sql, arguments);
                    self.send(train).await
                }
                (sql, None) => {
                    let answer = self.inner.fetch_many(sqlx::raw_sql(sql));
                    self.health.note(answer.try_collect()).await
                }
            }
        };
        stream::once(answer.map_ok(|parts: Vec<Answer>| stream::iter(parts).map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let query = take_apart(query);
        async move {
            let (sql, arguments) = query?;
            let Some(arguments) = arguments else {
                let answer = self.inner.fetch_optional(sqlx::raw_sql(sql));
                return self.health.note(answer).await;
            };
            let train = self.pipeline.couple(sql, arguments);
            if train.before == 0 {
                let query = sqlx::query_with(train.sql, train.arguments);
                return self.health.note(self.inner.fetch_optional(query)).await;
            }
            let answers = self.send(train).await?;
            Ok(answers.into_iter().find_map(Either::right))
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.inner.prepare_with(sql, parameters)
    }
}

/// What a statement answers: a row, or at its end what it did.
type Answer = Either<AnyQueryResult, AnyRow>;

/// The parts of a query, if both databases can store its values.
fn take_apart<'q>(
    mut query: impl Execute<'q, Any>,
) -> Result<(SqlStr, Option<AnyArguments>), sqlx::Error> {
    let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
    let values = arguments.iter().flat_map(|arguments| &arguments.values.0);
    for kind in values {
        let value = AnyValue { kind: kind.clone() };
        // PostgreSQL has no text with NUL, and SQLite shall not have what PostgreSQL has not.
        if value.type_info().kind() == AnyTypeInfoKind::Text
            && <&str as Decode<Any>>::decode(value.as_ref())
                .is_ok_and(|text| text.as_bytes().contains(&0))
        {
            return Err(sqlx::Error::Encode(NulInText.into()));
        }
    }
    Ok((query.sql(), arguments))
}
