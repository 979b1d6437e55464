//! The users, clients and keys that a development server starts with. Everybody knows them.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::keys::dev_keys::dev_keys;
use crate::keys::master_key::MasterKey;
use crate::keys::rotation::STAND_BY;
use crate::oidc::client::Client;
use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::client_metadata::{ApplicationType, ClientMetadata};
use crate::oidc::grant_type::{GrantType, GrantTypes};
use crate::oidc::issuer::Issuer;
use crate::oidc::redirect_uri::RedirectUri;
use crate::oidc::response_type::ResponseTypes;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::{Address, PasswordHash, StandardClaims, User, UserId};
use crate::provider::operator::clients::NewClient;
use crate::provider::operator::{Operator, OperatorError};

/// A seeded client with its secret in the clear.
#[derive(Clone, Debug)]
pub struct SeededClient {
    /// The client.
    pub client: Client,
    /// Its secret, if it is confidential.
    pub secret: Option<String>,
}

/// A seeded user with the password in the clear.
#[derive(Clone, Debug)]
pub struct SeededUser {
    /// The user.
    pub user: User,
    /// The password.
    pub password: &'static str,
    /// What is special about them.
    pub note: &'static str,
}

/// Seeds users, clients and keys, but for those that are there already.
pub async fn plant(
    operator: &Operator,
    master_key: &Arc<MasterKey>,
    issuer: &Issuer,
    more_redirect_uris: &[RedirectUri],
    now: Timestamp,
) -> Result<(Vec<SeededClient>, Vec<SeededUser>), OperatorError> {
    plant_keys(operator, master_key, now).await?;
    let mut clients = Vec::new();
    for new in seeded_clients(issuer, more_redirect_uris)? {
        clients.push(plant_client(operator, new).await?);
    }
    let mut users = Vec::new();
    for (user, note) in seeded_users(now)? {
        let user = match operator.insert_user(user.clone()).await {
            Err(OperatorError::AlreadyExists(..)) => operator.user(user.username.as_str()).await?,
            result => result?,
        };
        users.push(SeededUser {
            user,
            password: PASSWORD,
            note,
        });
    }
    Ok((clients, users))
}

async fn plant_keys(
    operator: &Operator,
    master_key: &Arc<MasterKey>,
    now: Timestamp,
) -> Result<(), OperatorError> {
    if operator.has_keys().await? {
        return Ok(());
    }
    let keys = dev_keys().map_err(crate::provider::InternalError::from)?;
    // Of each algorithm the first is active and the second stands by.
    let schedule = [now, STAND_BY].into_iter().cycle();
    let keys: Vec<_> = keys.into_iter().zip(schedule).collect();
    operator.insert_keys(master_key, &keys, now).await
}

async fn plant_client(operator: &Operator, new: NewClient) -> Result<SeededClient, OperatorError> {
    let secret = new.client_secret.clone();
    let id = new.client_id.clone().unwrap_or_default();
    let uris = new.metadata.redirect_uris.clone();
    match operator.add_client(new).await {
        Ok((client, secret)) => Ok(SeededClient { client, secret }),
        Err(OperatorError::AlreadyExists(..)) => {
            let mut client = operator.client(&id).await?;
            for uri in uris {
                client = operator.add_redirect_uri(&id, uri).await?;
            }
            Ok(SeededClient { client, secret })
        }
        Err(error) => Err(error),
    }
}

