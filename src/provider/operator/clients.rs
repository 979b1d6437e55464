//! Clients, as an operator sees them.

use crate::oidc::client::{Client, ClientId, ClientSecrets};
use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::jws_algorithm::JwsAlgorithm;
use crate::oidc::logout_token::LogoutDelivery;
use crate::oidc::profile;
use crate::oidc::redirect_uri::RedirectUri;
use crate::oidc::registration;
use crate::oidc::secret::{Digest, Secret};
use crate::provider::InternalError;
use crate::provider::client::signed_by_client::{check_keys, seal_context};
use crate::store::{StoreError, client_signing_secrets, clients, logout_deliveries};

use super::{Operator, OperatorError};

/// A client to be.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// The identifier; one is made if there is none.
    pub client_id: Option<String>,
    /// The secret of a confidential client; one is made if there is none.
    pub client_secret: Option<String>,
    /// What it registers.
    pub metadata: ClientMetadata,
}

impl Operator {
    /// Registers a client. Returns it with its secret in the clear, which is not kept.
    pub async fn add_client(
        &self,
        new: NewClient,
    ) -> Result<(Client, Option<String>), OperatorError> {
        registration::check(&new.metadata)?;
        check_keys(&new.metadata, &self.policy)?;
        let id = match new.client_id {
            Some(text) => text
                .parse::<ClientId>()
                .map_err(|error| OperatorError::Invalid(text, "a client_id", error.to_string()))?,
            None => self.new_client_id()?,
        };
        let method = new.metadata.token_endpoint_auth_method;
        let secret = self.chosen_or_new_secret(method, new.client_secret)?;
        let sealed = match (method, &secret) {
            (ClientAuthenticationMethod::ClientSecretJwt, Some(secret)) => {
                Some(self.seal_signing_secret(&id, &new.metadata, secret).await?)
            }
            _ => None,
        };
        let now = self.clock.now();
        let client = Client {
            id,
            metadata: new.metadata,
            secret: secret.as_deref().map(|secret| ClientSecrets {
                current: Digest::of(secret),
                previous: None,
            }),
            created_at: now,
            updated_at: now,
            disabled_at: None,
            self_registered_at: None,
        };
        let name = client.id.to_string();
        let stored = client.clone();
        let inserted = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    let inserted = clients::insert(db, &stored).await?;
                    if let (true, Some(sealed)) = (inserted, sealed) {
                        client_signing_secrets::insert(db, &stored.id, &sealed).await?;
                    }
                    Ok::<_, StoreError>(inserted)
                })
            })
            .await;
        if inserted? {
            Ok((client, secret))
        } else {
            Err(OperatorError::AlreadyExists("client", name))
        }
    }

    /// All clients.
    pub async fn clients(&self) -> Result<Vec<Client>, OperatorError> {
        let mut db = self.store.read().await?;
        Ok(clients::list(&mut db, None, u32::MAX).await?)
    }

    /// The client with this identifier.
    pub async fn client(&self, id: &str) -> Result<Client, OperatorError> {
        let not_found = || OperatorError::NotFound("client", id.to_owned());
        let parsed: ClientId = id.parse().map_err(|_| not_found())?;
        let mut db = self.store.read().await?;
        clients::find(&mut db, &parsed).await?.ok_or_else(not_found)
    }

    /// The last logout tokens to a client, and what became of each.
    pub async fn logout_deliveries(
        &self,
        id: &str,
        limit: u32,
    ) -> Result<Vec<LogoutDelivery>, OperatorError> {
        let client = self.client(id).await?;
        let mut db = self.store.read().await?;
        Ok(logout_deliveries::list_of_client(&mut db, &client.id, limit).await?)
    }

    /// Makes a new secret for a client; the one before is valid for a while longer.
    pub async fn rotate_client_secret(&self, id: &str) -> Result<Secret, OperatorError> {
        let client = self.client(id).await?;
        let method = client.metadata.token_endpoint_auth_method;
        if !method.has_secret() {
            return Err(OperatorError::NoSecret(id.to_owned()));
        }
        let secret = self.random.client_secret(method);
        let sealed = if method == ClientAuthenticationMethod::ClientSecretJwt {
            let sealed = self.seal_signing_secret(&client.id, &client.metadata, secret.expose());
            Some(sealed.await?)
        } else {
            None
        };
        let digest = secret.digest();
        let now = self.clock.now();
        let previous_until = now.after(self.policy.lifetimes.client_secret_overlap);
        self.store
            .write(move |db| {
                Box::pin(async move {
                    if let Some(sealed) = sealed {
                        let id = &client.id;
                        client_signing_secrets::rotate(db, id, &sealed, previous_until).await?;
                    }
                    clients::rotate_secret(db, &client.id, &digest, previous_until, now).await
                })
            })
            .await?;
        Ok(secret)
    }

    /// Registers one more redirect URI for a client.
    pub async fn add_redirect_uri(
        &self,
        id: &str,
        uri: RedirectUri,
    ) -> Result<Client, OperatorError> {
        let mut client = self.client(id).await?;
        if client.metadata.redirect_uris.contains(&uri) {
            return Ok(client);
        }
        client.metadata.redirect_uris.push(uri);
        profile::check(&client.metadata)?;
        let now = self.clock.now();
        let (stored, expected) = (client.clone(), client.updated_at);
        let is_current = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    clients::update_metadata(db, &stored.id, expected, &stored.metadata, now).await
                })
            })
            .await?;
        if is_current {
            Ok(client)
        } else {
            Err(OperatorError::ChangedMeanwhile)
        }
    }

    /// Deletes a client and everything that was granted to it.
    pub async fn delete_client(&self, id: &str) -> Result<Client, OperatorError> {
        let client = self.client(id).await?;
        let deleted = client.id.clone();
        self.store
            .write(move |db| Box::pin(async move { clients::delete(db, &deleted).await }))
            .await?;
        Ok(client)
    }

    /// The secret that the operator chose, or a new one, of a client that has one.
    fn chosen_or_new_secret(
        &self,
        method: ClientAuthenticationMethod,
        chosen: Option<String>,
    ) -> Result<Option<String>, OperatorError> {
        Ok(match (method.has_secret(), chosen) {
            (false, None) => None,
            (false, Some(_)) => {
                let reason = "a client with this token_endpoint_auth_method has no secret";
                return Err(OperatorError::Invalid(
                    "…".to_owned(),
                    "client_secret",
                    reason.to_owned(),
                ));
            }
            (true, Some(chosen)) => Some(checked_secret(chosen)?),
            (true, None) => Some(self.random.client_secret(method).expose().to_owned()),
        })
    }

    /// The secret of a client that signs with it, as it may be stored.
    async fn seal_signing_secret(
        &self,
        id: &ClientId,
        metadata: &ClientMetadata,
        secret: &str,
    ) -> Result<String, OperatorError> {
        let algorithm = metadata.token_endpoint_auth_signing_alg;
        let algorithm = algorithm.unwrap_or(JwsAlgorithm::HS256);
        // RFC 7518 section 3.2.
        if secret.len() < algorithm.shortest_secret() {
            return Err(OperatorError::Invalid(
                "…".to_owned(),
                "client_secret",
                format!(
                    "to sign with {algorithm} it must have {} characters or more",
                    algorithm.shortest_secret()
                ),
            ));
        }
        self.check_master_key(&self.master_key).await?;
        let context = seal_context(id);
        let sealed = self.master_key.seal(&context, secret.as_bytes());
        Ok(sealed.map_err(InternalError::from)?)
    }

    fn new_client_id(&self) -> Result<ClientId, OperatorError> {
        let id = self.random.uuid().to_string();
        id.parse()
            .map_err(|error: crate::oidc::client::ClientIdError| {
                OperatorError::Invalid(id, "a client_id", error.to_string())
            })
    }
}

fn checked_secret(chosen: String) -> Result<String, OperatorError> {
    let is_plain = chosen.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if chosen.is_empty() || !is_plain {
        let reason = "it must consist of printable ASCII characters".to_owned();
        return Err(OperatorError::Invalid(
            "…".to_owned(),
            "client_secret",
            reason,
        ));
    }
    Ok(chosen)
}
