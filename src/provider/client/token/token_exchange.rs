//! Token exchange ([RFC 8693 section 2]): what is presented is looked up like anywhere else, and
//! `oidc::token_exchange` decides what comes of it.
//!
//! The new token hangs on the grant of the subject's token and ends with it: with its revocation,
//! with the user, with the client that the user once allowed, and no later than the token that it
//! was exchanged for. It is not refreshed.
//!
//! [RFC 8693 section 2]: https://www.rfc-editor.org/rfc/rfc8693#section-2

use crate::keys::jwt::{self, Expected};
use crate::oidc::claims::{IdTokenClaims, OneOrMany};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::secret::{Secret, SecretKind};
use crate::oidc::session::SessionId;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_exchange::{
    Exchange, KnownToken, PresentedToken, TokenExchangeRequest, TokenType, decide,
};
use crate::oidc::token_response::TokenResponse;
use crate::provider::client::dpop::Sender;
use crate::provider::{InternalError, Provider};
use crate::store::grants::GrantWithParties;
use crate::store::{Connection, Lease, access_tokens, grants};

use super::issue::{Access, Subject};
use super::{TokenError, admit_user};

/// A presented token that is good.
struct GoodToken {
    known: KnownToken,
    expires_at: Timestamp,
    /// What it hangs on; nothing, of a client's own.
    grant: Option<GrantWithParties>,
}

impl Provider {
    /// Exchanges a token for one with which `client` acts for the same user elsewhere.
    pub(super) async fn exchange_token(
        &self,
        mut db: Lease,
        client: &Client,
        request: TokenExchangeRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        if !client.is_confidential() {
            return Err(TokenError::PublicClient);
        }
        let subject = self
            .find_presented(&mut db, &request.subject, sender)
            .await?;
        let subject = subject.ok_or(TokenError::UnknownSubjectToken)?;
        let actor = match &request.actor {
            None => None,
            Some(presented) => {
                let actor = self.find_presented(&mut db, presented, sender).await?;
                Some(actor.ok_or(TokenError::UnknownActorToken)?.known)
            }
        };
        drop(db);
        let exchange = decide(
            client,
            &self.policy.apis,
            request.targets,
            request.scopes.as_ref(),
            &subject.known,
            actor.as_ref(),
        )?;
        let granted = subject.grant.ok_or(TokenError::SubjectWithoutUser)?;
        admit_user(client, &granted.user).map_err(|_| TokenError::SubjectNotAdmitted)?;

        let confirmation = self.bind(client, sender).await?;
        let now = self.clock.now();
        let grant = &granted.grant;
        let speaks_for = Subject::Exchanged {
            grant,
            exchange: &exchange,
            until: subject.expires_at.min(grant.expires_at),
        };
        let access = self.exchanged_access(&exchange);
        let scopes = access.scopes().clone();
        let mut access_token =
            self.make_access_token(client, speaks_for, access, &confirmation, now)?;
        if let Some((digest, record)) = access_token.record.take() {
            self.store
                .write(move |db| {
                    Box::pin(async move { access_tokens::insert(db, &digest, &record).await })
                })
                .await?;
        }
        tracing::info!(
            client.id = %client.id, subject = %grant.user_id, grant.id = %grant.id,
            issued.to = subject.known.client_id,
            actor = exchange.actor.as_ref().map(|actor| &*actor.sub),
            audience = exchange.audience.join(" "), scope = %scopes,
            "token exchanged"
        );
        let mut response = access_token.respond(None, None);
        response.issued_token_type = Some(TokenType::AccessToken.as_str());
        Ok(response)
    }

    /// What the new token allows: of an API, what belongs to it.
    fn exchanged_access(&self, exchange: &Exchange) -> Access {
        let access = Access::from(exchange.scopes.clone());
        match exchange.audience.as_slice() {
            [target] => match self.policy.apis.get(target) {
                Some(api) => access.at(target, api.into_owned()),
                None => access,
            },
            _ => access,
        }
    }

    /// What a presented token stands for; `None` if it is not good, or not what it is said to be.
    async fn find_presented(
        &self,
        db: &mut Connection,
        presented: &PresentedToken,
        sender: &Sender,
    ) -> Result<Option<GoodToken>, InternalError> {
        let token = presented.token.as_str();
        match presented.token_type {
            TokenType::IdToken => self.find_id_token(db, token).await,
            TokenType::Jwt if Secret::parse(SecretKind::AccessToken, token).is_some() => Ok(None),
            TokenType::AccessToken | TokenType::Jwt => self.find_access(db, token, sender).await,
        }
    }

    async fn find_access(
        &self,
        db: &mut Connection,
        token: &str,
        sender: &Sender,
    ) -> Result<Option<GoodToken>, InternalError> {
        let live = self.find_access_token(db, token).await?;
        // A token that is bound to a key is good only for who holds it, here too.
        let live = live.filter(|live| sender.holds(&live.confirmation));
        let Some(live) = live else { return Ok(None) };
        let grant = match live.grant_id {
            Some(id) => grants::find(db, id).await?,
            None => None,
        };
        Ok(Some(GoodToken {
            known: KnownToken {
                sub: live.subject,
                client_id: live.client_id.to_string(),
                audience: live.audience,
                scopes: live.scopes,
                actor: live.actor,
            },
            expires_at: live.expires_at,
            grant,
        }))
    }

    /// What an ID token stands for: it names its session and its client, and so its grant, which
    /// says what it allows.
    async fn find_id_token(
        &self,
        db: &mut Connection,
        token: &str,
    ) -> Result<Option<GoodToken>, InternalError> {
        let now = self.clock.now();
        let expected = Expected {
            token_type: jwt::TokenType::IdToken,
            issuer: self.issuer.as_str(),
            audience: None,
            now,
            check_expiry: true,
        };
        let claims = jwt::verify::<IdTokenClaims>(&self.keyring.keyset(), token, &expected);
        let Ok(claims) = claims else { return Ok(None) };
        let (session, client) = (claims.sid.parse(), claims.aud.parse());
        let (Ok(session_id), Ok(client_id)): (Result<SessionId, _>, Result<ClientId, _>) =
            (session, client)
        else {
            return Ok(None);
        };
        let granted = grants::find_of_session(db, session_id, &client_id).await?;
        let Some(granted) = granted.filter(|granted| granted.is_live(now)) else {
            return Ok(None);
        };
        Ok(Some(GoodToken {
            known: KnownToken {
                sub: claims.sub,
                client_id: claims.aud.clone(),
                audience: OneOrMany::One(claims.aud),
                scopes: granted.grant.scopes.clone(),
                actor: None,
            },
            expires_at: claims.exp,
            grant: Some(granted),
        }))
    }
}
