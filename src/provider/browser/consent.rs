//! Asking a person whether a client may have what it asks for.

use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::authorization_request::Refusal;
use crate::oidc::claims_request::ClaimNames;
use crate::oidc::client::Client;
use crate::oidc::consent::Consent;
use crate::oidc::scope::Scopes;
use crate::oidc::secret::Secret;
use crate::oidc::user::User;
use crate::provider::Provider;
use crate::store::{StoreError, authorization_transactions, consents};

use super::Browser;
use super::authorization::{AuthorizationError, AuthorizationOutcome};
use super::transaction::TransactionError;

/// What the consent page shows.
#[derive(Debug)]
pub struct ConsentPrompt {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Who is asked.
    pub user: User,
    /// For what.
    pub scopes: Scopes,
    /// And for which claims that do not go with the scopes.
    pub claims: ClaimNames,
    /// And for tokens for which APIs.
    pub resources: Vec<String>,
    /// And for what in detail.
    pub details: AuthorizationDetails,
}

impl Provider {
    /// What to show on the consent page of a transaction.
    pub async fn consent_prompt(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<ConsentPrompt, TransactionError> {
        let (open, signed_in) = self.find_transaction_and_person(browser, handle).await?;
        Ok(ConsentPrompt {
            redirect_uri: open.return_address()?.redirect_uri().to_owned(),
            client: open.client,
            user: signed_in.user,
            claims: open.request.claims.beyond(&open.request.scopes),
            scopes: open.request.scopes,
            resources: open.request.resources,
            details: open.request.authorization_details,
        })
    }

    /// The person allows what the page showed: it is remembered, and the transaction goes on.
    pub async fn allow(&self, browser: &Browser, handle: &Secret) -> Result<(), TransactionError> {
        let (open, signed_in) = self.find_transaction_and_person(browser, handle).await?;
        open.return_address()?;
        let user_id = signed_in.user.id;
        let now = self.clock.now();
        let digest = handle.digest();
        let is_open = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    let browser_digest = &open.transaction.browser_digest;
                    let is_open = authorization_transactions::mark_consented(
                        db,
                        &digest,
                        browser_digest,
                        user_id,
                        now,
                    )
                    .await?;
                    if is_open {
                        let consent = Consent {
                            user_id,
                            client_id: open.client.id,
                            claims: open.request.claims.beyond(&open.request.scopes),
                            scopes: open.request.scopes,
                            resources: open.request.resources,
                            granted_at: now,
                        };
                        consents::merge(db, &consent).await?;
                    }
                    Ok::<_, StoreError>(is_open)
                })
            })
            .await?;
        is_open.then_some(()).ok_or(TransactionError::Finished)
    }

    /// The person refuses: the transaction ends, and the client is told.
    pub async fn deny(
        &self,
        browser: &Browser,
        handle: Secret,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let mut db = self.store.read().await?;
        let open = self.find_transaction(&mut db, browser, &handle).await?;
        drop(db);
        let return_address = open.return_address()?;
        let outcome = self.refuse(&open.client, return_address, Refusal::Denied);
        let outcome = outcome.await;
        self.finish(handle, open.transaction.browser_digest).await?;
        outcome
    }
}
