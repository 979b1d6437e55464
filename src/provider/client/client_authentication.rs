//! Authenticating clients ([RFC 6749 section 2.3]).
//!
//! [RFC 6749 section 2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3

use crate::oidc::client::Client;
use crate::oidc::client_authentication::ClientCredentials;
use crate::oidc::error::ErrorCode;
use crate::provider::{InternalError, Provider};
use crate::store::{Connection, clients};

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
            | Self::SecretOfPublicClient => ErrorCode::InvalidClient,
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl Provider {
    /// The client that `credentials` are of.
    pub(super) async fn authenticate(
        &self,
        db: &mut Connection,
        credentials: &ClientCredentials,
    ) -> Result<Client, ClientAuthenticationError> {
        let client = match credentials.client_id.parse() {
            Ok(id) => clients::find(db, &id).await.map_err(InternalError::from)?,
            Err(_) => None,
        };
        self.accept(client, credentials)
    }

    /// The same of a client that was looked up already.
    pub(super) fn accept(
        &self,
        client: Option<Client>,
        credentials: &ClientCredentials,
    ) -> Result<Client, ClientAuthenticationError> {
        let is_meant = |client: &Client| client.id.as_str() == credentials.client_id;
        let client = client.filter(|client| client.is_enabled() && is_meant(client));
        let client = client.ok_or(ClientAuthenticationError::UnknownClient)?;
        match (client.is_confidential(), &credentials.secret) {
            (false, None) => Ok(client),
            (false, Some(_)) => Err(ClientAuthenticationError::SecretOfPublicClient),
            (true, None) => Err(ClientAuthenticationError::SecretMissing),
            (true, Some(presented)) => {
                let now = self.clock.now();
                let secrets = client.secret.as_ref();
                if secrets.is_some_and(|secrets| secrets.accept(presented, now)) {
                    Ok(client)
                } else {
                    Err(ClientAuthenticationError::WrongSecret)
                }
            }
        }
    }
}
