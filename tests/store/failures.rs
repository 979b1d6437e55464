//! Databases that fail, and come back.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use keyfob::store::{DatabaseOptions, Store, StoreError, users};
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::fixture::{commit, connect, count_users, insert_user, race, reader};

#[tokio::test]
async fn a_file_that_another_process_locks_is_an_outage_that_ends() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/keyfob.db", directory.path().display());
    let store = connect(&url).await;
    commit!(store, |db| insert_user(db, "alice")).unwrap();

    let mut other = AnyConnection::connect(&url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let stopwatch = stopwatch();
    let outcomes = race(&store, |store, number| async move {
        commit!(store, |db| insert_user(db, &format!("user{number}")))
    })
    .await;
    for outcome in outcomes {
        assert!(outcome.unwrap_err().is_temporary());
    }
    assert!(stopwatch.elapsed() < Duration::from_secs(8));
    assert_eq!(count_users(&store).await, 1, "readers go on");

    other.execute("ROLLBACK").await.unwrap();
    commit!(store, |db| insert_user(db, "bob")).unwrap();
    assert_eq!(count_users(&store).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_postgres_ends_cost_no_more_than_their_requests() {
    let Some(url) = crate::postgres::database() else {
        return;
    };
    let store = connect(&url).await;
    for round in 0..3 {
        // Several idle connections, all of which die.
        race(
            &store,
            |store, _| async move { store.ping().await.unwrap() },
        )
        .await;
        let mut other = AnyConnection::connect(&url).await.unwrap();
        other
            .execute(
                "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .unwrap();
        other.close().await.unwrap();

        // A unit of work had done nothing when it found its connection dead.
        commit!(store, |db| insert_user(db, &format!("user{round}"))).unwrap();
        store.ping().await.unwrap();
        assert_eq!(count_users(&store).await, round + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_nobody_gives_back_is_an_outage_in_postgres() {
    let Some(url) = crate::postgres::database() else {
        return;
    };
    let store = connect(&url).await;
    let mut other = AnyConnection::connect(&url).await.unwrap();
    other
        .execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let stopwatch = stopwatch();
    let outcome = commit!(store, |db| insert_user(db, "alice"));
    assert!(outcome.unwrap_err().is_temporary());
    let outcome = users::list(&mut *reader(&store).await, None, 1).await;
    assert!(outcome.unwrap_err().is_temporary());
    assert!(stopwatch.elapsed() < Duration::from_secs(9));

    other.execute("ROLLBACK").await.unwrap();
    commit!(store, |db| insert_user(db, "alice")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_an_outage() {
    // It accepts connections and says nothing, as a stopped one does.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://me:secret@127.0.0.1:{port}/x");
    let stopwatch = stopwatch();
    let error = Store::connect(&DatabaseOptions::new(url))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unopened { .. }), "{error:?}");
    assert!(stopwatch.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_an_outage_that_ends() {
    let Some(line) = crate::postgres::database().and_then(|url| Line::to(&url)) else {
        return;
    };
    let store = connect(&line.url).await;
    commit!(store, |db| insert_user(db, "alice")).unwrap();

    line.is_silent.store(true, Ordering::SeqCst);
    // Once with connections that were just used, once with none left.
    for _ in 0..2 {
        let stopwatch = stopwatch();
        let (written, read) = tokio::join!(
            async { commit!(store, |db| insert_user(db, "bob")) },
            store.ping()
        );
        assert!(written.unwrap_err().is_temporary());
        assert!(read.unwrap_err().is_temporary());
        assert!(stopwatch.elapsed() < Duration::from_millis(5500));
    }

    line.is_silent.store(false, Ordering::SeqCst);
    commit!(store, |db| insert_user(db, "carol")).unwrap();
    store.ping().await.unwrap();
}

/// A line to a PostgreSQL server that can be held.
struct Line {
    url: String,
    is_silent: Arc<AtomicBool>,
}

impl Line {
    /// A line to the database at `url`; `None` if that is not on a unix socket.
    fn to(url: &str) -> Option<Self> {
        let (server, parameters) = url.split_once('?')?;
        let mut parameters = url::form_urlencoded::parse(parameters.as_bytes());
        let (_, directory) = parameters.find(|(name, _)| name == "host")?;
        let socket = format!("{directory}/.s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_silent = Arc::new(AtomicBool::new(false));
        let hold = Arc::clone(&is_silent);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&socket).unwrap();
                let answers = server.try_clone().unwrap();
                let answered = client.try_clone().unwrap();
                let (there, back) = (Arc::clone(&hold), Arc::clone(&hold));
                thread::spawn(move || carry(client, server, &there));
                thread::spawn(move || carry(answers, answered, &back));
            }
        });
        let name = server.rsplit('/').next()?;
        Some(Self {
            url: format!("postgres://postgres@{address}/{name}"),
            is_silent,
        })
    }
}

/// Carries what comes from one end to the other, when it may.
fn carry(mut from: impl Read, mut to: impl Write, hold: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while hold.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test measures how long it waits"
)]
fn stopwatch() -> Instant {
    Instant::now()
}
