//! The refresh token grant ([RFC 6749 section 6], [RFC 9700 section 4.14.2]).
//!
//! A refresh token is rotated at each use, unless the profile of the client has it otherwise. Its
//! successor is derived from it, so that a client that lost the answer can ask again for a while
//! and gets the same one, though only digests are stored. Later, a second use means that two
//! parties hold the token, and ends the whole family.
//!
//! [RFC 6749 section 6]: https://www.rfc-editor.org/rfc/rfc6749#section-6
//! [RFC 9700 section 4.14.2]: https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2

use crate::oidc::client::Client;
use crate::oidc::grant::{AccessTokenRecord, GrantId, RefreshToken};
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
        let rotates = is_retry || client.metadata.profile.rotates_refresh_tokens();
        let successor = rotates.then(|| self.successor(presented));
        let renewal = Renewal {
            digest: presented.digest(),
            is_retry,
            successor_digest: successor.as_ref().map(Secret::digest),
            record,
            access_token: access_token.record.take(),
        };
        let write = self.store.write(move |db| Box::pin(renewal.run(db, now)));
        write.await?;
        if is_retry {
            tracing::info!(client.id = %client.id, grant.id = %grant.id, "a lost refresh answer was given again");
        }
        let refresh_token = successor.as_ref().unwrap_or(presented);
        Ok(access_token.respond(id_token, Some(refresh_token.expose().to_owned())))
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
struct Renewal {
    digest: Digest,
    is_retry: bool,
    /// Where the token has a successor.
    successor_digest: Option<Digest>,
    /// The refresh token that the client has from now on.
    record: RefreshToken,
    /// The access token, where it has to be stored.
    access_token: Option<(Digest, AccessTokenRecord)>,
}

impl Renewal {
    /// Does it. It fails where the answer may not be given.
    async fn run(self, db: &mut Connection, now: Timestamp) -> Result<(), TokenError> {
        if let Some((digest, record)) = &self.access_token {
            access_tokens::insert(db, digest, record).await?;
        }
        if self.renew(db, now).await? {
            Ok(())
        } else {
            Err(TokenError::TooManyRetries)
        }
    }

    /// Rotates the token, or counts a retry where that was done before, even a moment ago; or lets
    /// it live on, where it has no successor. Says whether the answer may be given.
    async fn renew(&self, db: &mut Connection, now: Timestamp) -> Result<bool, StoreError> {
        let Some(successor_digest) = &self.successor_digest else {
            return refresh_tokens::extend(db, &self.digest, self.record.expires_at).await;
        };
        if !self.is_retry {
            refresh_tokens::insert(db, successor_digest, &self.record).await?;
            if refresh_tokens::rotate(db, &self.digest, now).await? {
                return Ok(true);
            }
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
