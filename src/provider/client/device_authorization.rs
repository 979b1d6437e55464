//! The device authorization endpoint ([RFC 8628 section 3.1]).
//!
//! [RFC 8628 section 3.1]: https://www.rfc-editor.org/rfc/rfc8628#section-3.1

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::oidc::api::InvalidTarget;
use crate::oidc::client_authentication::ClientCredentials;
use crate::oidc::device_authorization::{
    self, DeviceAuthorization, DeviceAuthorizationResponse, POLL_INTERVAL, UserCode,
};
use crate::oidc::error::ErrorCode;
use crate::oidc::grant_type::GrantType;
use crate::oidc::metadata::path;
use crate::oidc::scope::Scopes;
use crate::oidc::secret::{Digest, SecretKind};
use crate::provider::client::client_authentication::ClientAuthenticationError;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, device_authorizations};

/// Why a device gets no codes, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum DeviceAuthorizationError {
    /// The client did not authenticate.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    /// The client is not registered for this grant.
    #[error("the client is not registered for the device grant")]
    GrantTypeNotAllowed,
    /// A `resource` that is not for the client.
    #[error(transparent)]
    InvalidTarget(#[from] InvalidTarget),
    /// No scope that the client may have.
    #[error("no requested scope is registered for the client")]
    InvalidScope,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl DeviceAuthorizationError {
    /// The code that the device is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Client(error) => error.code(),
            Self::GrantTypeNotAllowed => ErrorCode::UnauthorizedClient,
            Self::InvalidTarget(_) => ErrorCode::InvalidTarget,
            Self::InvalidScope => ErrorCode::InvalidScope,
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl From<StoreError> for DeviceAuthorizationError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl Provider {
    /// Gives a device its two codes.
    pub async fn authorize_device(
        &self,
        credentials: &ClientCredentials,
        requested: Option<&Scopes>,
        resources: Vec<String>,
    ) -> Result<DeviceAuthorizationResponse, DeviceAuthorizationError> {
        let caller = self.meet(credentials).await?;
        let mut db = self.store.read().await?;
        let client = self.authenticate(&mut db, &caller).await?;
        drop(db);
        if !client.metadata.grant_types.contains(GrantType::DeviceCode) {
            return Err(DeviceAuthorizationError::GrantTypeNotAllowed);
        }
        let apis = &self.policy.apis;
        let resources = apis.admit(resources, &client)?;
        let scopes = device_authorization::scopes(&client, requested, apis, &resources);
        let scopes = scopes.ok_or(DeviceAuthorizationError::InvalidScope)?;
        let now = self.clock.now();
        let lifetime = self.policy.lifetimes.device_code;
        let code = self.random.secret(SecretKind::DeviceCode);
        let authorization = DeviceAuthorization {
            client_id: client.id,
            scopes,
            resources,
            poll_interval: POLL_INTERVAL,
            created_at: now,
            expires_at: now.after(lifetime),
        };
        let candidates = [(); CANDIDATES].map(|()| self.new_user_code());
        let digest = code.digest();
        let user_code = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    for (user_code, keyed) in candidates {
                        if device_authorizations::insert(db, &digest, &keyed, &authorization)
                            .await?
                        {
                            return Ok(user_code);
                        }
                    }
                    Err(StoreError::Conflict)
                })
            })
            .await?;
        let verification_uri = self.issuer.join(path::DEVICE);
        Ok(DeviceAuthorizationResponse {
            device_code: code.expose().to_owned(),
            verification_uri_complete: self.verification_uri_complete(&user_code),
            user_code: user_code.to_string(),
            verification_uri,
            expires_in: lifetime.as_secs(),
            interval: POLL_INTERVAL,
        })
    }

    /// The address of the page on which `user_code` is filled in already.
    #[must_use]
    pub fn verification_uri_complete(&self, user_code: &UserCode) -> String {
        format!("{}?user_code={user_code}", self.issuer.join(path::DEVICE))
    }

    /// The digest under which a user code is kept. It is keyed: the codes are few enough to be
    /// tried one by one by somebody who holds the database alone.
    pub(in crate::provider) fn user_code_digest(&self, user_code: &UserCode) -> Digest {
        let tag = self.user_code_key.tag(&[user_code.letters().as_bytes()]);
        Digest::from_stored(URL_SAFE_NO_PAD.encode(tag))
    }

    fn new_user_code(&self) -> (UserCode, Digest) {
        let user_code = UserCode::new(u64::from_ne_bytes(self.random.bytes()));
        let digest = self.user_code_digest(&user_code);
        (user_code, digest)
    }
}

/// How many user codes are drawn, of which one has to be free. With a million in use, four are
/// taken once in 10¹⁷ times.
const CANDIDATES: usize = 4;
