//! `keyfob client`: the applications that sign people in.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client_input;
use super::client_logouts;
use super::exit::{CliError, after_help};
use super::operator::work;
use super::output::{Output, instant, properties, table};
use super::registration_token::{self, RegistrationTokenCommand};
use crate::config::Config;
use crate::oidc::client::{Client, ClientId};
use crate::oidc::grant_type::GrantType;
use crate::oidc::redirect_uri::RedirectUri;
use crate::oidc::scope::Scopes;
use crate::provider::operator::clients::NewClient;

/// The commands of `keyfob client`.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// Registers a client, and shows its secret once
    #[command(after_help = after_help(
        "  keyfob client add --name Shop --redirect-uri https://shop.example.com/callback\n  \
         keyfob client add --name Phone --public --redirect-uri com.example.phone:/callback\n  \
         keyfob client add --name Robot --grant-type client_credentials --scope 'orders:read'\n  \
         keyfob client add --metadata shop.json\n  \
         keyfob client add --metadata - < clients.json    # {\"clients\": [{…}, {…}]}",
    ))]
    Add(AddClient),
    /// Lists the clients
    #[command(after_help = after_help(
        "  keyfob client list\n  \
         keyfob client list --json | jq -r '.clients[].client_id'",
    ))]
    List,
    /// Shows one client
    #[command(after_help = after_help(
        "  keyfob client show shop\n  \
         keyfob client show shop --json",
    ))]
    Show(NamedClient),
    /// Gives a client a new secret; the old one is accepted for a while, so that nothing breaks
    #[command(after_help = after_help(
        "  keyfob client rotate-secret shop\n  \
         keyfob client rotate-secret shop --json | jq -r .client_secret",
    ))]
    RotateSecret(NamedClient),
    /// Shows what became of the last logout tokens to a client
    #[command(after_help = after_help(
        "  keyfob client logouts shop\n  \
         keyfob client logouts shop --json | jq '.logouts[] | select(.state == \"failed\")'",
    ))]
    Logouts(NamedClient),
    /// Deletes a client and every token that it has
    #[command(after_help = after_help("  keyfob client delete shop"))]
    Delete(NamedClient),
    /// Makes, lists and ends the tokens with which clients register themselves
    #[command(subcommand)]
    RegistrationToken(RegistrationTokenCommand),
}

/// Which client.
#[derive(Args, Clone, Debug)]
pub struct NamedClient {
    /// The client_id
    #[arg(value_name = "CLIENT_ID")]
    pub client: ClientId,
}

/// The arguments of `keyfob client add`.
#[derive(Args, Clone, Debug, Default)]
pub struct AddClient {
    /// Client metadata as RFC 7591 has it, one JSON object or {"clients": [...]}, with client_id
    /// and client_secret where they shall not be made up; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = SIMPLE)]
    pub metadata: Option<PathBuf>,
    /// The name that people see when they are asked for consent
    #[arg(long)]
    pub name: Option<String>,
    /// Where people come back to after they signed in; may be repeated
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<RedirectUri>,
    /// A client that cannot keep a secret: a single-page, mobile or desktop application
    #[arg(long)]
    pub public: bool,
    /// The scopes that it may ask for, with spaces between; without it, the standard ones
    #[arg(long, value_name = "SCOPES")]
    pub scope: Option<Scopes>,
    /// A grant that it may use; may be repeated [default: authorization_code and refresh_token]
    #[arg(long = "grant-type", value_name = "GRANT", value_parser = grant_type)]
    pub grant_types: Vec<GrantType>,
    /// Its client_id, where it shall not be made up
    #[arg(long, value_name = "ID")]
    pub client_id: Option<ClientId>,
}

fn grant_type(text: &str) -> Result<GrantType, String> {
    text.parse().map_err(|_| {
        let known = GrantType::ALL.iter().map(|it| it.as_str());
        format!("Keyfob has {}", known.collect::<Vec<_>>().join(", "))
    })
}

