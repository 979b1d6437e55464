//! The pushed authorization request endpoint ([RFC 9126 section 2]).
//!
//! [RFC 9126 section 2]: https://www.rfc-editor.org/rfc/rfc9126#section-2

use std::net::IpAddr;

use crate::oidc::authorization_request::{self, Refusal, UntrustedRequest};
use crate::oidc::client_authentication::ClientCredentials;
use crate::oidc::error::ErrorCode;
use crate::oidc::parameters::{Parameters, Repeated};
use crate::oidc::pushed_authorization_request::{
    PushedAuthorizationRequest, PushedAuthorizationResponse, without_credentials,
};
use crate::oidc::secret::SecretKind;
use crate::provider::client::client_authentication::ClientAuthenticationError;
use crate::provider::client::client_id_metadata::MetadataDocumentError;
use crate::provider::client::dpop::{Sender, SenderError};
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, pushed_authorization_requests};

/// Why a pushed request is refused, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum PushedAuthorizationRequestError {
    /// The client did not authenticate.
    #[error(transparent)]
    Client(ClientAuthenticationError),
    /// `request_uri` twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// A `request_uri`: what is pushed is a request, and no reference to one.
    #[error("a request_uri cannot be pushed")]
    RequestUri,
    /// The request names no redirect URI of the client.
    #[error(transparent)]
    Untrusted(#[from] UntrustedRequest),
    /// The request would be refused at the authorization endpoint.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What the sender shows is not enough.
    #[error(transparent)]
    Sender(SenderError),
    /// The `dpop_jkt` is not of the key that signed the proof.
    #[error("the dpop_jkt is that of another key than the proof's")]
    OtherKey,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl PushedAuthorizationRequestError {
    /// The code that the client is told ([RFC 9126 section 2.3]).
    ///
    /// [RFC 9126 section 2.3]: https://www.rfc-editor.org/rfc/rfc9126#section-2.3
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Client(error) => error.code(),
            Self::Sender(error) => error.code(),
            Self::OtherKey | Self::Repeated(_) | Self::RequestUri | Self::Untrusted(_) => {
                ErrorCode::InvalidRequest
            }
            Self::Refused(refusal) => refusal.code(),
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl From<ClientAuthenticationError> for PushedAuthorizationRequestError {
    fn from(error: ClientAuthenticationError) -> Self {
        match error {
            ClientAuthenticationError::Internal(error) => Self::Internal(error),
            refusal => Self::Client(refusal),
        }
    }
}

impl From<SenderError> for PushedAuthorizationRequestError {
    fn from(error: SenderError) -> Self {
        match error {
            SenderError::Internal(error) => Self::Internal(error),
            refusal => Self::Sender(refusal),
        }
    }
}

impl From<MetadataDocumentError> for PushedAuthorizationRequestError {
    fn from(error: MetadataDocumentError) -> Self {
        match error {
            MetadataDocumentError::Internal(error) => Self::Internal(error),
            refusal => {
                tracing::info!(reason = %refusal, "client refused");
                Self::Client(ClientAuthenticationError::UnknownClient)
            }
        }
    }
}

impl From<StoreError> for PushedAuthorizationRequestError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl Provider {
    /// Takes an authorization request from the client itself, checks the whole of it, and keeps it
    /// for the browser that comes with its `request_uri`.
    pub async fn push_authorization_request(
        &self,
        credentials: &ClientCredentials,
        body: Parameters,
        sender: &Sender,
        address: Option<IpAddr>,
    ) -> Result<PushedAuthorizationResponse, PushedAuthorizationRequestError> {
        Box::pin(self.read_metadata_document(&credentials.client_id, address)).await?;
        let caller = self.meet(credentials).await?;
        let mut db = self.store.read().await?;
        let client = self.authenticate(&mut db, &caller).await?;
        drop(db);
        if body.get("request_uri")?.is_some() {
            return Err(PushedAuthorizationRequestError::RequestUri);
        }
        let sent = without_credentials(body, &client.id);
        // RFC 9126 section 3: of a request that is pushed in a request object, only that counts.
        let parameters = match sent.get("request")? {
            Some(text) => {
                let read = self.read_request_object(&client, text, &sent).await;
                read.map_err(Refusal::from)?
            }
            None if client.metadata.require_signed_request_object => {
                return Err(Refusal::NoRequestObject.into());
            }
            None => sent,
        };
        // RFC 9449 section 10.1: a proof says the same as dpop_jkt.
        let parameters = match (&sender.proof, parameters.get("dpop_jkt")?) {
            (Some(proof), Some(jkt)) if jkt != proof.jkt => {
                return Err(PushedAuthorizationRequestError::OtherKey);
            }
            (Some(proof), None) => parameters.with("dpop_jkt", &proof.jkt),
            _ => parameters,
        };
        authorization_request::return_address(&parameters, &client)?;
        let request = authorization_request::parse(&parameters, &client, &self.policy)?;
        if let Some(hint) = &request.id_token_hint {
            let hinted = self.hinted_subject(hint, &client);
            hinted.ok_or(Refusal::InvalidIdTokenHint)?;
        }

        let profile = client.metadata.profile;
        sender.keeps(profile).map_err(SenderError::from)?;
        self.use_proof(sender).await?;
        let lifetime = profile.pushed_request_lifetime(self.policy.lifetimes.pushed_request);
        let now = self.clock.now();
        let request_uri = self.random.secret(SecretKind::PushedAuthorizationRequest);
        let digest = request_uri.digest();
        let pushed = PushedAuthorizationRequest {
            client_id: client.id,
            request: parameters.encode(),
            created_at: now,
            expires_at: now.after(lifetime),
            used_at: None,
        };
        self.store
            .write(move |db| {
                Box::pin(async move {
                    pushed_authorization_requests::insert(db, &digest, &pushed).await
                })
            })
            .await?;
        Ok(PushedAuthorizationResponse {
            request_uri: request_uri.expose().to_owned(),
            expires_in: lifetime.as_secs(),
        })
    }
}
