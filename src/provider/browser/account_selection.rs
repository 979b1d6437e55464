//! Asking a person which account to go on with (`prompt=select_account`).

use crate::oidc::client::Client;
use crate::oidc::secret::Secret;
use crate::oidc::user::User;
use crate::provider::Provider;
use crate::store::authorization_transactions;

use super::Browser;
use super::transaction::TransactionError;

/// What the page shows.
#[derive(Debug)]
pub struct AccountPrompt {
    /// Who is signed in.
    pub user: User,
    /// The client that the person goes on to.
    pub client: Client,
}

impl Provider {
    /// What to show on the account page of a transaction.
    pub async fn account_prompt(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<AccountPrompt, TransactionError> {
        let (open, signed_in) = self.find_transaction_and_person(browser, handle).await?;
        Ok(AccountPrompt {
            user: signed_in.user,
            client: open.client,
        })
    }

    /// The person goes on with the account they are signed in with.
    pub async fn choose_account(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<(), TransactionError> {
        let (open, signed_in) = self.find_transaction_and_person(browser, handle).await?;
        let user_id = signed_in.user.id;
        let now = self.clock.now();
        let digest = handle.digest();
        let is_open = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    let browser_digest = &open.transaction.browser_digest;
                    authorization_transactions::mark_account_chosen(
                        db,
                        &digest,
                        browser_digest,
                        user_id,
                        now,
                    )
                    .await
                })
            })
            .await?;
        is_open.then_some(()).ok_or(TransactionError::Finished)
    }
}
