//! The first tokens of a grant, whatever earned it: an authorization code or a device code. They
//! are made and signed here; what must be stored of them goes into the unit of work that consumes
//! the code.

use crate::oidc::client::Client;
use crate::oidc::confirmation::Confirmation;
use crate::oidc::grant::{AccessTokenRecord, Grant, RefreshToken, gets_refresh_token};
use crate::oidc::secret::{Digest, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_response::TokenResponse;
use crate::oidc::user::User;
use crate::provider::{InternalError, Provider};
use crate::store::{Connection, StoreError, access_tokens, refresh_tokens};

use super::issue::{Access, Subject};

/// What tokens leave in the store, each under its digest.
pub(super) struct TokenRecords {
    access_token: Option<(Digest, AccessTokenRecord)>,
    refresh_token: Option<(Digest, RefreshToken)>,
}

impl TokenRecords {
    /// Stores them.
    pub(super) async fn store(self, db: &mut Connection) -> Result<(), StoreError> {
        if let Some((digest, record)) = self.access_token {
            access_tokens::insert(db, &digest, &record).await?;
        }
        if let Some((digest, record)) = self.refresh_token {
            refresh_tokens::insert(db, &digest, &record).await?;
        }
        Ok(())
    }
}

impl Provider {
    /// Makes the tokens of a grant of `user` to `client`, and the answer that carries them.
    pub(super) async fn make_tokens(
        &self,
        client: &Client,
        (grant, user): (&Grant, &User),
        access: Access,
        confirmation: &Confirmation,
        now: Timestamp,
    ) -> Result<(TokenResponse, TokenRecords), InternalError> {
        let subject = Subject::User(grant);
        let mut access_token =
            self.make_access_token(client, subject, access, confirmation, now)?;
        let nonce = grant.nonce.as_deref();
        let id_token = self.make_id_token(client, grant, user, nonce, &access_token, now);
        let id_token = id_token.await?;
        let refresh_token = gets_refresh_token(client, &grant.scopes)
            .then(|| self.random.secret(SecretKind::RefreshToken));
        let records = TokenRecords {
            access_token: access_token.record.take(),
            refresh_token: refresh_token.as_ref().map(|token| {
                let record = self.new_refresh_token(client, grant, confirmation, now);
                (token.digest(), record)
            }),
        };
        let refresh_token = refresh_token.map(|token| token.expose().to_owned());
        Ok((access_token.respond(id_token, refresh_token), records))
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
}
