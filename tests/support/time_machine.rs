//! Lets time pass for what a server has stored, by moving the instants in its database back.
//!
//! Every instant is a column of Unix seconds whose name ends in `_at`, so this needs no clock in
//! the server that could be turned from outside, and no test that sleeps.

use std::time::Duration;

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

use super::process::Server;

impl Server {
    /// Makes those columns of `table` older by `span`.
    ///
    /// # Panics
    /// If the database is in memory.
    pub(crate) async fn age(&self, table: &str, columns: &[&str], span: Duration) {
        let seconds = span.as_secs();
        for column in columns {
            self.execute(format!(
                "UPDATE {table} SET {column} = {column} - {seconds}"
            ))
            .await;
        }
    }

    /// Runs one statement on its database.
    pub(crate) async fn execute(&self, statement: String) {
        install_default_drivers();
        let url = self.database_url().expect("a database of its own");
        let mut db = AnyConnection::connect(&url).await.expect("the database");
        db.execute(AssertSqlSafe(statement))
            .await
            .expect("the statement");
        db.close().await.expect("the end of it");
    }
}
