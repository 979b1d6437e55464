//! Answering a device ([RFC 8628 section 3.3]): a person types its code, signs in and confirms.
//!
//! Typing the code begins a transaction as an authorization request does, and the same decision
//! leads through the same pages. Only its end is another: no redirect, but an answer that the
//! device comes for.
//!
//! [RFC 8628 section 3.3]: https://www.rfc-editor.org/rfc/rfc8628#section-3.3

use std::time::Duration;

use crate::oidc::authorization_decision::{Situation, Step, next_step};
use crate::oidc::client::Client;
use crate::oidc::device_authorization::UserCode;
use crate::oidc::scope::Scopes;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::transaction::Transaction;
use crate::oidc::user::User;
use crate::provider::{InternalError, Provider};
use crate::store::{
    Lease, StoreError, authorization_transactions, device_authorizations, grants, login_throttles,
};

use super::authorization::{AuthorizationError, AuthorizationOutcome, Page};
use super::login::LoginError;
use super::transaction::{OpenTransaction, TransactionError};
use super::{Browser, SignedIn};

/// What a person is told in the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceOutcome {
    /// The device gets its tokens.
    Connected,
    /// It does not, as they wished.
    Refused,
    /// It does not, because they may not use the client.
    NotAllowed,
}

/// What the page shows that asks for confirmation.
#[derive(Debug)]
pub struct DevicePrompt {
    /// The client that the device says it is.
    pub client: Client,
    /// Who is asked.
    pub user: User,
    /// For what.
    pub scopes: Scopes,
    /// And for tokens for which APIs.
    pub resources: Vec<String>,
    /// The code that was typed, to be compared with what the device shows.
    pub user_code: UserCode,
}

