//! What an access token stands for, at Keyfob's own endpoints.

use crate::keys::jwt::{self, Expected, TokenType};
use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::claims::{AccessTokenClaims, OneOrMany};
use crate::oidc::client::ClientId;
use crate::oidc::grant::GrantDetails;
use crate::oidc::scope::Scopes;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::User;
use crate::provider::{InternalError, Provider};
use crate::store::grants::LiveGrant;
use crate::store::{Connection, access_tokens, clients, grants, revoked_access_tokens};

/// An access token that is good now: not expired, not revoked, of a user and a client who are
/// still allowed.
#[derive(Debug)]
pub struct LiveAccessToken {
    /// By what it can be revoked.
    pub handle: Handle,
    /// The client it was issued to.
    pub client_id: ClientId,
    /// Whom it speaks for: a user, or none for the client itself.
    pub user: Option<User>,
    /// What it allows.
    pub scopes: Scopes,
    /// What it allows in detail.
    pub authorization_details: AuthorizationDetails,
    /// What else was asked for when it was granted.
    pub details: GrantDetails,
    /// The APIs it is for.
    pub audience: OneOrMany,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// By what an access token can be revoked.
#[derive(Clone, Debug)]
pub enum Handle {
    /// A JWT, by its identifier.
    Jwt(String),
    /// An opaque token, by its digest.
    Opaque(Digest),
}

impl LiveAccessToken {
    /// What a JWT stands for whose grant is live.
    pub(super) fn of_grant(claims: AccessTokenClaims, live: LiveGrant) -> Self {
        Self {
            details: live.details,
            ..Self::of_jwt(claims, live.client_id, Some(live.user))
        }
    }

    fn of_jwt(claims: AccessTokenClaims, client_id: ClientId, user: Option<User>) -> Self {
        Self {
            handle: Handle::Jwt(claims.jti),
            client_id,
            user,
            scopes: claims.scope,
            authorization_details: claims.authorization_details,
            details: GrantDetails::default(),
            audience: claims.aud,
            issued_at: claims.iat,
            expires_at: claims.exp,
        }
    }
}

impl Provider {
    /// What `token` stands for; `None` if it is not an access token of this provider, or not a
    /// good one any more.
    pub(super) async fn find_access_token(
        &self,
        db: &mut Connection,
        token: &str,
    ) -> Result<Option<LiveAccessToken>, InternalError> {
        match Secret::parse(SecretKind::AccessToken, token) {
            Some(secret) => self.find_opaque(db, &secret.digest()).await,
            None => self.find_jwt(db, token).await,
        }
    }

    /// The claims of a JWT access token of this provider that has not expired. Whether it was
    /// revoked is another question.
    pub(super) fn read_jwt(&self, token: &str) -> Result<AccessTokenClaims, jwt::JwtError> {
        let expected = Expected {
            token_type: TokenType::AccessToken,
            issuer: self.issuer.as_str(),
            audience: None,
            now: self.clock.now(),
            check_expiry: true,
        };
        jwt::verify(&self.keyring.keyset(), token, &expected)
    }

    async fn find_jwt(
        &self,
        db: &mut Connection,
        token: &str,
    ) -> Result<Option<LiveAccessToken>, InternalError> {
        let Ok(claims) = self.read_jwt(token) else {
            return Ok(None);
        };
        if let Some(grant_id) = &claims.grant_id {
            let Ok(grant_id) = grant_id.parse() else {
                return Ok(None);
            };
            let now = self.clock.now();
            let live = grants::find_live(db, grant_id, Some(&claims.jti), now).await?;
            return Ok(live.map(|live| LiveAccessToken::of_grant(claims, live)));
        }
        let Ok(client_id) = claims.client_id.parse() else {
            return Ok(None);
        };
        let client = clients::find(db, &client_id).await?;
        let is_enabled = client.is_some_and(|client| client.is_enabled());
        if !is_enabled || revoked_access_tokens::is_revoked(db, &claims.jti).await? {
            return Ok(None);
        }
        Ok(Some(LiveAccessToken::of_jwt(claims, client_id, None)))
    }

    async fn find_opaque(
        &self,
        db: &mut Connection,
        digest: &Digest,
    ) -> Result<Option<LiveAccessToken>, InternalError> {
        let live = access_tokens::find_live(db, digest, self.clock.now()).await?;
        Ok(live.map(|live| {
            let (details, user) = match live.on_behalf_of {
                Some((grant, user)) => (grant.details, Some(user)),
                None => (GrantDetails::default(), None),
            };
            LiveAccessToken {
                handle: Handle::Opaque(digest.clone()),
                client_id: live.token.client_id,
                user,
                scopes: live.token.scopes,
                authorization_details: live.token.details,
                details,
                audience: live.token.audience.into(),
                issued_at: live.token.issued_at,
                expires_at: live.token.expires_at,
            }
        }))
    }
}
