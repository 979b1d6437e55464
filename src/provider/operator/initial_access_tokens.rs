//! Initial access tokens, as an operator sees them.

use std::time::Duration;

use crate::oidc::initial_access_token::{InitialAccessToken, InitialAccessTokenId};
use crate::oidc::secret::{Secret, SecretKind};
use crate::store::initial_access_tokens;

use super::{Operator, OperatorError};

impl Operator {
    /// Makes a token with which `uses` clients can be registered, for as long as `lifetime`. Its
    /// secret is not kept.
    pub async fn add_initial_access_token(
        &self,
        note: Option<String>,
        uses: u32,
        lifetime: Duration,
    ) -> Result<(InitialAccessToken, Secret), OperatorError> {
        let now = self.clock.now();
        let secret = self.random.secret(SecretKind::InitialAccessToken);
        let token = InitialAccessToken {
            id: InitialAccessTokenId(self.random.uuid()),
            note,
            uses_left: uses,
            created_at: now,
            expires_at: now.after(lifetime),
        };
        let (digest, stored) = (secret.digest(), token.clone());
        self.store
            .write(move |db| {
                Box::pin(async move { initial_access_tokens::insert(db, &digest, &stored).await })
            })
            .await?;
        Ok((token, secret))
    }

    /// The tokens that have not expired.
    pub async fn initial_access_tokens(&self) -> Result<Vec<InitialAccessToken>, OperatorError> {
        let mut db = self.store.read().await?;
        Ok(initial_access_tokens::list(&mut db, self.clock.now()).await?)
    }

    /// Ends a token. The clients that were registered with it stay.
    pub async fn revoke_initial_access_token(
        &self,
        id: InitialAccessTokenId,
    ) -> Result<(), OperatorError> {
        let deleted = self
            .store
            .write(move |db| Box::pin(initial_access_tokens::delete(db, id)))
            .await?;
        let not_found = || OperatorError::NotFound("registration token", id.to_string());
        deleted.then_some(()).ok_or_else(not_found)
    }
}
