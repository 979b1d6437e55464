//! The refresh token grant ([RFC 6749 section 6], [RFC 9700 section 4.14.2]).
//!
//! A refresh token is rotated at each use. Its successor is derived from it, so that a client that
//! lost the answer can ask again for a while and gets the same one, though only digests are
//! stored. Later, a second use means that two parties hold the token, and ends the whole family.
//!
//! [RFC 6749 section 6]: https://www.rfc-editor.org/rfc/rfc6749#section-6
//! [RFC 9700 section 4.14.2]: https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2

use crate::oidc::client::Client;
use crate::oidc::grant::{GrantId, RefreshToken};
use crate::oidc::scope::Scopes;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_request::RefreshTokenRequest;
use crate::oidc::token_response::TokenResponse;
use crate::provider::Provider;
use crate::provider::client::dpop::Sender;
use crate::store::grants::GrantWithParties;
use crate::store::refresh_tokens::PresentedRefreshToken;
use crate::store::{Connection, StoreError, access_tokens, grants, refresh_tokens};

use super::issue::{Access, Subject};
use super::{TokenError, admit_user};

impl Provider {
    /// Exchanges a refresh token for its successor and fresh tokens.
    pub(super) async fn refresh(
        &self,
        client: &Client,
        presented: &Secret,
        issued: PresentedRefreshToken,
        request: RefreshTokenRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        let now = self.clock.now();

        if issued.grant.grant.client_id != client.id {
            return Err(TokenError::RefreshTokenOfAnotherClient);
        }
        if issued.grant.revoked_at.is_some() || issued.grant.grant.expires_at <= now {
            return Err(TokenError::GrantEnded);
        }
        let is_retry = issued.token.rotated_at.is_some();
        if is_retry && !self.is_in_grace(&issued.token, now) {
            return self.revoke_reused(issued.grant.grant.id, now).await;
        }
        if issued.token.expires_at <= now {
            return Err(TokenError::ExpiredRefreshToken);
        }
        if !sender.holds(&issued.token.confirmation) {
            return Err(TokenError::OtherKey);
        }
        admit_user(client, &issued.grant.user)?;
        let GrantWithParties { grant, user, .. } = issued.grant;
        let scopes = narrowed(request.scopes, &grant.scopes)?;
        let granted = &grant.details.authorization_details;
        let access = Access::new(scopes, granted.narrowed(request.details)?);
        let access = self.access(client, &grant, access, &request.resources)?;

        let confirmation = self.bind(client, sender).await?;
        let record = self.new_refresh_token(client, &grant, &confirmation, now);
        let mut access_token =
            self.make_access_token(client, Subject::User(&grant), access, &confirmation, now)?;
        // OIDC Core section 12.2: the ID token of a refresh has no nonce.
        let id_token = self.make_id_token(client, &grant, &user, None, &access_token, now);
        let id_token = id_token.await?;
        let successor = self.successor(presented);
        let access_record = access_token.record.take();
        let rotation = Rotation {
            digest: presented.digest(),
            successor_digest: successor.digest(),
            successor: record,
        };
        let is_allowed = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    let is_allowed = rotation.run(db, now).await?;
                    if let (true, Some((digest, record))) = (is_allowed, access_record) {
                        access_tokens::insert(db, &digest, &record).await?;
                    }
                    Ok::<_, StoreError>(is_allowed)
                })
            })
            .await?;
        if !is_allowed {
            return Err(TokenError::TooManyRetries);
        }
        if is_retry {
            tracing::info!(client.id = %client.id, grant.id = %grant.id, "a lost refresh answer was given again");
        }
        Ok(access_token.respond(id_token, Some(successor.expose().to_owned())))
    }

    fn is_in_grace(&self, token: &RefreshToken, now: Timestamp) -> bool {
        let grace = self.policy.lifetimes.refresh_grace;
        token
            .rotated_at
            .is_some_and(|rotated_at| now < rotated_at.after(grace))
    }

    /// The refresh token that follows `token`: always the same one, which nobody can derive
    /// without the master key.
    fn successor(&self, token: &Secret) -> Secret {
        let bits = self.succession_key.tag(&[token.expose().as_bytes()]);
        Secret::new(SecretKind::RefreshToken, &bits)
    }

    async fn revoke_reused(
        &self,
        grant_id: GrantId,
        now: Timestamp,
    ) -> Result<TokenResponse, TokenError> {
        self.store
            .write(move |db| {
                Box::pin(
                    async move { grants::revoke(db, grant_id, now, "refresh token reused").await },
                )
            })
            .await?;
        Err(TokenError::ReusedRefreshToken)
    }
}

/// The presented refresh token with what it was issued for; `None` if it is none that is known.
pub(super) async fn find_refresh_token(
    db: &mut Connection,
    request: &RefreshTokenRequest,
) -> Result<Option<(Secret, PresentedRefreshToken)>, StoreError> {
    let presented = Secret::parse(SecretKind::RefreshToken, &request.refresh_token);
    let Some(presented) = presented else {
        return Ok(None);
    };
    let issued = refresh_tokens::find_with_grant(db, &presented.digest()).await?;
    Ok(issued.map(|issued| (presented, issued)))
}

/// What a refresh does to the store.
struct Rotation {
    digest: Digest,
    successor_digest: Digest,
    successor: RefreshToken,
}

impl Rotation {
    /// Rotates the token, or counts a retry where that was done before. Says whether the answer
    /// may be given.
    async fn run(&self, db: &mut Connection, now: Timestamp) -> Result<bool, StoreError> {
        if refresh_tokens::rotate(db, &self.digest, now).await? {
            refresh_tokens::insert(db, &self.successor_digest, &self.successor).await?;
            return Ok(true);
        }
        refresh_tokens::count_retry(db, &self.digest, MOST_RETRIES).await
    }
}

/// The scopes of the fresh access token ([RFC 6749 section 6]): no more than were granted.
///
/// [RFC 6749 section 6]: https://www.rfc-editor.org/rfc/rfc6749#section-6
fn narrowed(requested: Option<Scopes>, granted: &Scopes) -> Result<Scopes, TokenError> {
    match requested {
        None => Ok(granted.clone()),
        Some(requested) if granted.contains_all(&requested) => Ok(requested),
        Some(_) => Err(TokenError::InvalidScope),
    }
}

/// How often a rotated token gives its successor again within the grace period.
const MOST_RETRIES: i64 = 100;
