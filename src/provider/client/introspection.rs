//! The introspection endpoint ([RFC 7662]), and its answers as JWTs ([RFC 9701]).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use serde::Serialize;

use crate::keys::jwt::TokenType;
use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::claims::{AccessTokenClaims, OneOrMany};
use crate::oidc::client::Client;
use crate::oidc::client_authentication::ClientCredentials;
use crate::oidc::confirmation::Confirmation;
use crate::oidc::grant::GrantId;
use crate::oidc::protected_response::{IntrospectionClaims, IntrospectionForm, Protection};
use crate::oidc::scope::Scopes;
use crate::oidc::secret::{Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_exchange::Actor;
use crate::oidc::user::User;
use crate::provider::client::access_token::{Handle, LiveAccessToken};
use crate::provider::client::client_authentication::ClientAuthenticationError;
use crate::provider::client::protected_response::Answer;
use crate::provider::{InternalError, Provider};
use crate::store::{Connection, grants, refresh_tokens};

/// What an API learns about a token ([RFC 7662 section 2.2]): of one that is not good, or not for
/// it, only that it is not active.
///
/// [RFC 7662 section 2.2]: https://www.rfc-editor.org/rfc/rfc7662#section-2.2
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "each member is documented in RFC 7662 section 2.2, RFC 8693 or RFC 9470 under its name"
)]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub scope: Scopes,
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<OneOrMany>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    #[serde(skip_serializing_if = "Confirmation::is_empty")]
    pub cnf: Confirmation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

impl Provider {
    /// Tells an authenticated client about a token that was issued to it or is for it.
    pub async fn introspect(
        &self,
        credentials: &ClientCredentials,
        token: &str,
        form: IntrospectionForm,
    ) -> Result<Answer<Introspection>, ClientAuthenticationError> {
        let (client, introspection) = self.look_into(credentials, token).await?;
        if form == IntrospectionForm::Json {
            return Ok(Answer::Json(introspection));
        }
        let claims = IntrospectionClaims {
            iss: self.issuer.as_str(),
            aud: client.id.as_str(),
            iat: self.clock.now(),
            token_introspection: &introspection,
        };
        let protection = Protection::of_introspection(&client.metadata);
        let content = self.sign_content(protection, Some(TokenType::Introspection), &claims)?;
        let jwt = self.encrypt_content(&client, protection, content).await?;
        Ok(Answer::Jwt(jwt))
    }

    /// The client that asks, and what it may know of a token.
    async fn look_into(
        &self,
        credentials: &ClientCredentials,
        token: &str,
    ) -> Result<(Client, Introspection), ClientAuthenticationError> {
        let caller = self.meet(credentials).await?;
        let mut db = self.store.read().await.map_err(InternalError::from)?;
        if let Some((claims, grant_id)) = self.read_jwt_of_grant(token) {
            let caller_id = caller.client_id().parse();
            let caller_id = caller_id.map_err(|_| ClientAuthenticationError::UnknownClient)?;
            let (jti, now) = (&claims.jti, self.clock.now());
            let found =
                grants::find_live_with_caller(&mut db, &caller_id, grant_id, jti, now).await;
            let (client, live) = found.map_err(InternalError::from)?.unzip();
            let client = self.verify(client, &caller)?;
            if !client.is_confidential() {
                return Err(ClientAuthenticationError::SecretMissing);
            }
            let live = live.flatten();
            let token = match live {
                Some(live) => self.find_of_grant(&mut db, claims, live).await?,
                None => None,
            };
            let told = self.tell(&client, token);
            return Ok((client, told));
        }
        let client = self.authenticate(&mut db, &caller).await?;
        if !client.is_confidential() {
            return Err(ClientAuthenticationError::SecretMissing);
        }
        if let Some(secret) = Secret::parse(SecretKind::RefreshToken, token) {
            let told = self.introspect_refresh_token(&mut db, &client, &secret);
            let told = told.await?;
            return Ok((client, told));
        }
        let token = self.find_access_token(&mut db, token).await?;
        let told = self.tell(&client, token);
        Ok((client, told))
    }

    /// The claims of a JWT that hangs on a grant, and that grant.
    fn read_jwt_of_grant(&self, token: &str) -> Option<(AccessTokenClaims, GrantId)> {
        let claims = self.read_jwt(token).ok()?;
        let grant_id = claims.grant_id.as_ref()?.parse().ok()?;
        Some((claims, grant_id))
    }

    /// What `client` learns about an access token.
    fn tell(&self, client: &Client, token: Option<LiveAccessToken>) -> Introspection {
        let id = client.id.as_str();
        let is_for_caller = |token: &LiveAccessToken| {
            token.client_id == client.id
                || token.audience.contains(id)
                || self.policy.apis.are_introspected_by(id, &token.audience)
        };
        let Some(token) = token.filter(is_for_caller) else {
            return Introspection::default();
        };
        Introspection {
            active: true,
            scope: token.scopes,
            authorization_details: token.authorization_details,
            username: token.user.and_then(|user| username(&user, &token.subject)),
            token_type: Some(token.confirmation.token_type()),
            cnf: token.confirmation,
            exp: Some(token.expires_at),
            iat: Some(token.issued_at),
            auth_time: token.auth_time,
            acr: token.acr,
            amr: token.amr,
            sub: Some(token.subject),
            client_id: Some(token.client_id.to_string()),
            aud: Some(token.audience),
            iss: Some(self.issuer.to_string()),
            act: token.actor,
            jti: match token.handle {
                Handle::Jwt(jti) => Some(jti),
                Handle::Opaque(_) => None,
            },
        }
    }

    async fn introspect_refresh_token(
        &self,
        db: &mut Connection,
        client: &Client,
        token: &Secret,
    ) -> Result<Introspection, InternalError> {
        let now = self.clock.now();
        let issued = refresh_tokens::find_with_grant(db, &token.digest()).await?;
        let live = issued.filter(|issued| {
            issued.grant.grant.client_id == client.id
                && issued.grant.revoked_at.is_none()
                && issued.token.rotated_at.is_none()
                && issued.token.expires_at > now
                && issued.grant.user.is_enabled()
        });
        let Some(issued) = live else {
            return Ok(Introspection::default());
        };
        let subject = self.subject(client, issued.grant.user.id);
        Ok(Introspection {
            active: true,
            scope: issued.grant.grant.scopes,
            authorization_details: issued.grant.grant.details.authorization_details,
            client_id: Some(client.id.to_string()),
            username: username(&issued.grant.user, &subject),
            exp: Some(issued.token.expires_at),
            cnf: issued.token.confirmation,
            iat: Some(issued.token.issued_at),
            sub: Some(subject),
            iss: Some(self.issuer.to_string()),
            ..Introspection::default()
        })
    }
}

/// The name that `user` signs in with: not for who has a subject of its own for them, and so is
/// not to know what everybody calls them.
fn username(user: &User, subject: &str) -> Option<String> {
    (user.id.to_string() == subject).then(|| user.username.to_string())
}
