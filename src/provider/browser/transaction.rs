//! Finding the authorization transaction that a page belongs to.

use crate::oidc::authorization_request::{self, AuthorizationRequest};
use crate::oidc::authorization_response::ReturnAddress;
use crate::oidc::client::Client;
use crate::oidc::parameters::Parameters;
use crate::oidc::secret::{Digest, Secret};
use crate::oidc::transaction::Transaction;
use crate::provider::{InternalError, Provider};
use crate::store::{
    Connection, StoreError, authorization_transactions, clients, device_authorizations,
};

use super::{Browser, SignedIn};

/// Why a page cannot go on with a sign-in.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// No such transaction, or it was given up, or another browser started it.
    #[error("the sign-in is unknown, has expired, or was started in another browser")]
    Unknown,
    /// Its answer was sent already.
    #[error("the sign-in is already finished")]
    Finished,
    /// Nobody is signed in, so there is nobody to ask.
    #[error("nobody is signed in")]
    SignedOut,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for TransactionError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// A transaction with the request it carries, read again against the client as it is now.
#[derive(Debug)]
pub(super) struct OpenTransaction {
    pub(super) transaction: Transaction,
    pub(super) client: Client,
    pub(super) destination: Destination,
    pub(super) request: AuthorizationRequest,
}

/// Who waits for the answer.
#[derive(Debug)]
pub(super) enum Destination {
    /// A client, to which this browser takes it.
    Client(ReturnAddress),
    /// A device, which asks for it with the device code of this digest.
    Device(Digest),
}

impl OpenTransaction {
    /// Where the browser takes the answer; there is no such place where a device waits for it.
    pub(super) fn return_address(&self) -> Result<&ReturnAddress, TransactionError> {
        match &self.destination {
            Destination::Client(return_address) => Ok(return_address),
            Destination::Device(_) => Err(TransactionError::Unknown),
        }
    }

    /// The digest of the code of the device that waits for the answer.
    pub(super) fn device(&self) -> Result<&Digest, TransactionError> {
        match &self.destination {
            Destination::Client(_) => Err(TransactionError::Unknown),
            Destination::Device(digest) => Ok(digest),
        }
    }

    /// The redirect URI, for a page that only shows it; empty where a device waits.
    pub(super) fn redirect_uri(&self) -> &str {
        match &self.destination {
            Destination::Client(return_address) => return_address.redirect_uri(),
            Destination::Device(_) => "",
        }
    }
}

impl Provider {
    /// The open transaction with this handle, if `browser` started it.
    pub(super) async fn find_transaction(
        &self,
        db: &mut Connection,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<OpenTransaction, TransactionError> {
        let now = self.clock.now();
        let found = authorization_transactions::find(db, &handle.digest(), now).await?;
        let transaction = found.ok_or(TransactionError::Unknown)?;
        let is_own = browser
            .binding
            .as_ref()
            .is_some_and(|binding| binding.digest().matches(&transaction.browser_digest));
        if !is_own {
            return Err(TransactionError::Unknown);
        }
        if transaction.finished_at.is_some() {
            return Err(TransactionError::Finished);
        }
        let client = clients::find(db, &transaction.client_id).await?;
        let client = client.filter(Client::is_enabled);
        let client = client.ok_or(TransactionError::Unknown)?;
        if let Some(digest) = transaction.device.clone() {
            let device = device_authorizations::find_pending(db, &digest, now).await?;
            let device = device.ok_or(TransactionError::Finished)?;
            return Ok(OpenTransaction {
                transaction,
                request: AuthorizationRequest::of_device(device.scopes, device.resources, &client),
                client,
                destination: Destination::Device(digest),
            });
        }
        // The registration may have changed meanwhile: what it says now holds.
        let parameters =
            Parameters::parse(&transaction.request).map_err(|_| TransactionError::Unknown)?;
        let return_address = authorization_request::return_address(&parameters, &client)
            .map_err(|_| TransactionError::Unknown)?;
        let request = authorization_request::parse(&parameters, &client, &self.policy)
            .map_err(|_| TransactionError::Unknown)?;
        Ok(OpenTransaction {
            transaction,
            client,
            destination: Destination::Client(return_address),
            request,
        })
    }

    /// The open transaction with this handle, and who is signed in and can be asked about it.
    pub(super) async fn find_transaction_and_person(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<(OpenTransaction, SignedIn), TransactionError> {
        let mut db = self.store.read().await?;
        let open = self.find_transaction(&mut db, browser, handle).await?;
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        Ok((open, signed_in.ok_or(TransactionError::SignedOut)?))
    }
}
