//! The revocation endpoint ([RFC 7009]).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

use crate::oidc::client_authentication::ClientCredentials;
use crate::oidc::secret::{Secret, SecretKind};
use crate::provider::client::access_token::Handle;
use crate::provider::client::client_authentication::ClientAuthenticationError;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, access_tokens, grants, refresh_tokens, revoked_access_tokens};

impl Provider {
    /// Revokes a token of the client that asks. A refresh token takes its whole grant with it, so
    /// that its access tokens end too; an access token ends alone.
    ///
    /// A token that is unknown, ended already or another client's is left as it is and nobody is
    /// told ([RFC 7009 section 2.2]).
    ///
    /// [RFC 7009 section 2.2]: https://www.rfc-editor.org/rfc/rfc7009#section-2.2
    pub async fn revoke(
        &self,
        credentials: &ClientCredentials,
        token: &str,
    ) -> Result<(), ClientAuthenticationError> {
        let caller = self.meet(credentials).await?;
        let mut db = self.store.read().await.map_err(InternalError::from)?;
        let client = self.authenticate(&mut db, &caller).await?;
        let now = self.clock.now();
        if let Some(secret) = Secret::parse(SecretKind::RefreshToken, token) {
            let issued = refresh_tokens::find_with_grant(&mut db, &secret.digest()).await;
            drop(db);
            let issued = issued.map_err(InternalError::from)?;
            let Some(issued) = issued.filter(|issued| issued.grant.grant.client_id == client.id)
            else {
                return Ok(());
            };
            let grant_id = issued.grant.grant.id;
            return self
                .store
                .write(move |db| {
                    Box::pin(async move {
                        grants::revoke(db, grant_id, now, "revoked by the client").await?;
                        Ok::<_, StoreError>(())
                    })
                })
                .await
                .map_err(|error| InternalError::from(error).into());
        }
        let found = self.find_access_token(&mut db, token).await?;
        drop(db);
        let Some(found) = found.filter(|found| found.client_id == client.id) else {
            return Ok(());
        };
        let expires_at = found.expires_at;
        self.store
            .write(move |db| {
                Box::pin(async move {
                    match found.handle {
                        Handle::Jwt(jti) => {
                            revoked_access_tokens::insert(db, &jti, expires_at).await
                        }
                        Handle::Opaque(digest) => {
                            access_tokens::revoke(db, &digest, now).await.map(drop)
                        }
                    }
                })
            })
            .await
            .map_err(|error| InternalError::from(error).into())
    }
}
