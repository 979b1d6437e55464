//! `keyfob migrate`: the schema, brought up to date.

use std::io::Write;

use serde_json::json;

use super::exit::CliError;
use super::output::Output;
use super::serve::database;
use crate::config::Config;
use crate::store::Store;

/// Brings the schema of the database that `config` names up to date.
///
/// # Errors
///
/// The database cannot be opened, or is newer than this program.
pub async fn run(config: &Config, output: &mut Output<impl Write>) -> Result<(), CliError> {
    let store = Store::open(&database(config)).await?;
    let before = store.schema_version().await?;
    store.migrate().await?;
    let after = store.schema_version().await?;
    store.close().await;
    let json = json!({ "before": before, "after": after });
    output.write(&json, || {
        let version = |version: Option<i64>| version.map_or("none".to_owned(), |it| it.to_string());
        if before == after {
            format!("The schema is up to date: version {}.", version(after))
        } else {
            format!(
                "The schema went from version {} to {}.",
                version(before),
                version(after)
            )
        }
    })?;
    Ok(())
}
