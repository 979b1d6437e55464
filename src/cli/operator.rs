//! The operator's side of the provider, on the database of the configuration.

use super::exit::CliError;
use super::serve::{database, master_key};
use crate::config::Config;
use crate::provider::clock::Clock;
use crate::provider::operator::Operator;
use crate::provider::random::Random;
use crate::store::Store;

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
    let (clock, random) = (Clock::System, Random::system());
    let operator = Operator::new(store, clock, random, policy, master_key(config))?;
    let done = work(&operator).await;
    operator.close().await;
    done
}
