//! `keyfob client registration-token`: the initial access tokens with which clients register
//! themselves where `registration.mode` is "token".

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::{CliError, after_help};
use super::operator::work;
use super::output::{Output, instant, properties, table};
use crate::config::{self, Config};
use crate::oidc::initial_access_token::{InitialAccessToken, InitialAccessTokenId};

/// The commands of `keyfob client registration-token`.
#[derive(Clone, Debug, Subcommand)]
pub enum RegistrationTokenCommand {
    /// Makes a token with which clients can register themselves, and shows it once
    #[command(after_help = after_help(
        "  keyfob client registration-token add --note 'the build server'\n  \
         keyfob client registration-token add --uses 20 --valid-for 7d\n  \
         keyfob client registration-token add --json | jq -r .token",
    ))]
    Add(AddRegistrationToken),
    /// Lists the tokens that have not expired
    #[command(after_help = after_help("  keyfob client registration-token list"))]
    List,
    /// Ends a token; the clients that were registered with it stay
    #[command(after_help = after_help(
        "  keyfob client registration-token revoke 6f1c2d3e-0000-4000-8000-000000000000",
    ))]
    Revoke(NamedRegistrationToken),
}

/// The arguments of `keyfob client registration-token add`.
#[derive(Args, Clone, Debug)]
pub struct AddRegistrationToken {
    /// How many clients can be registered with it, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub uses: u32,
    /// For how long: a whole number and s, m, h or d, up to 365d
    #[arg(long, value_name = "SPAN", default_value = "1d", value_parser = lifetime)]
    pub valid_for: Duration,
    /// Whom it is for, for your own memory
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// Which token.
#[derive(Args, Clone, Debug)]
pub struct NamedRegistrationToken {
    /// The id that `list` shows
    #[arg(value_name = "ID")]
    pub id: InitialAccessTokenId,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let span = config::parse_span(text).filter(|span| (SHORTEST..=LONGEST).contains(span));
    span.ok_or_else(|| "write a whole number and s, m, h or d, from 1m to 365d".to_owned())
}

/// Carries out `command`.
///
/// # Errors
///
/// There is no such token, or the database is not right.
pub async fn run(
    command: RegistrationTokenCommand,
    config: &Config,
    output: &mut Output<impl Write>,
) -> Result<(), CliError> {
    match command {
        RegistrationTokenCommand::Add(new) => {
            let added = work(config, async |operator| {
                let AddRegistrationToken {
                    uses,
                    valid_for,
                    note,
                } = new;
                let added = operator.add_initial_access_token(note, uses, valid_for);
                Ok(added.await?)
            });
            let (token, secret) = added.await?;
            let mut json = to_json(&token);
            json["token"] = json!(secret.expose());
            output.write(&json, || to_text(&token, secret.expose()))?;
        }
        RegistrationTokenCommand::List => {
            let listed = work(config, async |it| Ok(it.initial_access_tokens().await?));
            let tokens = listed.await?;
            let json: Vec<_> = tokens.iter().map(to_json).collect();
            output.write(&json!({ "registration_tokens": json }), || {
                list_to_text(&tokens)
            })?;
        }
        RegistrationTokenCommand::Revoke(NamedRegistrationToken { id }) => {
            work(config, async |operator| {
                Ok(operator.revoke_initial_access_token(id).await?)
            })
            .await?;
            output.write(&json!({ "id": id }), || format!("{id} is revoked."))?;
        }
    }
    Ok(())
}

fn to_json(token: &InitialAccessToken) -> Value {
    json!({
        "id": token.id,
        "note": token.note,
        "uses_left": token.uses_left,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    })
}

fn to_text(token: &InitialAccessToken, secret: &str) -> String {
    let mut text = properties(&[
        ("id", token.id.to_string()),
        ("token", secret.to_owned()),
        ("note", token.note.clone().unwrap_or_default()),
        ("uses left", token.uses_left.to_string()),
        ("expires", instant(token.expires_at)),
    ]);
    text.push_str("\nThe token is not shown again: Keyfob keeps only its digest.\n");
    text
}

fn list_to_text(tokens: &[InitialAccessToken]) -> String {
    if tokens.is_empty() {
        return "There are no registration tokens. Make one with: keyfob client \
                registration-token add"
            .to_owned();
    }
    let rows = tokens.iter().map(|token| {
        [
            token.id.to_string(),
            token.note.clone().unwrap_or_default(),
            token.uses_left.to_string(),
            instant(token.created_at),
            instant(token.expires_at),
        ]
    });
    table(
        ["Token", "Note", "Uses left", "Created", "Expires"],
        rows.collect(),
    )
}

const SHORTEST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(365 * 24);
