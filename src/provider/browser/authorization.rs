//! The authorization endpoint ([RFC 6749 section 3.1], [OIDC Core section 3.1.2]).
//!
//! [RFC 6749 section 3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-3.1
//! [OIDC Core section 3.1.2]: https://openid.net/specs/openid-connect-core-1_0.html#AuthorizationEndpoint

use crate::keys::jwt::{self, Expected, TokenType};
use crate::oidc::authorization_decision::{Situation, Step, next_step};
use crate::oidc::authorization_request::{self, AuthorizationRequest, Refusal, UntrustedRequest};
use crate::oidc::authorization_response::{AuthorizationResponse, ReturnAddress};
use crate::oidc::claims::IdTokenClaims;
use crate::oidc::client::Client;
use crate::oidc::parameters::Parameters;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::transaction::Transaction;
use crate::provider::client::client_id_metadata::MetadataDocumentError;
use crate::provider::{InternalError, Provider};
use crate::store::{Lease, StoreError, authorization_transactions, clients, consents};

use super::Browser;
use super::device::DeviceOutcome;
use super::form::Binding;
use super::transaction::{Destination, TransactionError};
use super::unchecked_client::{UncheckedReturn, is_silent};
use super::unregistered_redirect_uri::{UnregisteredRedirectUri, unregistered};

/// What the browser is to do next.
#[derive(Debug)]
pub enum AuthorizationOutcome {
    /// To take this answer to the client.
    Respond(AuthorizationResponse),
    /// To ask the person before it takes a refusal to a client that nobody has checked.
    AskBeforeRefusing(Box<UncheckedReturn>),
    /// To show a page of a transaction first.
    Interact {
        /// Which page.
        page: Page,
        /// The handle of the transaction.
        transaction: Secret,
        /// The browser's binding, to set as a cookie if it is new.
        binding: Binding,
    },
    /// To tell the person what becomes of their device.
    Device(DeviceOutcome),
}

/// A page of an authorization transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Page {
    /// To sign in.
    Login,
    /// To choose an account.
    SelectAccount,
    /// To consent.
    Consent,
    /// To confirm a device.
    Device,
}

/// Why there is no outcome: for a page of Keyfob's own, never for a redirect.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationError {
    /// The `client_id` is the address of a document that does not say which client this is.
    #[error(transparent)]
    MetadataDocument(MetadataDocumentError),
    /// The request cannot be trusted.
    #[error(transparent)]
    Untrusted(#[from] UntrustedRequest),
    /// The redirect URI is not registered; what differs can be shown.
    #[error("the redirect_uri is not registered for the client")]
    RedirectUriNotRegistered(Box<UnregisteredRedirectUri>),
    /// The transaction to go on with is not there.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for AuthorizationError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<MetadataDocumentError> for AuthorizationError {
    fn from(error: MetadataDocumentError) -> Self {
        match error {
            MetadataDocumentError::Internal(error) => Self::Internal(error),
            refusal => Self::MetadataDocument(refusal),
        }
    }
}

/// A request that has passed every check of its own, with whose it is.
pub(super) struct Pending {
    pub(super) client: Client,
    pub(super) return_address: ReturnAddress,
    pub(super) request: AuthorizationRequest,
    /// The request as it came, to be kept while a person acts.
    parameters: Option<Parameters>,
    /// The pushed request that it came in, if it did.
    pub(super) pushed: Option<Digest>,
    /// The transaction that it already is, and its handle.
    pub(super) transaction: Option<(Secret, Transaction)>,
}

impl Provider {
    /// Answers an authorization request.
    pub async fn authorize(
        &self,
        browser: &Browser,
        parameters: Parameters,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let client_id = authorization_request::client_id(&parameters)?;
        Box::pin(self.read_metadata_document(client_id, browser.address)).await?;
        let mut db = self.store.read().await?;
        let client = match client_id.parse() {
            Ok(id) => clients::find(&mut db, &id).await?,
            Err(_) => None,
        };
        let client = client.filter(Client::is_enabled);
        let client = client.ok_or(UntrustedRequest::UnknownClient)?;
        let asks_silently = is_silent(&parameters);
        let asked = match self.find_request(db, &client, parameters).await? {
            Ok(asked) => asked,
            Err(wrong) => {
                let (client, address) = (&client, &wrong.return_address);
                let (refusal, is_silent) = (wrong.refusal, asks_silently);
                return self
                    .refuse_request(wrong.db, browser, client, address, refusal, is_silent)
                    .await;
            }
        };
        let (parameters, pushed, db) = (asked.parameters, asked.pushed, asked.db);
        let is_silent = is_silent(&parameters);
        let return_address = match authorization_request::return_address(&parameters, &client) {
            Err(UntrustedRequest::RedirectUriNotRegistered) => {
                let unregistered = Box::new(unregistered(&parameters, &client));
                return Err(AuthorizationError::RedirectUriNotRegistered(unregistered));
            }
            result => result?,
        };
        if pushed.is_none() && self.must_push(&client) {
            let (client, address) = (&client, &return_address);
            let refusal = Refusal::NotPushed;
            return self
                .refuse_request(db, browser, client, address, refusal, is_silent)
                .await;
        }
        let request = match authorization_request::parse(&parameters, &client, &self.policy) {
            Ok(request) => request,
            Err(refusal) => {
                let (client, address) = (&client, &return_address);
                return self
                    .refuse_request(db, browser, client, address, refusal, is_silent)
                    .await;
            }
        };
        let pending = Pending {
            client,
            return_address,
            request,
            parameters: Some(parameters),
            pushed,
            transaction: None,
        };
        self.decide(db, browser, pending).await
    }