/// Carries out `command`.
///
/// # Errors
///
/// What was given is wrong, nothing is called that, or the database is not right.
pub async fn run(
    command: ClientCommand,
    config: &Config,
    output: &mut Output<impl Write>,
) -> Result<(), CliError> {
    match command {
        ClientCommand::Add(arguments) => add(&arguments, config, output).await?,
        ClientCommand::List => {
            let clients = work(config, async |it| Ok(it.clients().await?)).await?;
            output.write(&list_to_json(&clients), || list_to_text(&clients))?;
        }
        ClientCommand::Show(NamedClient { client }) => {
            let shown = work(config, async |it| Ok(it.client(client.as_str()).await?));
            let client = shown.await?;
            output.write(&to_json(&client, None), || to_text(&client, None))?;
        }
        ClientCommand::RotateSecret(NamedClient { client }) => {
            let rotated = work(config, async |operator| {
                let secret = operator.rotate_client_secret(client.as_str()).await?;
                Ok((operator.client(client.as_str()).await?, secret))
            });
            let (client, secret) = rotated.await?;
            let secret = Some(secret.expose());
            output.write(&to_json(&client, secret), || to_text(&client, secret))?;
        }
        ClientCommand::Logouts(NamedClient { client }) => {
            let id = client.as_str();
            let listed = work(config, async |it| {
                Ok(it.logout_deliveries(id, client_logouts::SHOWN).await?)
            });
            let deliveries = listed.await?;
            output.write(&client_logouts::to_json(&deliveries), || {
                client_logouts::to_text(&client, &deliveries)
            })?;
        }
        ClientCommand::RegistrationToken(command) => {
            registration_token::run(command, config, output).await?;
        }
        ClientCommand::Delete(NamedClient { client }) => {
            let deleted = work(config, async |it| {
                Ok(it.delete_client(client.as_str()).await?)
            });
            let client = deleted.await?;
            output.write(&to_json(&client, None), || {
                format!("{} is deleted.", client.id)
            })?;
        }
    }
    Ok(())
}

async fn add(
    arguments: &AddClient,
    config: &Config,
    output: &mut Output<impl Write>,
) -> Result<(), CliError> {
    let described = client_input::read(arguments)?;
    for warning in &described.warnings {
        writeln!(io::stderr(), "keyfob: {warning}")?;
    }
    let mut made = Vec::new();
    let added = work(config, async |operator| {
        for client in described.clients {
            let new = NewClient {
                client_id: client.client_id.map(|id| id.to_string()),
                client_secret: client.client_secret.map(|secret| secret.to_string()),
                metadata: client.metadata,
            };
            made.push(operator.add_client(new).await?);
        }
        Ok(())
    });
    let added = added.await;
    let shown = |to: fn(&Client, Option<&str>) -> String| {
        let all = made.iter();
        let all = all.map(|(client, secret)| to(client, secret.as_deref()));
        all.collect::<Vec<_>>().join("\n")
    };
    let json: Vec<_> = made
        .iter()
        .map(|(client, secret)| to_json(client, secret.as_deref()))
        .collect();
    // Those that were made before one failed are shown: their secrets cannot be shown later.
    if described.is_list {
        output.write(&json!({ "clients": json }), || shown(to_text))?;
    } else if let Some(client) = json.first() {
        output.write(client, || shown(to_text))?;
    }
    added
}

/// A client for scripts: the answer of [RFC 7591 section 3.2.1], with the secret where it is shown.
///
/// [RFC 7591 section 3.2.1]: https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1
fn to_json(client: &Client, secret: Option<&str>) -> Value {
    let mut json = json!(client.metadata);
    json["client_id"] = json!(client.id);
    json["client_id_issued_at"] = json!(client.created_at);
    let previous = client.secret.as_ref();
    if let Some((_, until)) = previous.and_then(|secrets| secrets.previous.as_ref()) {
        json["previous_client_secret_expires_at"] = json!(until);
    }
    if client.self_registered_at.is_some() {
        json["self_registered_at"] = json!(client.self_registered_at);
    }
    if client.disabled_at.is_some() {
        json["disabled_at"] = json!(client.disabled_at);
    }
    if let Some(secret) = secret {
        json["client_secret"] = json!(secret);
        // It does not expire.
        json["client_secret_expires_at"] = json!(0);
    }
    json
}

/// Clients for scripts.
fn list_to_json(clients: &[Client]) -> Value {
    let clients = clients.iter().map(|client| to_json(client, None));
    json!({ "clients": clients.collect::<Vec<_>>() })
}

/// Clients for people.
fn list_to_text(clients: &[Client]) -> String {
    if clients.is_empty() {
        return "There are no clients. Make one with: keyfob client add --name NAME \
                --redirect-uri URI"
            .to_owned();
    }
    let rows = clients.iter().map(|client| {
        [
            client.id.to_string(),
            client.name().to_owned(),
            kind(client).to_owned(),
            redirect_uris(client).join("\n"),
        ]
    });
    table(["Client", "Name", "Kind", "Redirect URIs"], rows.collect())
}

