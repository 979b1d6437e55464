//! Clients that register themselves, and manage their registration ([RFC 7591], [RFC 7592],
//! [OIDC Registration]).
//!
//! [RFC 7591]: https://www.rfc-editor.org/rfc/rfc7591
//! [RFC 7592]: https://www.rfc-editor.org/rfc/rfc7592
//! [OIDC Registration]: https://openid.net/specs/openid-connect-registration-1_0.html

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::oidc::client::{Client, ClientId, ClientSecrets};
use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::error::ErrorCode;
use crate::oidc::initial_access_token::InitialAccessTokenId;
use crate::oidc::policy::RegistrationMode;
use crate::oidc::registration::MetadataError;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::self_registration;
use crate::provider::client::registration_throttle::Counted;
use crate::provider::client::sector_identifier::check_sector;
use crate::provider::client::signed_by_client::{check_keys, seal_context};
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, client_signing_secrets, clients, initial_access_tokens};

/// Why a client is not registered, or its registration not shown or changed, in the order of the
/// checks.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Only operators register clients here.
    #[error("clients cannot register themselves here")]
    Closed,
    /// No initial access token where one is needed.
    #[error("an initial access token is needed")]
    InitialAccessTokenMissing,
    /// An initial access token that is unknown, used up, expired or revoked.
    #[error("the initial access token is unknown, used up, expired or revoked")]
    InvalidInitialAccessToken,
    /// No registration access token where one is needed.
    #[error("the registration access token is needed")]
    RegistrationAccessTokenMissing,
    /// A registration access token of another client, or of none.
    #[error("the registration access token is not that of this client")]
    InvalidRegistrationAccessToken,
    /// Metadata that cannot be registered.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Too many registrations, or changes of them, from one address.
    #[error("too many clients were registered or changed from this address")]
    TooMany {
        /// When the next one is looked at.
        retry_after: Duration,
    },
    /// Somebody else changed the registration at the same time.
    #[error("the registration was changed at the same time")]
    ChangedMeanwhile,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl RegistrationError {
    /// The code that the client is told ([RFC 7591 section 3.2.2]).
    ///
    /// [RFC 7591 section 3.2.2]: https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Closed
            | Self::InitialAccessTokenMissing
            | Self::InvalidInitialAccessToken
            | Self::RegistrationAccessTokenMissing
            | Self::InvalidRegistrationAccessToken => ErrorCode::InvalidToken,
            Self::Metadata(error) if error.member == "redirect_uris" => {
                ErrorCode::InvalidRedirectUri
            }
            Self::Metadata(_) => ErrorCode::InvalidClientMetadata,
            Self::TooMany { .. } => ErrorCode::TemporarilyUnavailable,
            Self::ChangedMeanwhile => ErrorCode::InvalidRequest,
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// Somebody who may register a client.
#[derive(Debug)]
pub struct Registrant {
    initial_access_token: Option<InitialAccessTokenId>,
    address: Option<IpAddr>,
}

/// A registration as its client may see it.
#[derive(Debug)]
pub struct Registration {
    client: Client,
    /// The secret, if it was made just now.
    secret: Option<Secret>,
    access_token: Secret,
}

impl Provider {
    /// Whether pages of any origin may register clients: where everybody may.
    #[must_use]
    pub fn registers_everybody(&self) -> bool {
        self.policy.registration.mode == RegistrationMode::Open
    }

    /// Lets somebody at `address` register a client, with the initial access token that the policy
    /// may ask for ([RFC 7591 section 3]).
    ///
    /// [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3
    pub async fn admit_registrant(
        &self,
        initial_access_token: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Registrant, RegistrationError> {
        let initial_access_token = match self.policy.registration.mode {
            RegistrationMode::Off => return Err(RegistrationError::Closed),
            RegistrationMode::Open => None,
            RegistrationMode::Token => {
                let presented = initial_access_token;
                let presented = presented.ok_or(RegistrationError::InitialAccessTokenMissing)?;
                let secret = Secret::parse(SecretKind::InitialAccessToken, presented);
                let secret = secret.ok_or(RegistrationError::InvalidInitialAccessToken)?;
                let (digest, now) = (secret.digest(), self.clock.now());
                let mut db = self.store.read().await?;
                let found = initial_access_tokens::find_usable(&mut db, &digest, now).await?;
                Some(
                    found
                        .ok_or(RegistrationError::InvalidInitialAccessToken)?
                        .id,
                )
            }
        };
        Ok(Registrant {
            initial_access_token,
            address,
        })
    }

    /// Registers a client as it describes itself ([RFC 7591 section 3.1]).
    ///
    /// [RFC 7591 section 3.1]: https://www.rfc-editor.org/rfc/rfc7591#section-3.1
    pub async fn register(
        &self,
        registrant: Registrant,
        described: &Map<String, Value>,
    ) -> Result<Registration, RegistrationError> {
        let metadata = self_registration::read(described, &self.policy.registration)?;
        self.limit(Counted::Registrations, registrant.address)
            .await?;
        check_keys(&metadata, &self.policy)?;
        self.check_addresses(&metadata).await?;
        let now = self.clock.now();
        let secret = self.secret_for(&metadata);
        let access_token = self.random.secret(SecretKind::RegistrationAccessToken);
        let id = self.new_client_id()?;
        let sealed = self.seal_signing_secret(&id, &metadata, secret.as_ref())?;
        let client = Client {
            id,
            metadata,
            secret: secret.as_ref().map(|secret| ClientSecrets {
                current: secret.digest(),
                previous: None,
            }),
            created_at: now,
            updated_at: now,
            disabled_at: None,
            self_registered_at: Some(now),
        };
        let initial_access_token = registrant.initial_access_token;
        let (stored, token_digest) = (client.clone(), access_token.digest());
        self.store
            .write(move |db| {
                Box::pin(async move {
                    // Once for each use that is left, however many registrants race for it.
                    if let Some(id) = initial_access_token
                        && !initial_access_tokens::consume(db, id, now).await?
                    {
                        return Err(RegistrationError::InvalidInitialAccessToken);
                    }
                    clients::insert(db, &stored).await?;
                    if let Some(sealed) = sealed {
                        client_signing_secrets::insert(db, &stored.id, &sealed).await?;
                    }
                    clients::set_registration_token(db, &stored.id, &token_digest).await?;
                    Ok(())
                })
            })
            .await?;
        let by = initial_access_token.map_or_else(String::new, |id| id.to_string());
        tracing::info!(client.id = %client.id, initial_access_token.id = by, "client registered");
        Ok(Registration {
            client,
            secret,
            access_token,
        })
    }

    /// Shows a client its registration ([RFC 7592 section 2.1]).
    ///
    /// [RFC 7592 section 2.1]: https://www.rfc-editor.org/rfc/rfc7592#section-2.1
    pub async fn registration(
        &self,
        client_id: &str,
        access_token: Option<&str>,
    ) -> Result<Registration, RegistrationError> {
        let presented = access_token.ok_or(RegistrationError::RegistrationAccessTokenMissing)?;
        let access_token = Secret::parse(SecretKind::RegistrationAccessToken, presented);
        let id = client_id.parse::<ClientId>().ok();
        let (access_token, id) = access_token
            .zip(id)
            .ok_or(RegistrationError::InvalidRegistrationAccessToken)?;
        let mut db = self.store.read().await?;
        let digest = access_token.digest();
        let client = clients::find_by_registration_token(&mut db, &id, &digest).await?;
        let client = client.filter(Client::is_enabled);
        Ok(Registration {
            client: client.ok_or(RegistrationError::InvalidRegistrationAccessToken)?,
            secret: None,
            access_token,
        })
    }

    /// Replaces a registration as a whole ([RFC 7592 section 2.2]), for a client at `address`. Its
    /// secret stays as long as it needs one.
    ///
    /// [RFC 7592 section 2.2]: https://www.rfc-editor.org/rfc/rfc7592#section-2.2
    pub async fn update_registration(
        &self,
        registration: Registration,
        described: &Map<String, Value>,
        address: Option<IpAddr>,
    ) -> Result<Registration, RegistrationError> {
        let Registration {
            client,
            access_token,
            ..
        } = registration;
        names_itself(&client, described)?;
        let metadata = self_registration::read(described, &self.policy.registration)?;
        self.limit(Counted::Changes, address).await?;
        check_keys(&metadata, &self.policy)?;
        self.check_addresses(&metadata).await?;
        let now = self.clock.now();
        // A secret to sign with is kept otherwise than one to present, so it is not taken over.
        let has_secret = metadata.token_endpoint_auth_method.has_secret();
        let (signed, signs) = (signs(&client.metadata), signs(&metadata));
        let kept = client.secret.filter(|_| has_secret && signed == signs);
        let made = match kept {
            Some(_) => None,
            None => self.secret_for(&metadata),
        };
        let secrets = kept.or_else(|| {
            made.as_ref().map(|secret| ClientSecrets {
                current: secret.digest(),
                previous: None,
            })
        });
        let sealed = self.seal_signing_secret(&client.id, &metadata, made.as_ref())?;
        let read_at = client.updated_at;
        let client = Client {
            metadata,
            secret: secrets,
            updated_at: now.max(read_at),
            ..client
        };
        let stored = client.clone();
        let is_current = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    let is_current = clients::replace(db, &stored, read_at, now).await?;
                    if is_current && (!signs || sealed.is_some()) {
                        client_signing_secrets::delete(db, &stored.id).await?;
                    }
                    if let (true, Some(sealed)) = (is_current, sealed) {
                        client_signing_secrets::insert(db, &stored.id, &sealed).await?;
                    }
                    Ok::<_, StoreError>(is_current)
                })
            })
            .await?;
        if !is_current {
            return Err(RegistrationError::ChangedMeanwhile);
        }
        tracing::info!(client.id = %client.id, "registration replaced");
        Ok(Registration {
            client,
            secret: made,
            access_token,
        })
    }

    /// Deletes a client, and with it all that was granted to it ([RFC 7592 section 2.3]).
    ///
    /// [RFC 7592 section 2.3]: https://www.rfc-editor.org/rfc/rfc7592#section-2.3
    pub async fn delete_registration(
        &self,
        registration: Registration,
    ) -> Result<(), RegistrationError> {
        let id = registration.client.id;
        tracing::info!(client.id = %id, "client deleted itself");
        self.store
            .write(move |db| Box::pin(async move { clients::delete(db, &id).await }))
            .await?;
        Ok(())
    }

    /// What a client is told of its registration ([RFC 7592 section 3]).
    ///
    /// [RFC 7592 section 3]: https://www.rfc-editor.org/rfc/rfc7592#section-3
    #[must_use]
    pub fn registration_response(&self, registration: &Registration) -> Map<String, Value> {
        let Registration {
            client,
            secret,
            access_token,
        } = registration;
        self_registration::response(client, secret.as_ref(), access_token, &self.issuer)
    }

    /// Refuses addresses that Keyfob would never ask, without a connection to any of them. Then it
    /// asks the one that says which sector the client is in.
    pub(super) async fn check_addresses(
        &self,
        metadata: &ClientMetadata,
    ) -> Result<(), MetadataError> {
        let asked = self_registration::asked(metadata);
        if let Some((member, _)) = asked.get(MOST_ADDRESSES) {
            let reason = format!("it has at most {MOST_ADDRESSES} addresses");
            return Err(MetadataError::new(member, reason));
        }
        for (member, uri) in asked {
            let checked = self.outbound.check(&uri).await;
            checked.map_err(|error| MetadataError::new(member, format!("'{uri}': {error}")))?;
        }
        check_sector(&self.outbound, metadata).await
    }

    /// Counts one more from an address, and refuses it if there were too many.
    async fn limit(&self, what: Counted, address: Option<IpAddr>) -> Result<(), RegistrationError> {
        match self.count(what, address).await? {
            None => Ok(()),
            Some(retry_after) => Err(RegistrationError::TooMany { retry_after }),
        }
    }

    fn secret_for(&self, metadata: &ClientMetadata) -> Option<Secret> {
        let method = metadata.token_endpoint_auth_method;
        method
            .has_secret()
            .then(|| self.random.client_secret(method))
    }

    /// The secret of a client that signs with it, as it may be stored.
    fn seal_signing_secret(
        &self,
        id: &ClientId,
        metadata: &ClientMetadata,
        secret: Option<&Secret>,
    ) -> Result<Option<String>, InternalError> {
        let Some(secret) = secret.filter(|_| signs(metadata)) else {
            return Ok(None);
        };
        let context = seal_context(id);
        let sealed = self
            .keyring
            .master_key
            .seal(&context, secret.expose().as_bytes());
        Ok(Some(sealed?))
    }

    fn new_client_id(&self) -> Result<ClientId, MetadataError> {
        let id = self.random.uuid().to_string().parse();
        id.map_err(|error: crate::oidc::client::ClientIdError| {
            MetadataError::new("client_id", error.to_string())
        })
    }
}

/// Whether a client signs with its secret.
fn signs(metadata: &ClientMetadata) -> bool {
    metadata.token_endpoint_auth_method == ClientAuthenticationMethod::ClientSecretJwt
}

/// Whether an update names the client that it is for, and does not try to choose its secret
/// ([RFC 7592 section 2.2]).
///
/// [RFC 7592 section 2.2]: https://www.rfc-editor.org/rfc/rfc7592#section-2.2
fn names_itself(client: &Client, described: &Map<String, Value>) -> Result<(), MetadataError> {
    if described.get("client_id").and_then(Value::as_str) != Some(client.id.as_str()) {
        let reason = "it must be that of the client whose registration this is";
        return Err(MetadataError::new("client_id", reason));
    }
    let is_own = |secret: &str| {
        let secrets = client.secret.as_ref();
        secrets.is_some_and(|secrets| secrets.current.matches(&Digest::of(secret)))
    };
    match described.get("client_secret") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(secret)) if is_own(secret) => Ok(()),
        Some(_) => Err(MetadataError::new(
            "client_secret",
            "it cannot be chosen, and this is not the one that was issued",
        )),
    }
}

/// How many names one registration may have looked up.
const MOST_ADDRESSES: usize = 10;
