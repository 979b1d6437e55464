//! The userinfo endpoint ([OIDC Core section 5.3], [RFC 6750 section 3]).
//!
//! [OIDC Core section 5.3]: https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
//! [RFC 6750 section 3]: https://www.rfc-editor.org/rfc/rfc6750#section-3

use serde_json::{Map, Value};

use crate::oidc::client::Client;
use crate::oidc::error::ErrorCode;
use crate::oidc::scope;
use crate::oidc::user_claims;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, clients};

/// Why a bearer of a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// No token at all.
    #[error("the request has no access token")]
    TokenMissing,
    /// A token in more than one place, in the query, or not readable.
    #[error("the access token was sent in a way that is not allowed")]
    MalformedRequest,
    /// Not a good access token of this provider.
    #[error("the access token is unknown, expired or revoked")]
    InvalidToken,
    /// A good access token for some other API.
    #[error("the access token is for another API")]
    OtherAudience,
    /// A good access token without the scope that is needed.
    #[error("the access token lacks the scope openid")]
    InsufficientScope,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl BearerError {
    /// The code that the bearer is told; none where no token was sent at all.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::TokenMissing => None,
            Self::MalformedRequest => Some(ErrorCode::InvalidRequest),
            Self::InvalidToken | Self::OtherAudience => Some(ErrorCode::InvalidToken),
            Self::InsufficientScope => Some(ErrorCode::InsufficientScope),
            Self::Internal(error) if error.is_temporary() => {
                Some(ErrorCode::TemporarilyUnavailable)
            }
            Self::Internal(_) => Some(ErrorCode::ServerError),
        }
    }
}

impl From<StoreError> for BearerError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// What the userinfo endpoint answers, and to whom.
#[derive(Debug)]
pub struct Userinfo {
    /// `sub`, the claims of the granted scopes, and those that were asked for one by one.
    pub claims: Map<String, Value>,
    /// The client whose pages may read the answer.
    pub client_id: String,
}

impl Provider {
    /// The claims of the user for whom `token` speaks, by its scopes and what
    /// was asked for beside them.
    pub async fn userinfo(&self, token: &str) -> Result<Userinfo, BearerError> {
        let mut db = self.store.read().await?;
        let token = self.find_access_token(&mut db, token).await?;
        let token = token.ok_or(BearerError::InvalidToken)?;
        if !token.scopes.contains(scope::OPENID) {
            return Err(BearerError::InsufficientScope);
        }
        if !token.audience.contains(self.issuer.as_str()) {
            return Err(BearerError::OtherAudience);
        }
        let user = token.user.ok_or(BearerError::InsufficientScope)?;
        let mut all = Map::new();
        all.insert("sub".to_owned(), user.id.to_string().into());
        all.extend(user_claims::of_scopes(&user, &token.scopes));
        all.extend(token.details.claims.userinfo.of_user(&user));
        Ok(Userinfo {
            claims: all,
            client_id: token.client_id.to_string(),
        })
    }

    /// Whether pages of `origin` may read answers that are meant for some client: whether any
    /// client is registered with it.
    pub async fn allows_origin(&self, origin: &str) -> Result<bool, InternalError> {
        let mut db = self.store.read().await?;
        let clients = clients::list(&mut db, None, u32::MAX).await?;
        let mut enabled = clients.iter().filter(|client| Client::is_enabled(client));
        Ok(enabled.any(|client| client.allows_origin(origin)))
    }
}
