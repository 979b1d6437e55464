//! The store's promises, kept on every database: SQLite in memory, SQLite in a file, PostgreSQL.

#![expect(clippy::unwrap_used, reason = "these are tests, all of it")]

#[path = "../support/postgres.rs"]
mod postgres;

/// Runs each named test once per database.
macro_rules! conformance {
    ($($test:ident),+ $(,)?) => {
        mod sqlite_in_memory { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let store = $crate::fixture::in_memory().await;
                super::$test(store).await;
            }
        )+ }

        mod sqlite_file { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let (_directory, store) = $crate::fixture::in_a_file().await;
                super::$test(store).await;
            }
        )+ }

        mod postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(store) = $crate::fixture::on_postgres().await {
                    super::$test(store).await;
                }
            }
        )+ }
    };
}

mod client_assertions;
mod clients;
mod codes;
mod devices;
mod failures;
mod fixture;
mod grants;
mod housekeeping;
mod initial_access_tokens;
mod keys;
mod logout;
mod pushed_requests;
mod schema;
mod sessions;
mod tokens;
mod transactions;
mod units_of_work;
mod users;