    /// Goes on with a transaction after a page, deciding anew.
    pub async fn continue_authorization(
        &self,
        browser: &Browser,
        handle: Secret,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let mut db = self.store.read().await?;
        let open = self.find_transaction(&mut db, browser, &handle).await?;
        let return_address = match open.destination {
            Destination::Client(return_address) => return_address,
            Destination::Device(_) => {
                return self.decide_device(db, browser, handle, open).await;
            }
        };
        let pending = Pending {
            client: open.client,
            return_address,
            request: open.request,
            parameters: None,
            pushed: open.transaction.pushed_digest.clone(),
            transaction: Some((handle, open.transaction)),
        };
        self.decide(db, browser, pending).await
    }

    async fn decide(
        &self,
        mut db: Lease,
        browser: &Browser,
        pending: Pending,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let client = &pending.client;
        let hinted = match &pending.request.id_token_hint {
            None => None,
            Some(hint) => {
                let Some(subject) = self.hinted_subject(hint, client) else {
                    let refusal = Refusal::InvalidIdTokenHint;
                    let address = &pending.return_address;
                    let is_silent = pending.request.prompt.none;
                    return self
                        .refuse_request(db, browser, client, address, refusal, is_silent)
                        .await;
                };
                Some(subject)
            }
        };
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        let consented = match &signed_in {
            Some(signed_in) => consents::find(&mut db, signed_in.user.id, &client.id).await?,
            None => None,
        };
        drop(db);
        let present = signed_in.as_ref();
        let subject = present.map(|it| self.subject(client, it.user.id));
        let present = present.zip(subject.as_deref());
        let situation = Situation {
            redirect_uri: pending.return_address.redirect_uri(),
            signed_in: present.map(|(it, subject)| (&it.session, &it.user, subject)),
            transaction: pending
                .transaction
                .as_ref()
                .map(|(_, transaction)| transaction),
            hinted: hinted.as_deref(),
            consented: consented.as_ref(),
            now: self.clock.now(),
        };
        match (next_step(&pending.request, client, &situation), signed_in) {
            (Step::LogIn, _) => self.interact(browser, pending, Page::Login).await,
            (Step::SelectAccount, _) => self.interact(browser, pending, Page::SelectAccount).await,
            (Step::AskConsent, _) => self.interact(browser, pending, Page::Consent).await,
            (Step::Refuse(refusal), _) => {
                if let Some((handle, transaction)) = pending.transaction {
                    self.finish(handle, transaction.browser_digest).await?;
                }
                let (client, address) = (&pending.client, &pending.return_address);
                self.refuse(client, address, refusal).await
            }
            (Step::Grant, Some(signed_in)) => self.grant(browser, pending, &signed_in).await,
            (Step::Grant, None) => {
                let refusal = Refusal::LoginRequired;
                let (client, address) = (&pending.client, &pending.return_address);
                self.refuse(client, address, refusal).await
            }
        }
    }

    /// Shows a page: of the transaction that the request already is, or of a new one.
    async fn interact(
        &self,
        browser: &Browser,
        pending: Pending,
        page: Page,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let binding = self.binding(browser);
        let handle = match (pending.transaction, pending.parameters) {
            (Some((handle, _)), _) => handle,
            (None, parameters) => {
                let handle = self.random.secret(SecretKind::Transaction);
                let digest = handle.digest();
                let now = self.clock.now();
                let transaction = Transaction {
                    browser_digest: binding.secret.digest(),
                    client_id: pending.client.id,
                    request: parameters.unwrap_or_default().encode(),
                    device: None,
                    pushed_digest: pending.pushed,
                    created_at: now,
                    expires_at: now.after(self.policy.lifetimes.transaction),
                    user_id: None,
                    authenticated_at: None,
                    account_chosen_at: None,
                    consented_at: None,
                    finished_at: None,
                };
                self.store
                    .write(move |db| {
                        Box::pin(async move {
                            authorization_transactions::insert(db, &digest, &transaction).await
                        })
                    })
                    .await?;
                handle
            }
        };
        Ok(AuthorizationOutcome::Interact {
            page,
            transaction: handle,
            binding,
        })
    }

    pub(super) async fn finish(&self, handle: Secret, browser: Digest) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store
            .write(move |db| {
                Box::pin(async move {
                    let digest = handle.digest();
                    authorization_transactions::finish(db, &digest, &browser, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The subject that an `id_token_hint` names, if it is an ID token that was issued to
    /// `client`, expired or not. It says who is meant, and signs nobody in.
    pub(in crate::provider) fn hinted_subject(
        &self,
        hint: &str,
        client: &Client,
    ) -> Option<String> {
        let claims = self.read_id_token(hint, Some(client.id.as_str())).ok()?;
        Some(claims.sub)
    }

    /// The claims of an ID token of this provider, expired or not.
    pub(super) fn read_id_token(
        &self,
        token: &str,
        audience: Option<&str>,
    ) -> Result<IdTokenClaims, jwt::JwtError> {
        let expected = Expected {
            token_type: TokenType::IdToken,
            issuer: self.issuer.as_str(),
            audience,
            now: self.clock.now(),
            check_expiry: false,
        };
        jwt::verify(&self.keyring.keyset(), token, &expected)
    }
}
