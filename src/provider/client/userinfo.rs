//! The userinfo endpoint ([OIDC Core section 5.3], [RFC 6750 section 3]).
//!
//! [OIDC Core section 5.3]: https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
//! [RFC 6750 section 3]: https://www.rfc-editor.org/rfc/rfc6750#section-3

use serde_json::{Map, Value};

use crate::oidc::client::{Client, ClientId};
use crate::oidc::confirmation::Confirmation;
use crate::oidc::dpop::DpopError;
use crate::oidc::error::ErrorCode;
use crate::oidc::profile::Profile;
use crate::oidc::protected_response::UserinfoClaims;
use crate::oidc::scope;
use crate::oidc::user_claims;
use crate::provider::client::dpop::{Sender, SenderError};
use crate::provider::client::protected_response::Answer;
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
    /// The DPoP proof that came with the token is wrong.
    #[error(transparent)]
    Proof(#[from] DpopError),
    /// A token that is bound to a key, sent without a proof of it; or one that is not, sent as if.
    #[error("the access token is bound to a key that the sender does not show")]
    NotBound,
    /// A token that is bound to a certificate, sent by who shows another or none.
    #[error("the access token is bound to a certificate that the sender does not show")]
    OtherCertificate,
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
            Self::Proof(error) => Some(error.code()),
            Self::InvalidToken | Self::OtherAudience | Self::NotBound | Self::OtherCertificate => {
                Some(ErrorCode::InvalidToken)
            }
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

/// How an access token was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// By whoever has it ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    Bearer,
    /// With a proof ([RFC 9449 section 7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).
    Dpop,
}

/// What the userinfo endpoint answers, and to whom.
#[derive(Debug)]
pub struct Userinfo {
    /// `sub`, the claims of the granted scopes, and those that were asked for one by one.
    pub answer: Answer<Map<String, Value>>,
    /// The client whose pages may read the answer.
    pub client_id: String,
}

impl Provider {
    /// The claims of the user for whom `token` speaks, by its scopes and what
    /// was asked for beside them.
    pub async fn userinfo(
        &self,
        token: &str,
        scheme: Scheme,
        sender: &Sender,
    ) -> Result<Userinfo, BearerError> {
        let mut db = self.store.read().await?;
        let token = self.find_access_token(&mut db, token).await?;
        drop(db);
        let token = token.ok_or(BearerError::InvalidToken)?;
        self.keep_profile(&token.client_id, sender).await?;
        self.confirm(&token.confirmation, scheme, sender).await?;
        if !token.audience.contains(self.issuer.as_str()) {
            return Err(BearerError::OtherAudience);
        }
        if !token.scopes.contains(scope::OPENID) {
            return Err(BearerError::InsufficientScope);
        }
        let user = token.user.ok_or(BearerError::InsufficientScope)?;
        let mut all = Map::new();
        all.insert("sub".to_owned(), user.id.to_string().into());
        all.extend(user_claims::of_scopes(&user, &token.scopes));
        all.extend(token.details.claims.userinfo.of_user(&user));
        let answer = if token.userinfo.is_none() {
            Answer::Json(all)
        } else {
            let claims = UserinfoClaims {
                iss: self.issuer.as_str(),
                aud: token.client_id.as_str(),
                user: &all,
            };
            let content = self.sign_content(token.userinfo, None, &claims)?;
            let encrypted = self.encrypt_content_for(&token.client_id, token.userinfo, content);
            Answer::Jwt(encrypted.await?)
        };
        Ok(Userinfo {
            answer,
            client_id: token.client_id.to_string(),
        })
    }

    /// Checks that the proof of a sender is signed as the profile of the token's client has it. Most
    /// are signed as every profile has it, and then the client is not even read.
    async fn keep_profile(&self, id: &ClientId, sender: &Sender) -> Result<(), BearerError> {
        if sender.keeps(Profile::Fapi2).is_ok() {
            return Ok(());
        }
        let mut db = self.store.read().await?;
        let client = clients::find(&mut db, id).await?;
        let client = client.ok_or(BearerError::InvalidToken)?;
        Ok(sender.keeps(client.metadata.profile)?)
    }

    /// Checks that a token comes from whoever holds the keys that it is bound to
    /// ([RFC 9449 section 7.1], [RFC 8705 section 3]).
    ///
    /// [RFC 8705 section 3]: https://www.rfc-editor.org/rfc/rfc8705#section-3
    /// [RFC 9449 section 7.1]: https://www.rfc-editor.org/rfc/rfc9449#section-7.1
    async fn confirm(
        &self,
        wanted: &Confirmation,
        scheme: Scheme,
        sender: &Sender,
    ) -> Result<(), BearerError> {
        let is_dpop = scheme == Scheme::Dpop;
        if is_dpop != wanted.jkt.is_some() {
            return Err(BearerError::NotBound);
        }
        if !sender.holds(wanted) {
            return Err(match &wanted.jkt {
                Some(_) => BearerError::NotBound,
                None => BearerError::OtherCertificate,
            });
        }
        match self.use_proof(sender).await {
            Ok(()) => Ok(()),
            Err(SenderError::Proof(error)) => Err(error.into()),
            Err(SenderError::Internal(error)) => Err(error.into()),
            Err(SenderError::ProofMissing | SenderError::CertificateMissing) => {
                Err(BearerError::NotBound)
            }
        }
    }

    /// Whether pages of `origin` may read answers that are meant for some client: whether any
    /// client is registered with it.
    pub async fn allows_origin(&self, origin: &str) -> Result<bool, InternalError> {
        // There may be many that registered themselves: those that cannot be meant stay in the
        // database, and the first that is meant is enough.
        let url = url::Url::parse(origin).ok();
        let Some(host) = url.as_ref().and_then(url::Url::host_str) else {
            return Ok(false);
        };
        let mut db = self.store.read().await?;
        let mut after = None;
        loop {
            let page = clients::list_mentioning(&mut db, host, after.as_ref(), PAGE).await?;
            let is_meant = |client: &Client| client.is_enabled() && client.allows_origin(origin);
            if page.iter().any(is_meant) {
                return Ok(true);
            }
            let is_full = u32::try_from(page.len()) == Ok(PAGE);
            match page.last().filter(|_| is_full) {
                Some(last) => after = Some(last.id.clone()),
                None => return Ok(false),
            }
        }
    }
}

/// How many clients are looked at in one go.
const PAGE: u32 = 50;
