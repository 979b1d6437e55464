//! The authorization code grant ([RFC 6749 section 4.1.3], [RFC 7636 section 4.6]).
//!
//! Read, check, mint, and only then one unit of work that consumes the code and stores what it
//! earns. So a wrong verifier does not burn the code, a signer that fails does not either, and a
//! crash leaves both or neither.
//!
//! [RFC 6749 section 4.1.3]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
//! [RFC 7636 section 4.6]: https://www.rfc-editor.org/rfc/rfc7636#section-4.6

use crate::oidc::client::Client;
use crate::oidc::confirmation::Confirmation;
use crate::oidc::grant::{AuthorizationCode, Grant, GrantId, RefreshToken, gets_refresh_token};
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_request::AuthorizationCodeRequest;
use crate::oidc::token_response::TokenResponse;
use crate::provider::Provider;
use crate::provider::client::dpop::Sender;
use crate::store::authorization_codes::{self, Consumption, PresentedCode};
use crate::store::grants::GrantWithParties;
use crate::store::{Connection, StoreError, access_tokens, grants, refresh_tokens};

use super::issue::{Access, Subject};
use super::{TokenError, admit_user};

impl Provider {
    /// Exchanges a code for tokens.
    pub(super) async fn exchange_code(
        &self,
        client: &Client,
        issued: PresentedCode,
        request: AuthorizationCodeRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        let digest = Digest::of(&request.code);
        let now = self.clock.now();
        if let Err(error) = check(&request, &issued, client, sender, now) {
            return self.punish(error, digest, issued.grant.grant.id, now).await;
        }

        let GrantWithParties { grant, user, .. } = issued.grant;
        let access = Access::new(
            grant.scopes.clone(),
            grant
                .details
                .authorization_details
                .narrowed(request.details)?,
        );
        let access = self.access(client, &grant, access, &request.resources)?;
        let confirmation = self.bind(client, sender).await?;
        let refresh_record = self.new_refresh_token(client, &grant, &confirmation, now);
        let mut access_token =
            self.make_access_token(client, Subject::User(&grant), access, &confirmation, now)?;
        let nonce = grant.nonce.as_deref();
        let id_token = self.make_id_token(client, &grant, &user, nonce, &access_token, now);
        let id_token = id_token.await?;
        let refresh_token = gets_refresh_token(client, &grant.scopes)
            .then(|| self.random.secret(SecretKind::RefreshToken));
        let refresh_record = refresh_token
            .as_ref()
            .map(|token| (token.digest(), refresh_record));
        let access_record = access_token.record.take();

        let grant_id = grant.id;
        let stored = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    if let Some((digest, record)) = access_record {
                        access_tokens::insert(db, &digest, &record).await?;
                    }
                    if let Some((digest, record)) = refresh_record {
                        refresh_tokens::insert(db, &digest, &record).await?;
                    }
                    // If the race is lost, the unit fails, and nothing of it is kept.
                    match authorization_codes::consume(db, &digest, now).await? {
                        Consumption::Consumed(_) => Ok(()),
                        Consumption::Replayed(_) => Err(TokenError::ReplayedCode),
                        Consumption::Unknown => Err(TokenError::UnknownCode),
                    }
                })
            })
            .await;
        match stored {
            Ok(()) => {
                let refresh_token = refresh_token.map(|token| token.expose().to_owned());
                Ok(access_token.respond(id_token, refresh_token))
            }
            Err(error) => {
                let digest = Digest::of(&request.code);
                self.punish(error, digest, grant_id, now).await
            }
        }
    }

    /// A refresh token of `grant` as it is stored.
    pub(super) fn new_refresh_token(
        &self,
        client: &Client,
        grant: &Grant,
        confirmation: &Confirmation,
        now: Timestamp,
    ) -> RefreshToken {
        let idle = now.after(self.policy.lifetimes.refresh_token_idle);
        RefreshToken {
            grant_id: grant.id,
            issued_at: now,
            expires_at: idle.min(grant.expires_at),
            // RFC 9449 section 5: a confidential client shows who it is already.
            confirmation: if client.is_confidential() {
                Confirmation::default()
            } else {
                confirmation.clone()
            },
            rotated_at: None,
        }
    }

    /// Does what a refusal has to do to the code before the client is told of it.
    async fn punish(
        &self,
        error: TokenError,
        digest: Digest,
        grant_id: GrantId,
        now: Timestamp,
    ) -> Result<TokenResponse, TokenError> {
        match error {
            // RFC 6749 section 4.1.2: what the code earned ends.
            TokenError::ReplayedCode => {
                let reason = "code replayed";
                self.store
                    .write(move |db| {
                        Box::pin(async move { grants::revoke(db, grant_id, now, reason).await })
                    })
                    .await?;
            }
            TokenError::RedirectUriDiffers
            | TokenError::RedirectUriMissing
            | TokenError::VerifierMissing
            | TokenError::VerifierMismatch
            | TokenError::VerifierUnexpected => {
                self.store
                    .write(move |db| {
                        Box::pin(async move {
                            authorization_codes::count_failure(db, &digest, MOST_FAILURES, now)
                                .await
                        })
                    })
                    .await?;
            }
            _ => {}
        }
        Err(error)
    }
}

