//! The operator's side of the provider, on the database of the configuration.

use std::sync::Arc;

use super::exit::CliError;
use crate::config::Config;
use crate::keys::master_key::MasterKey;
use crate::provider::clock::Clock;
use crate::provider::operator::Operator;
use crate::provider::random::Random;
use crate::store::{DatabaseOptions, Store};

/// Which database `config` names.
#[must_use]
pub fn database(config: &Config) -> DatabaseOptions {
    DatabaseOptions {
        url: config.database.url.expose().to_owned(),
        max_connections: config.database.max_connections,
    }
}

/// The master key of `config`.
#[must_use]
pub fn master_key(config: &Config) -> Arc<MasterKey> {
    Arc::new(MasterKey::from_bytes(*config.master_key.expose()))
}

/// Lets an operator work on the database that `config` names, whose schema is brought up to date,
/// and closes it.
///
/// # Errors
///
/// The database cannot be opened, or the work cannot be done.
pub async fn work<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Operator) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let store = Store::connect(&database(config)).await?;
    let policy = config.policy.clone();
    let operator = Operator::new(store, Clock::System, Random::system(), policy)?;
    let done = work(&operator).await;
    operator.close().await;
    done
}
