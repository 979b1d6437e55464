//! The token endpoint ([RFC 6749 section 3.2]): phases that all grants share, and a file for what
//! each has of its own.
//!
//! [RFC 6749 section 3.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.2

mod authorization_code;
mod client_credentials;
mod device_code;
pub(in crate::provider) mod issue;
mod jwt_bearer;
mod refresh_token;
mod token_exchange;

use authorization_code::find_code;
use device_code::find_device_code;
use refresh_token::find_refresh_token;

use crate::oidc::api::InvalidTarget;
use crate::oidc::authorization_details::AuthorizationDetailsError;
use crate::oidc::client::Client;
use crate::oidc::client_authentication::ClientCredentials;
use crate::oidc::error::ErrorCode;
use crate::oidc::grant_type::GrantType;
use crate::oidc::token_exchange::ExchangeRefusal;
use crate::oidc::token_request::TokenRequest;
use crate::oidc::token_response::TokenResponse;
use crate::oidc::user::User;
use crate::oidc::workload_identity::AssertionError;
use crate::provider::client::client_authentication::{Caller, ClientAuthenticationError};
use crate::provider::client::dpop::{Sender, SenderError};
use crate::provider::client::signed_by_client::ClientJwtError;
use crate::provider::issuer_discovery::DiscoveryError;
use crate::provider::{InternalError, Provider};
use crate::store::{Connection, StoreError};