/// A client for people, with the secret where it is shown.
fn to_text(client: &Client, secret: Option<&str>) -> String {
    let metadata = &client.metadata;
    let grants = metadata.grant_types.0.iter().map(|grant| grant.as_str());
    let scope = metadata.scope.as_ref();
    let previous = client.secret.as_ref();
    let previous = previous.and_then(|secrets| secrets.previous.as_ref());
    let previous = previous.map(|(_, until)| instant(*until));
    let mut text = properties(&[
        ("client_id", client.id.to_string()),
        ("client_secret", secret.unwrap_or_default().to_owned()),
        ("name", client.name().to_owned()),
        ("kind", kind(client).to_owned()),
        ("grants", grants.collect::<Vec<_>>().join(", ")),
        (
            "scope",
            scope.map_or_else(|| "the standard ones".to_owned(), ToString::to_string),
        ),
        ("redirect URIs", redirect_uris(client).join("\n")),
        (
            "begins at",
            metadata
                .initiate_login_uri
                .as_ref()
                .map_or_else(String::new, |uri| uri.as_str().to_owned()),
        ),
        (
            "old secret",
            previous.map_or_else(String::new, |until| format!("accepted until {until}")),
        ),
        ("created", instant(client.created_at)),
        ("updated", instant(client.updated_at)),
        (
            "registered",
            client
                .self_registered_at
                .map_or_else(String::new, |_| "by itself".to_owned()),
        ),
        (
            "disabled",
            client.disabled_at.map(instant).unwrap_or_default(),
        ),
    ]);
    if secret.is_some() {
        text.push_str("\nThe secret is not shown again: Keyfob keeps only its digest.\n");
    }
    text
}

fn redirect_uris(client: &Client) -> Vec<&str> {
    let uris = client.metadata.redirect_uris.iter();
    uris.map(RedirectUri::as_str).collect()
}

fn kind(client: &Client) -> &'static str {
    if client.is_confidential() {
        "confidential"
    } else {
        "public"
    }
}

/// The arguments that describe a client one by one.
const SIMPLE: [&str; 6] = [
    "name",
    "redirect_uris",
    "public",
    "scope",
    "grant_types",
    "client_id",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::client::ClientSecrets;
    use crate::oidc::client_metadata::ClientMetadata;
    use crate::oidc::secret::{Secret, SecretKind};
    use crate::oidc::timestamp::Timestamp;

    #[test]
    fn the_secret_is_shown_only_when_it_is_made() {
        let secret = Secret::new(SecretKind::ClientSecret, &[7; 32]);
        let client = Client {
            id: "shop".parse().unwrap(),
            metadata: ClientMetadata {
                client_name: Some("Shop".to_owned()),
                redirect_uris: vec![
                    "https://shop.example/cb".parse().unwrap(),
                    "http://localhost/cb".parse().unwrap(),
                ],
                ..ClientMetadata::default()
            },
            secret: Some(ClientSecrets {
                current: secret.digest(),
                previous: None,
            }),
            created_at: Timestamp(0),
            updated_at: Timestamp(60),
            disabled_at: None,
            self_registered_at: None,
        };

        insta::assert_snapshot!(to_text(&client, Some(secret.expose())), @"
        client_id      shop
        client_secret  kfs_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc
        name           Shop
        kind           confidential
        grants         authorization_code, refresh_token
        scope          the standard ones
        redirect URIs  https://shop.example/cb
                       http://localhost/cb
        created        1970-01-01T00:00:00Z
        updated        1970-01-01T00:01:00Z

        The secret is not shown again: Keyfob keeps only its digest.
        ");
        let json = to_json(&client, Some(secret.expose()));
        assert_eq!(json["client_id"], "shop");
        assert_eq!(json["client_secret"], secret.expose());
        assert_eq!(json["client_secret_expires_at"], 0);
        assert_eq!(json["redirect_uris"][0], "https://shop.example/cb");

        let list = [client];
        let texts = [list_to_text(&list), to_text(&list[0], None)];
        for shown in [list_to_json(&list).to_string(), texts.concat()] {
            assert!(!shown.contains(secret.expose()), "{shown}");
            assert!(!shown.contains(secret.digest().as_stored()), "{shown}");
        }
    }
}
