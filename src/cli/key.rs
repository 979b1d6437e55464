//! `keyfob key`: the signing keys.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::{CliError, Exit, after_help};
use super::operator::work;
use super::output::{Output, instant, table};
use super::serve::master_key;
use crate::config::Config;
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::provider::operator::keys::KeyLine;

/// The commands of `keyfob key`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Lists the signing keys, with the state of each
    #[command(after_help = after_help(
        "  keyfob key list\n  \
         keyfob key list --json | jq -r '.keys[] | select(.state == \"active\") | .kid'",
    ))]
    List,
    /// Lets the signing keys give way to the next; running servers follow by themselves
    #[command(after_help = after_help("  keyfob key rotate\n  keyfob key rotate --alg RS256"))]
    Rotate(RotateKeys),
}

/// The arguments of `keyfob key rotate`.
#[derive(Args, Clone, Debug)]
pub struct RotateKeys {
    /// Only the keys of this algorithm; may be repeated
    #[arg(long = "alg", value_name = "ALGORITHM", value_parser = algorithm)]
    pub algorithms: Vec<SigningAlgorithm>,
}

fn algorithm(text: &str) -> Result<SigningAlgorithm, String> {
    text.parse().map_err(|_| {
        let known = SigningAlgorithm::ALL.iter().map(|it| it.as_str());
        format!("Keyfob has {}", known.collect::<Vec<_>>().join(", "))
    })
}

/// Carries out `command`.
///
/// # Errors
///
/// The database or the master key is not right, or a rotation is under way.
pub async fn run(
    command: KeyCommand,
    config: &Config,
    output: &mut Output<impl Write>,
) -> Result<(), CliError> {
    let master_key = master_key(config);
    let keys = work(config, async |operator| {
        let is_rotated = match command {
            KeyCommand::List => true,
            KeyCommand::Rotate(RotateKeys { ref algorithms }) => {
                let chosen = chosen(algorithms, config)?;
                operator.rotate_keys(&master_key, chosen).await?
            }
        };
        if !is_rotated {
            let message = "a rotation is under way already; nothing changed";
            return Err(CliError::new(Exit::Conflict, message));
        }
        Ok(operator.keys(&master_key).await?)
    });
    let keys = keys.await?;
    output.write(&to_json(&keys), || to_text(&keys))?;
    Ok(())
}

/// The algorithms to rotate the keys of: all that there are keys for, unless some are named.
fn chosen<'a>(
    named: &'a [SigningAlgorithm],
    config: &'a Config,
) -> Result<&'a [SigningAlgorithm], CliError> {
    let all = &config.policy.key_rotation.algorithms;
    if let Some(other) = named.iter().find(|it| !all.contains(it)) {
        let message = format!("keys.algorithms has no {other}");
        return Err(CliError::new(Exit::Invalid, message));
    }
    Ok(if named.is_empty() { all } else { named })
}

fn to_json(keys: &[KeyLine]) -> Value {
    let keys = keys.iter().map(|key| {
        json!({
            "kid": key.kid,
            "alg": key.algorithm.as_str(),
            "state": key.state,
            "published_at": key.published_at,
            "activates_at": key.activates_at,
            "retires_at": key.retires_at,
            "expires_at": key.expires_at,
        })
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

fn to_text(keys: &[KeyLine]) -> String {
    if keys.is_empty() {
        return "There are no keys: the first server to start makes them.".to_owned();
    }
    let rows = keys.iter().map(|key| {
        let at = |at: Option<_>| at.map(instant).unwrap_or_default();
        [
            key.kid.clone(),
            key.algorithm.to_string(),
            key.state.to_owned(),
            instant(key.published_at),
            at(key.activates_at),
            at(key.retires_at),
            at(key.expires_at),
        ]
    });
    table(
        [
            "Key",
            "Algorithm",
            "State",
            "Published",
            "Signs from",
            "Signs until",
            "Published until",
        ],
        rows.collect(),
    )
}