fn seeded_clients(
    issuer: &Issuer,
    more_redirect_uris: &[RedirectUri],
) -> Result<Vec<NewClient>, OperatorError> {
    let mut redirect_uris = on_loopback(CALLBACKS)?;
    redirect_uris.extend_from_slice(more_redirect_uris);
    let scope = parsed(
        "openid profile email address phone groups offline_access api:read api:write",
        "scope",
    )?;
    let web = ClientMetadata {
        redirect_uris,
        post_logout_redirect_uris: on_loopback(AFTER_LOGOUT)?,
        scope: Some(scope),
        ..ClientMetadata::default()
    };
    Ok(vec![
        NewClient {
            client_id: Some("web-app".to_owned()),
            client_secret: Some("web-app-development-secret".to_owned()),
            metadata: ClientMetadata {
                client_name: Some("Web app".to_owned()),
                ..web.clone()
            },
        },
        NewClient {
            client_id: Some("single-page-app".to_owned()),
            client_secret: None,
            metadata: ClientMetadata {
                client_name: Some("Single-page app".to_owned()),
                token_endpoint_auth_method: ClientAuthenticationMethod::None,
                application_type: Some(ApplicationType::Native),
                ..web
            },
        },
        NewClient {
            client_id: Some("machine".to_owned()),
            client_secret: Some("machine-development-secret".to_owned()),
            metadata: ClientMetadata {
                client_name: Some("Machine".to_owned()),
                grant_types: GrantTypes(vec![GrantType::ClientCredentials]),
                scope: Some(parsed("api:read api:write", "scope")?),
                ..ClientMetadata::default()
            },
        },
        NewClient {
            client_id: Some("device".to_owned()),
            client_secret: None,
            metadata: ClientMetadata {
                client_name: Some("Device".to_owned()),
                token_endpoint_auth_method: ClientAuthenticationMethod::None,
                grant_types: GrantTypes(vec![GrantType::DeviceCode, GrantType::RefreshToken]),
                response_types: ResponseTypes(Vec::new()),
                scope: Some(parsed(
                    "openid profile email offline_access api:read",
                    "scope",
                )?),
                ..ClientMetadata::default()
            },
        },
        demo_client(issuer)?,
    ])
}

/// The client of the demo relying party, which only a development server has.
fn demo_client(issuer: &Issuer) -> Result<NewClient, OperatorError> {
    let scope = "openid profile email offline_access demo:read";
    Ok(NewClient {
        client_id: Some(DEMO_CLIENT.to_owned()),
        client_secret: Some(DEMO_SECRET.to_owned()),
        metadata: ClientMetadata {
            client_name: Some("Keyfob demo".to_owned()),
            redirect_uris: vec![parsed(&issuer.join("/demo/callback"), "redirect_uri")?],
            post_logout_redirect_uris: vec![parsed(&issuer.join("/"), "redirect_uri")?],
            scope: Some(parsed(scope, "scope")?),
            access_token_audience: vec![issuer.join("/demo/api")],
            ..ClientMetadata::default()
        },
    })
}

fn seeded_users(now: Timestamp) -> Result<Vec<(User, &'static str)>, OperatorError> {
    let person = |number: u128, username: &str, name: &str, groups: &[&str]| {
        let (given_name, family_name) = name.split_once(' ').unwrap_or((name, ""));
        Ok::<_, OperatorError>(User {
            // Always the same, so that what an app stored of them stays right.
            id: UserId(Uuid::from_u128(
                0x6b65_7966_6f62_4000_8000_0000_0000_0000 + number,
            )),
            username: parsed(username, "user name")?,
            password: Some(PasswordHash::from_phc(PASSWORD_HASH.to_owned())),
            claims: StandardClaims {
                name: Some(name.to_owned()),
                given_name: Some(given_name.to_owned()),
                family_name: Some(family_name.to_owned()),
                email: Some(format!("{username}@example.com")),
                email_verified: Some(true),
                ..StandardClaims::default()
            },
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            created_at: now,
            updated_at: now,
            disabled_at: None,
        })
    };
    let mut carol = person(4, "carol", "Carol Lidl Complete", &["staff"])?;
    carol.claims = every_claim(carol.claims);
    Ok(vec![
        (
            person(1, "alice", "Alice Adams", &["staff"])?,
            "group staff",
        ),
        (person(2, "bob", "Bob Brown", &[])?, "no group"),
        (
            person(3, "admin", "Ada Admin", &["staff", "admins"])?,
            "groups staff and admins",
        ),
        (carol, "every standard claim is set"),
    ])
}

fn every_claim(claims: StandardClaims) -> StandardClaims {
    let text = |text: &str| Some(text.to_owned());
    StandardClaims {
        family_name: text("Complete"),
        middle_name: text("Lidl"),
        nickname: text("Caz"),
        preferred_username: text("carol"),
        profile: text("https://example.com/people/carol"),
        picture: text("https://example.com/people/carol.png"),
        website: text("https://carol.example.com"),
        gender: text("female"),
        birthdate: text("1990-02-28"),
        zoneinfo: text("Europe/Paris"),
        locale: text("en-GB"),
        phone_number: text("+33 1 23 45 67 89"),
        phone_number_verified: Some(true),
        address: Some(Address {
            formatted: text("1 Rue de l'Exemple\n75001 Paris\nFrance"),
            street_address: text("1 Rue de l'Exemple"),
            locality: text("Paris"),
            region: text("Île-de-France"),
            postal_code: text("75001"),
            country: text("France"),
        }),
        ..claims
    }
}

