//! The users and clients of the server under test.

use std::sync::Arc;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyfob::keys::master_key::MasterKey;
use keyfob::oidc::client_metadata::ClientMetadata;
use keyfob::oidc::policy::Policy;
use keyfob::oidc::user::StandardClaims;
use keyfob::provider::clock::Clock;
use keyfob::provider::operator::Operator;
use keyfob::provider::operator::clients::NewClient;
use keyfob::provider::operator::users::NewUser;
use keyfob::provider::random::Random;
use keyfob::store::{DatabaseOptions, Store};
use serde_json::{Value, json};

use crate::server::Settings;
use crate::signed::SigningKey;

/// A client, and how its tokens are signed.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    /// What its access tokens and its ID tokens are signed with.
    pub(crate) algorithms: [&'static str; 2],
    /// The line of the head by which it authenticates.
    pub(crate) authorization: String,
}

impl Client {
    fn new(id: &'static str, access_token: &'static str, id_token: &'static str) -> Arc<Self> {
        let credentials = STANDARD.encode(format!("{id}:{SECRET}"));
        Arc::new(Self {
            id,
            algorithms: [access_token, id_token],
            authorization: format!("authorization: Basic {credentials}\r\n"),
        })
    }

    fn metadata(&self, more: &Value) -> Value {
        let [access_token, id_token] = self.algorithms;
        let mut all = json!({
            "access_token_signed_response_alg": access_token,
            "id_token_signed_response_alg": id_token,
        });
        if let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        all
    }
}

/// Everybody.
#[derive(Debug)]
pub(crate) struct Seeds {
    /// Clients for people: with RS256 alone, with ES256 for access tokens, with ES256 alone.
    pub(crate) apps: [Arc<Client>; 3],
    /// Clients that act as themselves.
    pub(crate) machines: [Arc<Client>; 2],
    /// A client that authenticates by assertions, and its key.
    pub(crate) signing: Arc<Client>,
    pub(crate) key: Arc<SigningKey>,
    /// A client that exchanges the tokens of the first app.
    pub(crate) gateway: Arc<Client>,
    /// The names of the users.
    pub(crate) users: Vec<String>,
}

impl Seeds {
    /// Registers them in the database.
    pub(crate) async fn plant(settings: &Settings) -> Result<Self> {
        let seeds = Self {
            apps: [
                Client::new("app-rs256", "RS256", "RS256"),
                Client::new("app-mixed", "ES256", "RS256"),
                Client::new("app-es256", "ES256", "ES256"),
            ],
            machines: [
                Client::new("machine-rs256", "RS256", "RS256"),
                Client::new("machine-es256", "ES256", "ES256"),
            ],
            signing: Client::new("signing", "ES256", "ES256"),
            key: Arc::new(SigningKey::new()?),
            gateway: Client::new("gateway", "RS256", "RS256"),
            users: (0..USERS).map(|number| format!("user{number}")).collect(),
        };
        let store = Store::connect(&DatabaseOptions::new(&settings.database)).await?;
        let policy = Policy::default();
        let master_key = Arc::new(MasterKey::parse(&settings.master_key)?);
        let (clock, random) = (Clock::System, Random::system());
        let operator = Operator::new(store, clock, random, policy, master_key)?;
        for client in &seeds.apps {
            let app = json!({
                "redirect_uris": [REDIRECT_URI],
                "skip_consent": true,
                "refresh_tokens": "always",
            });
            add(&operator, client, client.metadata(&app)).await?;
        }
        for client in &seeds.machines {
            let machine = json!({
                "grant_types": ["client_credentials"],
                "scope": "stock:read stock:write",
            });
            add(&operator, client, client.metadata(&machine)).await?;
        }
        let signing = json!({
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "client_credentials"],
            "scope": "openid profile email stock:read",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [seeds.key.jwk()]},
        });
        add(&operator, &seeds.signing, seeds.signing.metadata(&signing)).await?;
        let gateway = json!({
            "grant_types": [TOKEN_EXCHANGE],
            "response_types": [],
            "scope": "openid profile email",
            "token_exchange": {"subject_clients": [seeds.apps[0].id], "impersonation": true},
        });
        add(&operator, &seeds.gateway, seeds.gateway.metadata(&gateway)).await?;
        for username in &seeds.users {
            operator.add_user(person(username)).await?;
        }
        operator.close().await;
        Ok(seeds)
    }
}

async fn add(operator: &Operator, client: &Client, metadata: Value) -> Result<()> {
    let metadata: ClientMetadata = serde_json::from_value(metadata)?;
    let has_secret = metadata.token_endpoint_auth_method.has_secret();
    operator
        .add_client(NewClient {
            client_id: Some(client.id.to_owned()),
            client_secret: has_secret.then(|| SECRET.to_owned()),
            metadata,
        })
        .await?;
    Ok(())
}

fn person(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        claims: StandardClaims {
            name: Some(format!("The User {username}")),
            given_name: Some("The User".to_owned()),
            family_name: Some(username.to_owned()),
            email: Some(format!("{username}@example.com")),
            ..StandardClaims::default()
        },
        groups: vec!["staff".to_owned()],
        password: Some(PASSWORD.to_owned().into()),
    }
}

/// The password of every user.
pub(crate) const PASSWORD: &str = "violet-otter-7-lamp";
/// Where the clients for people get their codes.
pub(crate) const REDIRECT_URI: &str = "https://rp.test/callback";
/// The grant type of RFC 8693.
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const SECRET: &str = "kfs_a-secret-for-benchmarks-that-nobody-else-uses-0123";
const USERS: usize = 16;
