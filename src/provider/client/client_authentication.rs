//! Authenticating clients ([RFC 6749 section 2.3]).
//!
//! It goes in two steps, because some ways to authenticate take their time. [`Provider::meet`]
//! verifies a client's signature, asks the network for its keys and writes down what was used,
//! while no connection to the database is held; a secret it leaves alone. What it gives, a
//! [`Caller`], is what [`Provider::authenticate`] and [`Provider::verify`] take.
//!
//! [RFC 6749 section 2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3

use crate::keys::certificate::bears;
use crate::keys::signed_jwt::{Accepted, SignedJwt};
use crate::oidc::client::Client;
use crate::oidc::client_assertion::{self, ClientAssertionError, SingleUse};
use crate::oidc::client_authentication::{ClientCredentials, Shown};
use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::client_certificate::{ClientCertificate, registered_names};
use crate::oidc::error::ErrorCode;
use crate::provider::client::signed_by_client::ClientJwtError;
use crate::provider::{InternalError, Provider};
use crate::store::{Connection, StoreError, clients, used_assertions};

/// Why a client is not who it says it is. All but a failure look the same from outside.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// No client has this identifier, or it is disabled.
    #[error("no enabled client has this client_id")]
    UnknownClient,
    /// The client has a secret and did not present one.
    #[error("the client presented no secret")]
    SecretMissing,
    /// The client presented another secret than its own.
    #[error("the client presented a wrong secret")]
    WrongSecret,
    /// A public client presented a secret.
    #[error("a public client presented a secret")]
    SecretOfPublicClient,
    /// The client authenticated in another way than it is registered for.
    #[error("the client is not registered for this way to authenticate")]
    WrongMethod,
    /// The assertion is not a JWT that the client signed.
    #[error("the client's assertion: {0}")]
    Unsigned(ClientJwtError),
    /// The client signed the assertion, and it says the wrong things.
    #[error(transparent)]
    Assertion(#[from] ClientAssertionError),
    /// The assertion has been used before.
    #[error("the client's assertion was used before")]
    ReplayedAssertion,
    /// The client has to show a certificate and did not.
    #[error("the client showed no certificate")]
    CertificateMissing,
    /// The certificate was issued by none of the authorities, or is not good now.
    #[error("the client's certificate was issued by none of the authorities, or is not good now")]
    UntrustedCertificate,
    /// The certificate is another one than the client registered.
    #[error("the certificate is not the client's")]
    CertificateDiffers,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl ClientAuthenticationError {
    /// The code that the client is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownClient
            | Self::SecretMissing
            | Self::WrongSecret
            | Self::SecretOfPublicClient
            | Self::WrongMethod
            | Self::Unsigned(_)
            | Self::Assertion(_)
            | Self::ReplayedAssertion
            | Self::CertificateMissing
            | Self::UntrustedCertificate
            | Self::CertificateDiffers => ErrorCode::InvalidClient,
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl From<ClientJwtError> for ClientAuthenticationError {
    fn from(error: ClientJwtError) -> Self {
        match error {
            ClientJwtError::Internal(error) => Self::Internal(error),
            refusal => Self::Unsigned(refusal),
        }
    }
}

impl From<StoreError> for ClientAuthenticationError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// Who calls, as far as it is known before the database is asked for anything else.
#[derive(Debug)]
pub(super) enum Caller<'a> {
    /// It has been authenticated.
    Known(Box<Client>),
    /// It presents what can be compared at once, or nothing.
    Presents(&'a ClientCredentials),
}

impl Caller<'_> {
    /// The `client_id`, as presented.
    pub(super) fn client_id(&self) -> &str {
        match self {
            Self::Known(client) => client.id.as_str(),
            Self::Presents(credentials) => &credentials.client_id,
        }
    }
}

impl Provider {
    /// Does what takes long about `credentials`. Hold no connection to the database meanwhile.
    pub(super) async fn meet<'a>(
        &self,
        credentials: &'a ClientCredentials,
    ) -> Result<Caller<'a>, ClientAuthenticationError> {
        match (&credentials.shown, &credentials.certificate) {
            (Shown::Nothing, Some(certificate)) => {
                let client = self.read_client(&credentials.client_id).await?;
                if self.is_authenticated_by(&client, certificate).await? {
                    return Ok(Caller::Known(Box::new(client)));
                }
                Ok(Caller::Presents(credentials))
            }
            (Shown::Nothing | Shown::Secret(_), _) => Ok(Caller::Presents(credentials)),
            (Shown::Assertion(assertion), _) => {
                let client = self.read_client(&credentials.client_id).await?;
                self.redeem_client_assertion(&client, assertion).await?;
                Ok(Caller::Known(Box::new(client)))
            }
        }
    }

    /// The client that calls.
    pub(super) async fn authenticate(
        &self,
        db: &mut Connection,
        caller: &Caller<'_>,
    ) -> Result<Client, ClientAuthenticationError> {
        let credentials = match caller {
            Caller::Known(client) => return Ok((**client).clone()),
            Caller::Presents(credentials) => credentials,
        };
        let client = match credentials.client_id.parse() {
            Ok(id) => clients::find(db, &id).await?,
            Err(_) => None,
        };
        self.verify(client, caller)
    }

    /// `client`, the one that `caller` names, if it is the one that calls.
    pub(super) fn verify(
        &self,
        client: Option<Client>,
        caller: &Caller<'_>,
    ) -> Result<Client, ClientAuthenticationError> {
        let client = client.filter(Client::is_enabled);
        let client = client.ok_or(ClientAuthenticationError::UnknownClient)?;
        let shown = match caller {
            Caller::Known(known) if known.id == client.id => return Ok(client),
            Caller::Known(_) => return Err(ClientAuthenticationError::UnknownClient),
            Caller::Presents(credentials) => &credentials.shown,
        };
        match (client.metadata.token_endpoint_auth_method, shown) {
            (ClientAuthenticationMethod::None, Shown::Nothing) => Ok(client),
            (ClientAuthenticationMethod::None, Shown::Secret(_)) => {
                Err(ClientAuthenticationError::SecretOfPublicClient)
            }
            (
                ClientAuthenticationMethod::ClientSecretBasic
                | ClientAuthenticationMethod::ClientSecretPost,
                Shown::Secret(presented),
            ) => {
                let now = self.clock.now();
                let secrets = client.secret.as_ref();
                if secrets.is_some_and(|secrets| secrets.accept(presented, now)) {
                    Ok(client)
                } else {
                    Err(ClientAuthenticationError::WrongSecret)
                }
            }
            (
                ClientAuthenticationMethod::ClientSecretBasic
                | ClientAuthenticationMethod::ClientSecretPost,
                Shown::Nothing,
            ) => Err(ClientAuthenticationError::SecretMissing),
            (
                ClientAuthenticationMethod::TlsClientAuth
                | ClientAuthenticationMethod::SelfSignedTlsClientAuth,
                Shown::Nothing,
            ) => Err(ClientAuthenticationError::CertificateMissing),
            (
                ClientAuthenticationMethod::TlsClientAuth
                | ClientAuthenticationMethod::SelfSignedTlsClientAuth
                | ClientAuthenticationMethod::ClientSecretJwt
                | ClientAuthenticationMethod::PrivateKeyJwt,
                _,
            )
            | (_, Shown::Assertion(_)) => Err(ClientAuthenticationError::WrongMethod),
        }
    }

    /// Whether `certificate` authenticates `client` ([RFC 8705 section 2]): an error if it has to
    /// and does not, `false` if the client authenticates in another way.
    ///
    /// [RFC 8705 section 2]: https://www.rfc-editor.org/rfc/rfc8705#section-2
    async fn is_authenticated_by(
        &self,
        client: &Client,
        certificate: &ClientCertificate,
    ) -> Result<bool, ClientAuthenticationError> {
        let is_its_own = match client.metadata.token_endpoint_auth_method {
            ClientAuthenticationMethod::TlsClientAuth => {
                let now = self.clock.now();
                let authorities = self.client_authorities.as_ref();
                if !authorities.is_some_and(|it| it.issued(certificate, now)) {
                    return Err(ClientAuthenticationError::UntrustedCertificate);
                }
                let mut names = registered_names(&client.metadata);
                let name = names.next();
                let is_only = names.next().is_none();
                is_only && name.is_some_and(|name| bears(certificate, name))
            }
            ClientAuthenticationMethod::SelfSignedTlsClientAuth => {
                self.has_registered(client, certificate).await?
            }
            ClientAuthenticationMethod::ClientSecretBasic
            | ClientAuthenticationMethod::ClientSecretPost
            | ClientAuthenticationMethod::ClientSecretJwt
            | ClientAuthenticationMethod::PrivateKeyJwt
            | ClientAuthenticationMethod::None => return Ok(false),
        };
        if !is_its_own {
            return Err(ClientAuthenticationError::CertificateDiffers);
        }
        Ok(true)
    }

    async fn read_client(&self, id: &str) -> Result<Client, ClientAuthenticationError> {
        let id = id.parse();
        let id = id.map_err(|_| ClientAuthenticationError::UnknownClient)?;
        let mut db = self.store.read().await?;
        let client = clients::find(&mut db, &id).await?;
        let client = client.filter(Client::is_enabled);
        client.ok_or(ClientAuthenticationError::UnknownClient)
    }

    /// Takes `assertion` as the authentication of `client`, once ([RFC 7523 section 3]).
    ///
    /// [RFC 7523 section 3]: https://www.rfc-editor.org/rfc/rfc7523#section-3
    async fn redeem_client_assertion(
        &self,
        client: &Client,
        assertion: &str,
    ) -> Result<(), ClientAuthenticationError> {
        let algorithms = client_assertion::algorithms(&client.metadata);
        let accepted = Accepted {
            algorithms: &algorithms,
            types: client_assertion::TYPES,
            requires_type: false,
        };
        let jwt = SignedJwt::parse(assertion, &accepted).map_err(ClientJwtError::from);
        let claims = match client.metadata.token_endpoint_auth_method {
            ClientAuthenticationMethod::PrivateKeyJwt => {
                self.verify_signed_by_client(client, &jwt?).await?
            }
            ClientAuthenticationMethod::ClientSecretJwt => {
                self.verify_signed_with_client_secret(client, &jwt?).await?
            }
            ClientAuthenticationMethod::ClientSecretBasic
            | ClientAuthenticationMethod::ClientSecretPost
            | ClientAuthenticationMethod::TlsClientAuth
            | ClientAuthenticationMethod::SelfSignedTlsClientAuth
            | ClientAuthenticationMethod::None => {
                return Err(ClientAuthenticationError::WrongMethod);
            }
        };
        let profile = client.metadata.profile;
        let audience = profile.assertion_audience(self.issuer.as_str(), &self.assertion_audiences);
        let now = self.clock.now();
        let used = client_assertion::check(&claims, client.id.as_str(), audience, now)?;
        let SingleUse { digest, expires_at } = used;
        // The request may fail later, and the assertion is used up all the same: whoever retries
        // signs a new one. See docs/decisions/0011.
        let is_first = self
            .store
            .write(move |db| {
                Box::pin(async move { used_assertions::insert(db, &digest, expires_at).await })
            })
            .await?;
        is_first
            .then_some(())
            .ok_or(ClientAuthenticationError::ReplayedAssertion)
    }
}