fn on_loopback(paths: &[&str]) -> Result<Vec<RedirectUri>, OperatorError> {
    let hosts = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let all = hosts
        .iter()
        .flat_map(|host| paths.iter().map(move |path| format!("{host}{path}")));
    all.map(|uri| parsed(&uri, "redirect_uri")).collect()
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &str,
    what: &'static str,
) -> Result<T, OperatorError> {
    let refused = |error: T::Err| OperatorError::Invalid(text.to_owned(), what, error.to_string());
    text.parse().map_err(refused)
}

impl SeededClient {
    /// The client as [RFC 7591 section 3.2.1] has it.
    ///
    /// [RFC 7591 section 3.2.1]: https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut all = json!(self.client.metadata);
        if let Some(members) = all.as_object_mut() {
            members.insert("client_id".to_owned(), self.client.id.as_str().into());
            if let Some(secret) = &self.secret {
                members.insert("client_secret".to_owned(), secret.as_str().into());
                members.insert("client_secret_expires_at".to_owned(), 0.into());
            }
        }
        all
    }
}

impl SeededUser {
    /// The user with their password and claims.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut all = json!(self.user.claims);
        if let Some(members) = all.as_object_mut() {
            members.insert("sub".to_owned(), self.user.id.to_string().into());
            members.insert("username".to_owned(), self.user.username.as_str().into());
            members.insert("password".to_owned(), self.password.into());
            members.insert("groups".to_owned(), json!(self.user.groups));
        }
        all
    }
}

/// The identifier of the demo relying party.
pub const DEMO_CLIENT: &str = "keyfob-demo";
/// Its secret.
pub const DEMO_SECRET: &str = "keyfob-demo-development-secret";

/// The password of every seeded user.
const PASSWORD: &str = "keyfob-dev";

/// Its hash, made once: hashing it at each start would take longer than the rest of the start.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$8vQnoqn8WZcAm4Px6iU+7Q$UJ1zGJXh57sNHJ1NKChNdy3Be0c9U4UzYV6PxRKUKIQ";

/// Where the usual frameworks expect their answers.
const CALLBACKS: &[&str] = &[
    "",
    "/",
    "/callback",
    "/cb",
    "/oidc/callback",
    "/auth/callback",
    "/auth/callback/keyfob",
    "/auth/oidc/callback",
    "/api/auth/callback",
    "/api/auth/callback/keyfob",
    "/api/auth/oauth2/callback/keyfob",
    "/login/oauth2/code/keyfob",
    "/login/callback",
    "/login/generic_oauth",
    "/signin-oidc",
    "/oauth/callback",
    "/oauth2/callback",
    "/oauth2/redirect",
    "/oauth2/idpresponse",
    "/accounts/oidc/keyfob/login/callback/",
    "/users/auth/openid_connect/callback",
    "/user/oauth2/keyfob/callback",
    "/redirect_uri",
];

/// Where they go after signing out.
const AFTER_LOGOUT: &[&str] = &[
    "",
    "/",
    "/callback",
    "/logout",
    "/logged-out",
    "/signed-out",
    "/logout/callback",
    "/auth/logout/callback",
    "/signout-callback-oidc",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::password::Password;
    use crate::oidc::policy::PasswordPolicy;
    use crate::provider::account::password_hasher::PasswordHasher;
    use crate::provider::random::Random;

    #[tokio::test]
    async fn the_embedded_hash_is_that_of_the_password_by_todays_parameters() {
        let hasher = PasswordHasher::new(&PasswordPolicy::default(), Random::system()).unwrap();
        let stored = PasswordHash::from_phc(PASSWORD_HASH.to_owned());
        let password = Password::prepare(PASSWORD);
        let verification = hasher.verify(Some(stored), password).await.unwrap();
        assert!(verification.is_correct && verification.rehashed.is_none());
    }
}
