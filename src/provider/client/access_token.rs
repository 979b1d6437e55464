//! What an access token stands for, at Keyfob's own endpoints.

use crate::keys::jwt::{self, Expected, TokenType};
use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::claims::{AccessTokenClaims, OneOrMany};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::confirmation::Confirmation;
use crate::oidc::grant::{GrantDetails, GrantId};
use crate::oidc::protected_response::Protection;
use crate::oidc::scope::Scopes;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_exchange::Actor;
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
    /// The grant it hangs on, of a user's.
    pub grant_id: Option<GrantId>,
    /// Who acts for the user, in a token that came of an exchange.
    pub actor: Option<Actor>,
    /// What it allows.
    pub scopes: Scopes,
    /// What it allows in detail.
    pub authorization_details: AuthorizationDetails,
    /// What else was asked for when it was granted; nothing, where it came of an exchange: the
    /// client that holds it asked for nothing.
    pub details: GrantDetails,
    /// The APIs it is for.
    pub audience: OneOrMany,
    /// The keys that it is bound to.
    pub confirmation: Confirmation,
    /// How the client wants to be told of the user.
    pub userinfo: Protection,
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
    fn of_jwt(claims: AccessTokenClaims, client_id: ClientId, user: Option<User>) -> Self {
        Self {
            handle: Handle::Jwt(claims.jti),
            client_id,
            user,
            grant_id: claims.grant_id.and_then(|id| id.parse().ok()),
            actor: claims.act,
            scopes: claims.scope,
            authorization_details: claims.authorization_details,
            details: GrantDetails::default(),
            audience: claims.aud,
            confirmation: claims.cnf,
            userinfo: Protection::default(),
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
            return match live {
                Some(live) => self.find_of_grant(db, claims, live).await,
                None => Ok(None),
            };
        }
        let Some(client) = enabled_client(db, &claims.client_id).await? else {
            return Ok(None);
        };
        if revoked_access_tokens::is_revoked(db, &claims.jti).await? {
            return Ok(None);
        }
        Ok(Some(LiveAccessToken::of_jwt(claims, client.id, None)))
    }

    /// What a JWT stands for whose grant is live. Of one that was exchanged, the client that holds
    /// it is another than the grant's, and has to be enabled, too.
    pub(super) async fn find_of_grant(
        &self,
        db: &mut Connection,
        claims: AccessTokenClaims,
        live: LiveGrant,
    ) -> Result<Option<LiveAccessToken>, InternalError> {
        if claims.client_id == live.client_id.as_str() {
            return Ok(Some(LiveAccessToken {
                details: live.details,
                userinfo: live.userinfo,
                ..LiveAccessToken::of_jwt(claims, live.client_id, Some(live.user))
            }));
        }
        let holder = enabled_client(db, &claims.client_id).await?;
        Ok(holder.map(|holder| LiveAccessToken {
            userinfo: Protection::of_userinfo(&holder.metadata),
            ..LiveAccessToken::of_jwt(claims, holder.id, Some(live.user))
        }))
    }

    async fn find_opaque(
        &self,
        db: &mut Connection,
        digest: &Digest,
    ) -> Result<Option<LiveAccessToken>, InternalError> {
        let live = access_tokens::find_live(db, digest, self.clock.now()).await?;
        let Some(live) = live else { return Ok(None) };
        let (grant, user) = live.on_behalf_of.unzip();
        let grant_id = grant.as_ref().map(|grant| grant.id);
        let own = grant.filter(|grant| grant.client_id == live.token.client_id);
        Ok(Some(LiveAccessToken {
            handle: Handle::Opaque(digest.clone()),
            client_id: live.token.client_id,
            user,
            grant_id,
            actor: live.token.actor,
            scopes: live.token.scopes,
            authorization_details: live.token.details,
            details: own.map_or_else(GrantDetails::default, |grant| grant.details),
            audience: live.token.audience.into(),
            confirmation: live.token.confirmation,
            userinfo: Protection::of_userinfo(&live.client.metadata),
            issued_at: live.token.issued_at,
            expires_at: live.token.expires_at,
        }))
    }
}

/// The client of this identifier, if it may be used.
async fn enabled_client(
    db: &mut Connection,
    client_id: &str,
) -> Result<Option<Client>, InternalError> {
    let Ok(client_id) = client_id.parse() else {
        return Ok(None);
    };
    let client = clients::find(db, &client_id).await?;
    Ok(client.filter(Client::is_enabled))
}