/// Why no token is issued, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The client did not authenticate.
    #[error(transparent)]
    Client(ClientAuthenticationError),
    /// The client is not registered for this grant.
    #[error("the client is not registered for this grant_type")]
    GrantTypeNotAllowed,
    /// The grant is not for clients that cannot keep a secret.
    #[error("a public client cannot act as itself")]
    PublicClient,
    /// No such code was issued, or it has been forgotten.
    #[error("the code is unknown")]
    UnknownCode,
    /// The code was issued to another client.
    #[error("the code was issued to another client")]
    CodeOfAnotherClient,
    /// The code has been used before; all that it earned is revoked.
    #[error("the code was presented again, and what it earned is revoked")]
    ReplayedCode,
    /// The code has expired.
    #[error("the code has expired")]
    ExpiredCode,
    /// The redirect URI is not that of the authorization request.
    #[error("the redirect_uri is not that of the authorization request")]
    RedirectUriDiffers,
    /// No redirect URI, though nothing else binds the code to the request.
    #[error("the redirect_uri is missing")]
    RedirectUriMissing,
    /// No verifier, though the authorization request had a challenge.
    #[error("the code_verifier is missing")]
    VerifierMissing,
    /// The verifier does not answer the challenge.
    #[error("the code_verifier does not answer the challenge")]
    VerifierMismatch,
    /// A verifier, though the authorization request had no challenge.
    #[error("a code_verifier came for a request without a challenge")]
    VerifierUnexpected,
    /// No such refresh token was issued, or it has been forgotten.
    #[error("the refresh token is unknown")]
    UnknownRefreshToken,
    /// The refresh token was issued to another client.
    #[error("the refresh token was issued to another client")]
    RefreshTokenOfAnotherClient,
    /// The refresh token was used before; its whole family is revoked.
    #[error("the refresh token was used again, and its family is revoked")]
    ReusedRefreshToken,
    /// The refresh token was retried more often than any client has to.
    #[error("the refresh token was retried too often")]
    TooManyRetries,
    /// The refresh token has expired.
    #[error("the refresh token has expired")]
    ExpiredRefreshToken,
    /// No such device code was issued, or it has been forgotten.
    #[error("the device code is unknown")]
    UnknownDeviceCode,
    /// The device code was issued to another client.
    #[error("the device code was issued to another client")]
    DeviceCodeOfAnotherClient,
    /// The device code has been used before.
    #[error("the device code was presented again")]
    UsedDeviceCode,
    /// The device code has expired.
    #[error("the device code has expired")]
    ExpiredDeviceCode,
    /// The person said no.
    #[error("the person refused the device")]
    DeviceDenied,
    /// Nobody has answered yet.
    #[error("nobody has answered the device yet")]
    AuthorizationPending,
    /// Nobody has answered yet, and the device asks too often.
    #[error("the device asks too often")]
    SlowDown,
    /// What the sender shows is not enough.
    #[error(transparent)]
    Sender(SenderError),
    /// The code or refresh token is bound to another key than the sender's.
    #[error("the code or the refresh token is bound to another key")]
    OtherKey,
    /// The token to exchange is no good token of Keyfob's, or not of the type that it is said to be.
    #[error("the subject_token is unknown, expired, revoked or of another type")]
    UnknownSubjectToken,
    /// The token to exchange speaks of no user.
    #[error("the subject_token speaks of no user")]
    SubjectWithoutUser,
    /// The user of the token to exchange may not be spoken for to the client.
    #[error("the user of the subject_token is in none of the client's groups")]
    SubjectNotAdmitted,
    /// The token of who acts is no good token of Keyfob's, or not of the type that it is said to be.
    #[error("the actor_token is unknown, expired, revoked or of another type")]
    UnknownActorToken,
    /// The client's policy does not allow the exchange.
    #[error(transparent)]
    Exchange(#[from] ExchangeRefusal),
    /// No issuer that the operator trusts.
    #[error("the assertion is of no trusted issuer")]
    UntrustedIssuer,
    /// It is not known where the keys of the issuer are.
    #[error("the issuer's keys cannot be found: {0}")]
    Discovery(#[from] DiscoveryError),
    /// The assertion is not a JWT that its issuer signed.
    #[error("the assertion: {0}")]
    UnsignedAssertion(ClientJwtError),
    /// The issuer signed the assertion, and it says the wrong things.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// The assertion has been used before.
    #[error("the assertion was used before")]
    ReplayedAssertion,
    /// The grant has been revoked, or has come to its end.
    #[error("the grant has been revoked or has expired")]
    GrantEnded,
    /// The user is disabled.
    #[error("the user is disabled")]
    UserDisabled,
    /// The user is in none of the client's groups any more.
    #[error("the user is in none of the client's groups")]
    NotInGroup,
    /// More than was granted, or what this grant cannot give.
    #[error("the scope is more than can be granted")]
    InvalidScope,
    /// A `resource` that was not granted, or not one where one is needed.
    #[error(transparent)]
    InvalidTarget(#[from] InvalidTarget),
    /// Details that cannot be granted.
    #[error(transparent)]
    Details(#[from] AuthorizationDetailsError),
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl TokenError {
    /// The code that the client is told ([RFC 6749 section 5.2]).
    ///
    /// [RFC 6749 section 5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Client(error) => error.code(),
            Self::GrantTypeNotAllowed | Self::PublicClient => ErrorCode::UnauthorizedClient,
            // It is not the workload's fault, and passes.
            Self::Discovery(_) | Self::UnsignedAssertion(ClientJwtError::Jwks(_)) => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::UnknownCode
            | Self::CodeOfAnotherClient
            | Self::ReplayedCode
            | Self::ExpiredCode
            | Self::RedirectUriDiffers
            | Self::RedirectUriMissing
            | Self::VerifierMissing
            | Self::VerifierMismatch
            | Self::VerifierUnexpected
            | Self::UnknownRefreshToken
            | Self::RefreshTokenOfAnotherClient
            | Self::ReusedRefreshToken
            | Self::TooManyRetries
            | Self::ExpiredRefreshToken
            | Self::UnknownDeviceCode
            | Self::DeviceCodeOfAnotherClient
            | Self::UsedDeviceCode
            | Self::UntrustedIssuer
            | Self::UnsignedAssertion(_)
            | Self::Assertion(_)
            | Self::ReplayedAssertion
            | Self::GrantEnded
            | Self::OtherKey
            | Self::UserDisabled
            | Self::NotInGroup => ErrorCode::InvalidGrant,
            Self::ExpiredDeviceCode => ErrorCode::ExpiredToken,
            Self::DeviceDenied => ErrorCode::AccessDenied,
            Self::AuthorizationPending => ErrorCode::AuthorizationPending,
            Self::SlowDown => ErrorCode::SlowDown,
            Self::Sender(error) => error.code(),
            // RFC 8693 section 2.2.2: not invalid_grant.
            Self::UnknownSubjectToken
            | Self::SubjectWithoutUser
            | Self::SubjectNotAdmitted
            | Self::UnknownActorToken => ErrorCode::InvalidRequest,
            Self::Exchange(refusal) => match refusal {
                ExchangeRefusal::SubjectOfAnotherClient
                | ExchangeRefusal::ActorOfAnotherClient
                | ExchangeRefusal::ImpersonationNotAllowed
                | ExchangeRefusal::TooManyActors => ErrorCode::InvalidRequest,
                ExchangeRefusal::TargetNotAllowed => ErrorCode::InvalidTarget,
                ExchangeRefusal::ScopeNotAllowed => ErrorCode::InvalidScope,
            },
            Self::InvalidScope => ErrorCode::InvalidScope,
            Self::InvalidTarget(_) => ErrorCode::InvalidTarget,
            Self::Details(_) => ErrorCode::InvalidAuthorizationDetails,
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl From<ClientAuthenticationError> for TokenError {
    fn from(error: ClientAuthenticationError) -> Self {
        match error {
            ClientAuthenticationError::Internal(error) => Self::Internal(error),
            refusal => Self::Client(refusal),
        }
    }
}

impl From<ClientJwtError> for TokenError {
    fn from(error: ClientJwtError) -> Self {
        match error {
            ClientJwtError::Internal(error) => Self::Internal(error),
            refusal => Self::UnsignedAssertion(refusal),
        }
    }
}

impl From<SenderError> for TokenError {
    fn from(error: SenderError) -> Self {
        match error {
            SenderError::Internal(error) => Self::Internal(error),
            refusal => Self::Sender(refusal),
        }
    }
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl Provider {
    /// Answers the token endpoint.
    pub async fn token(
        &self,
        credentials: ClientCredentials,
        request: TokenRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        let caller = self.meet(&credentials).await?;
        let mut db = self.store.read().await?;
        let grant_type = request.grant_type();
        // Each in a place of its own, so that no request carries the room for the largest.
        match request {
            TokenRequest::AuthorizationCode(request) => {
                let issued = find_code(&mut db, &request).await?;
                let owner = issued.as_ref().map(|issued| &issued.grant.client);
                let client = self.admit(&mut db, &caller, owner, grant_type).await?;
                drop(db);
                let issued = issued.ok_or(TokenError::UnknownCode)?;
                Box::pin(self.exchange_code(&client, issued, request, sender)).await
            }
            TokenRequest::RefreshToken(request) => {
                let presented = find_refresh_token(&mut db, &request).await?;
                let owner = presented.as_ref().map(|(_, issued)| &issued.grant.client);
                let client = self.admit(&mut db, &caller, owner, grant_type).await?;
                drop(db);
                let (token, issued) = presented.ok_or(TokenError::UnknownRefreshToken)?;
                Box::pin(self.refresh(&client, &token, issued, request, sender)).await
            }
            TokenRequest::ClientCredentials(request) => {
                let client = self.admit(&mut db, &caller, None, grant_type).await?;
                drop(db);
                self.act_as_itself(&client, request, sender).await
            }
            TokenRequest::DeviceCode(request) => {
                let presented = find_device_code(&mut db, &request).await?;
                let owner = presented.as_ref().map(|(_, found)| &found.client);
                let client = self.admit(&mut db, &caller, owner, grant_type).await?;
                drop(db);
                let (code, found) = presented.ok_or(TokenError::UnknownDeviceCode)?;
                let digest = code.digest();
                Box::pin(self.redeem_device_code(&client, digest, found, &request, sender)).await
            }
            TokenRequest::TokenExchange(request) => {
                let client = self.admit(&mut db, &caller, None, grant_type).await?;
                Box::pin(self.exchange_token(db, &client, request, sender)).await
            }
            TokenRequest::JwtBearer(request) => {
                let client = self.admit(&mut db, &caller, None, grant_type).await?;
                drop(db);
                Box::pin(self.act_as_workload(&client, &request, sender)).await
            }
        }
    }

    /// The client that asks, if it is who it says it is and may use this grant at all. The owner
    /// of what it presents has been read already, and is most often the one that asks.
    async fn admit(
        &self,
        db: &mut Connection,
        caller: &Caller<'_>,
        owner: Option<&Client>,
        grant_type: GrantType,
    ) -> Result<Client, TokenError> {
        let client = match owner {
            Some(owner) if owner.id.as_str() == caller.client_id() => {
                self.verify(Some(owner.clone()), caller)?
            }
            _ => self.authenticate(db, caller).await?,
        };
        if !client.metadata.grant_types.contains(grant_type) {
            return Err(TokenError::GrantTypeNotAllowed);
        }
        Ok(client)
    }
}

/// Whether `user` may still be spoken for to `client`.
fn admit_user(client: &Client, user: &User) -> Result<(), TokenError> {
    if !user.is_enabled() {
        return Err(TokenError::UserDisabled);
    }
    if !user.is_in_one_of(&client.metadata.allowed_groups) {
        return Err(TokenError::NotInGroup);
    }
    Ok(())
}
