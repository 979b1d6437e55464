//! How a database gets its schema, and which are refused.

use keyfob::store::{DatabaseOptions, Store, StoreError, users};
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::fixture::{
    commit, connect, count_users, in_memory, insert_user, reader, register, user,
};

/// Runs a test on the URL of an empty file and of an empty PostgreSQL database.
macro_rules! on_empty_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite_file { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("a new file%41 #1.db");
                super::$test(format!("sqlite:{}", path.display())).await;
                assert!(path.exists());
            }
        )+ }

        mod postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(url) = crate::postgres::database() {
                    super::$test(url).await;
                }
            }
        )+ }
    };
}

on_empty_databases! {
    a_schema_is_made_once_and_kept,
    stores_that_start_together_make_one_schema,
    a_newer_schema_is_refused,
}

async fn a_schema_is_made_once_and_kept(url: String) {
    let store = Store::open(&DatabaseOptions::new(&url)).await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), None);
    store.migrate().await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), Some(latest()));
    commit!(store, |db| insert_user(db, "alice")).unwrap();
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
    store.close().await;

    let store = connect(&url).await;
    assert_eq!(count_users(&store).await, 1);
}

/// The number of the last file in `migrations/`.
fn latest() -> i64 {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let names = std::fs::read_dir(migrations)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let numbers = names.map(|name| name.to_str().unwrap()[..4].parse().unwrap());
    numbers.max().unwrap()
}

async fn stores_that_start_together_make_one_schema(url: String) {
    let starting: Vec<_> = (0..8)
        .map(|_| {
            let options = DatabaseOptions::new(&url);
            tokio::spawn(async move { Store::connect(&options).await })
        })
        .collect();
    let mut stores = Vec::new();
    for store in starting {
        stores.push(store.await.unwrap().unwrap());
    }
    for (number, store) in stores.iter().enumerate() {
        commit!(store, |db| insert_user(db, &format!("user{number}"))).unwrap();
    }
    for store in &stores {
        assert_eq!(count_users(store).await, 8);
    }
}

async fn a_newer_schema_is_refused(url: String) {
    connect(&url).await.close().await;
    let place = url
        .replace('%', "%25")
        .replace('#', "%23")
        .replace(' ', "%20");
    let is_sqlite = url.starts_with("sqlite:");
    let mut db = AnyConnection::connect(if is_sqlite { &place } else { &url })
        .await
        .unwrap();
    db.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT 9999, description, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await
    .unwrap();
    db.close().await.unwrap();

    let error = Store::connect(&DatabaseOptions::new(&url))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::NewerSchema { found: 9999, known } if known == latest()),
        "{error:?}"
    );
    let message = error.to_string();
    assert!(message.contains("version 9999"), "{message}");
}

#[tokio::test]
async fn databases_in_memory_have_nothing_in_common() {
    let (one, other) = (in_memory().await, in_memory().await);
    commit!(one, |db| insert_user(db, "alice")).unwrap();
    assert_eq!(count_users(&one).await, 1);
    assert_eq!(count_users(&other).await, 0);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display();
    std::fs::write(
        directory.path().join("text"),
        "This is no database.".repeat(99),
    )
    .unwrap();
    for (url, expected) in [
        (format!("sqlite:{here}/none/x.db"), "none does not exist"),
        (format!("sqlite:{here}"), "cannot open the database at"),
        (format!("sqlite:{here}/text"), "cannot open the database at"),
        (
            "postgres://me:secret@127.0.0.1:1/x".to_owned(),
            "127.0.0.1/x",
        ),
        ("redis://localhost".to_owned(), "must begin with"),
    ] {
        let error = Store::connect(&DatabaseOptions::new(&url))
            .await
            .unwrap_err();
        let message = format!("{:#}", anyhow::Error::new(error));
        assert!(message.contains(expected), "{url}: {message}");
        assert!(!message.contains("secret"), "{url}: {message}");
    }
}

#[tokio::test]
async fn a_value_that_keyfob_did_not_write_is_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/keyfob.db", directory.path().display());
    let store = connect(&url).await;
    let alice = user("alice");
    let id = alice.id;
    register(&store, &alice).await;
    let mut db = AnyConnection::connect(&url).await.unwrap();
    db.execute("UPDATE users SET claims = 'not JSON'")
        .await
        .unwrap();

    let outcome = users::find(&mut *reader(&store).await, id).await;
    assert!(
        matches!(outcome, Err(StoreError::Malformed(_))),
        "{outcome:?}"
    );
}