/// What the presented code was issued for; `None` if it is no code that is known.
pub(super) async fn find_code(
    db: &mut Connection,
    request: &AuthorizationCodeRequest,
) -> Result<Option<PresentedCode>, StoreError> {
    match Secret::parse(SecretKind::AuthorizationCode, &request.code) {
        Some(code) => authorization_codes::find_with_grant(db, &code.digest()).await,
        None => Ok(None),
    }
}

/// Whether a code may be exchanged, in the order of [RFC 6749 section 4.1.3].
///
/// [RFC 6749 section 4.1.3]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
fn check(
    request: &AuthorizationCodeRequest,
    issued: &PresentedCode,
    client: &Client,
    sender: &Sender,
    now: Timestamp,
) -> Result<(), TokenError> {
    if issued.grant.grant.client_id != client.id {
        return Err(TokenError::CodeOfAnotherClient);
    }
    if issued.consumed_at.is_some() {
        return Err(TokenError::ReplayedCode);
    }
    if issued.code.expires_at <= now {
        return Err(TokenError::ExpiredCode);
    }
    answers(request, &issued.code)?;
    // RFC 9449 section 10.
    let wanted = issued.grant.grant.details.dpop_jkt.as_ref();
    if wanted.is_some_and(|jkt| sender.proof.as_ref().is_none_or(|proof| proof.jkt != *jkt)) {
        return Err(TokenError::OtherKey);
    }
    if issued.grant.revoked_at.is_some() {
        return Err(TokenError::GrantEnded);
    }
    admit_user(client, &issued.grant.user)
}

/// Whether a request shows that it comes from where the code was sent to.
fn answers(request: &AuthorizationCodeRequest, code: &AuthorizationCode) -> Result<(), TokenError> {
    match &request.redirect_uri {
        Some(redirect_uri) if *redirect_uri != code.redirect_uri => {
            return Err(TokenError::RedirectUriDiffers);
        }
        None if code.code_challenge.is_none() => return Err(TokenError::RedirectUriMissing),
        _ => {}
    }
    match (&code.code_challenge, &request.code_verifier) {
        (Some(_), None) => Err(TokenError::VerifierMissing),
        (Some(challenge), Some(verifier)) if !challenge.is_answered_by(verifier) => {
            Err(TokenError::VerifierMismatch)
        }
        // RFC 9700 section 4.8.2: somebody removed the challenge from the authorization request.
        (None, Some(_)) => Err(TokenError::VerifierUnexpected),
        _ => Ok(()),
    }
}

/// How often a code may be presented wrongly by its own client before it is burnt.
const MOST_FAILURES: i64 = 5;