/// Why a user code leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum UserCodeError {
    /// It is malformed, unknown, expired or answered already: nobody is told which.
    #[error("the user code is unknown, has expired, or is answered already")]
    Unknown,
    /// Too many wrong ones.
    #[error("too many wrong user codes")]
    TooManyFailures {
        /// When the next try counts.
        retry_after: Duration,
    },
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for UserCodeError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl Provider {
    /// Begins a transaction about the device that shows the code that was typed. Returns its
    /// handle.
    pub async fn enter_user_code(
        &self,
        browser: &Browser,
        typed: &str,
    ) -> Result<Secret, UserCodeError> {
        let mut db = self.store.read().await?;
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        drop(db);
        // Counted before it is looked up, as a password is before it is checked.
        let throttle = self.user_code_throttle(browser, signed_in.as_ref());
        match self.count_attempt(&throttle).await {
            Ok(()) => {}
            Err(LoginError::TooManyFailures { retry_after }) => {
                return Err(UserCodeError::TooManyFailures { retry_after });
            }
            Err(LoginError::Internal(error)) => return Err(error.into()),
            Err(_) => return Err(UserCodeError::Unknown),
        }
        let user_code = UserCode::parse(typed).ok_or(UserCodeError::Unknown)?;
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        let keyed = self.user_code_digest(&user_code);
        let found = device_authorizations::find_by_user_code(&mut db, &keyed, now).await?;
        drop(db);
        let (device, authorization) = found.ok_or(UserCodeError::Unknown)?;

        let handle = self.random.secret(SecretKind::Transaction);
        let digest = handle.digest();
        let transaction = Transaction {
            browser_digest: self.binding(browser).secret.digest(),
            client_id: authorization.client_id,
            request: self.seal_user_code(&digest, &user_code)?,
            device: Some(device),
            pushed_digest: None,
            created_at: now,
            expires_at: authorization.expires_at,
            user_id: None,
            authenticated_at: None,
            account_chosen_at: None,
            consented_at: None,
            finished_at: None,
        };
        self.store
            .write(move |db| {
                Box::pin(async move {
                    for key in &throttle.keys {
                        login_throttles::uncount(db, key, now).await?;
                    }
                    authorization_transactions::insert(db, &digest, &transaction).await
                })
            })
            .await?;
        Ok(handle)
    }

    /// What to show on the page that asks for confirmation.
    pub async fn device_prompt(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<DevicePrompt, TransactionError> {
        let (open, signed_in) = self.find_transaction_and_person(browser, handle).await?;
        open.device()?;
        Ok(DevicePrompt {
            user_code: self.open_user_code(&handle.digest(), &open.transaction)?,
            client: open.client,
            user: signed_in.user,
            scopes: open.request.scopes,
            resources: open.request.resources,
        })
    }

    /// The person confirms what the page showed. Nothing is remembered: the next device asks anew.
    pub async fn allow_device(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<(), TransactionError> {
        let (open, signed_in) = self.find_transaction_and_person(browser, handle).await?;
        open.device()?;
        let (digest, user_id) = (handle.digest(), signed_in.user.id);
        let browser_digest = open.transaction.browser_digest;
        let now = self.clock.now();
        let is_open = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    authorization_transactions::mark_consented(
                        db,
                        &digest,
                        &browser_digest,
                        user_id,
                        now,
                    )
                    .await
                })
            })
            .await?;
        is_open.then_some(()).ok_or(TransactionError::Finished)
    }

    /// The person refuses: the device is told.
    pub async fn deny_device(
        &self,
        browser: &Browser,
        handle: Secret,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let mut db = self.store.read().await?;
        let open = self.find_transaction(&mut db, browser, &handle).await?;
        drop(db);
        self.refuse_device(&handle, &open).await?;
        Ok(AuthorizationOutcome::Device(DeviceOutcome::Refused))
    }

    /// What a transaction about a device needs next.
    pub(super) async fn decide_device(
        &self,
        mut db: Lease,
        browser: &Browser,
        handle: Secret,
        open: OpenTransaction,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        drop(db);
        let present = signed_in.as_ref();
        let subject = present.map(|it| self.subject(&open.client, it.user.id));
        let present = present.zip(subject.as_deref());
        let situation = Situation {
            redirect_uri: open.redirect_uri(),
            signed_in: present.map(|(it, subject)| (&it.session, &it.user, subject)),
            transaction: Some(&open.transaction),
            hinted: None,
            consented: None,
            now: self.clock.now(),
        };
        let page = match (
            next_step(&open.request, &open.client, &situation),
            signed_in,
        ) {
            (Step::Grant, Some(signed_in)) => {
                return self.connect_device(&handle, open, &signed_in).await;
            }
            (Step::Refuse(refusal), _) => {
                tracing::info!(client.id = %open.client.id, reason = %refusal, "device refused");
                self.refuse_device(&handle, &open).await?;
                let outcome = DeviceOutcome::NotAllowed;
                return Ok(AuthorizationOutcome::Device(outcome));
            }
            (Step::LogIn, _) | (Step::Grant, None) => Page::Login,
            (Step::SelectAccount, _) => Page::SelectAccount,
            (Step::AskConsent, _) => Page::Device,
        };
        Ok(AuthorizationOutcome::Interact {
            page,
            transaction: handle,
            binding: self.binding(browser),
        })
    }

    /// Answers yes, once. The grant outlives the session of this browser: it is another device's.
    async fn connect_device(
        &self,
        handle: &Secret,
        open: OpenTransaction,
        signed_in: &SignedIn,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let now = self.clock.now();
        let device = open.device()?.clone();
        let mut grant = self.new_grant(&open.client, &open.request, signed_in, now);
        // The device may come for it as late as its code allows.
        grant.expires_at = grant.expires_at.after(self.policy.lifetimes.device_code);
        tracing::info!(
            client.id = %grant.client_id, subject = %grant.user_id, grant.id = %grant.id,
            "device allowed"
        );
        let session = self.session_use(&open.client, signed_in, now);
        let (digest, browser) = (handle.digest(), open.transaction.browser_digest);
        let is_first = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    if !authorization_transactions::finish(db, &digest, &browser, now).await? {
                        return Ok(false);
                    }
                    grants::insert(db, &grant, Some(now)).await?;
                    if device_authorizations::approve(db, &device, grant.id, now).await? {
                        session.note(db, now).await?;
                        return Ok(true);
                    }
                    // Somebody was faster in another browser.
                    grants::revoke(db, grant.id, now, "the device was answered already").await?;
                    Ok::<_, StoreError>(false)
                })
            })
            .await?;
        if !is_first {
            return Err(TransactionError::Finished.into());
        }
        Ok(AuthorizationOutcome::Device(DeviceOutcome::Connected))
    }

    /// Answers no, and ends the transaction.
    async fn refuse_device(
        &self,
        handle: &Secret,
        open: &OpenTransaction,
    ) -> Result<(), TransactionError> {
        let device = open.device()?.clone();
        let (digest, browser) = (handle.digest(), open.transaction.browser_digest.clone());
        let now = self.clock.now();
        self.store
            .write(move |db| {
                Box::pin(async move {
                    if authorization_transactions::finish(db, &digest, &browser, now).await? {
                        device_authorizations::deny(db, &device, now).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        Ok(())
    }

    /// The user code as a transaction keeps it until the page shows it again.
    fn seal_user_code(
        &self,
        transaction: &Digest,
        user_code: &UserCode,
    ) -> Result<String, InternalError> {
        let letters = user_code.letters().as_bytes();
        let sealed = self.keyring.master_key.seal(&place(transaction), letters);
        Ok(sealed?)
    }

    fn open_user_code(
        &self,
        digest: &Digest,
        transaction: &Transaction,
    ) -> Result<UserCode, TransactionError> {
        let opened = self
            .keyring
            .master_key
            .open(&place(digest), &transaction.request)
            .map_err(InternalError::from)?;
        let letters = std::str::from_utf8(&opened).ok();
        let user_code = letters.and_then(UserCode::parse);
        user_code.ok_or(TransactionError::Unknown)
    }
}

/// Where a sealed user code belongs.
fn place(transaction: &Digest) -> String {
    format!("authorization_transactions:{}", transaction.as_stored())
}
