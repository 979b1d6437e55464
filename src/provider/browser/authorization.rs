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
use crate::oidc::grant::{self, AuthorizationCode, Grant, GrantDetails, GrantId};
use crate::oidc::parameters::Parameters;
use crate::oidc::scope::OFFLINE_ACCESS;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::transaction::Transaction;
use crate::oidc::user::UserId;
use crate::provider::{InternalError, Provider};
use crate::store::{
    Lease, StoreError, authorization_codes, authorization_transactions, clients, consents, grants,
    pushed_authorization_requests,
};

use super::device::DeviceOutcome;
use super::form::Binding;
use super::transaction::{Destination, TransactionError};
use super::unchecked_client::{UncheckedReturn, is_silent};
use super::unregistered_redirect_uri::{UnregisteredRedirectUri, unregistered};
use super::{Browser, SignedIn};

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

/// A request that has passed every check of its own, with whose it is.
struct Pending {
    client: Client,
    return_address: ReturnAddress,
    request: AuthorizationRequest,
    /// The request as it came, to be kept while a person acts.
    parameters: Option<Parameters>,
    /// The pushed request that it came in, if it did.
    pushed: Option<Digest>,
    /// The transaction that it already is, and its handle.
    transaction: Option<(Secret, Transaction)>,
}

/// What became of issuing a code.
enum Issuance {
    /// The code is issued.
    Done,
    /// The transaction was answered before.
    Finished,
    /// Something was granted through the same pushed request before.
    RequestUriUsed,
}

impl Provider {
    /// Answers an authorization request.
    pub async fn authorize(
        &self,
        browser: &Browser,
        parameters: Parameters,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let client_id = authorization_request::client_id(&parameters)?;
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
            Err(mut wrong) => {
                let (client, address) = (&client, &wrong.return_address);
                let (refusal, is_silent) = (wrong.refusal, asks_silently);
                return self
                    .refuse_request(&mut wrong.db, browser, client, address, refusal, is_silent)
                    .await;
            }
        };
        let (parameters, pushed, mut db) = (asked.parameters, asked.pushed, asked.db);
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
                .refuse_request(&mut db, browser, client, address, refusal, is_silent)
                .await;
        }
        let request = match authorization_request::parse(&parameters, &client, &self.policy) {
            Ok(request) => request,
            Err(refusal) => {
                let (client, address) = (&client, &return_address);
                return self
                    .refuse_request(&mut db, browser, client, address, refusal, is_silent)
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
                let Some(user_id) = self.hinted_user(hint, client) else {
                    let refusal = Refusal::InvalidIdTokenHint;
                    let address = &pending.return_address;
                    let is_silent = pending.request.prompt.none;
                    return self
                        .refuse_request(&mut db, browser, client, address, refusal, is_silent)
                        .await;
                };
                Some(user_id)
            }
        };
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        let consented = match &signed_in {
            Some(signed_in) => consents::find(&mut db, signed_in.user.id, &client.id).await?,
            None => None,
        };
        drop(db);
        let situation = Situation {
            redirect_uri: pending.return_address.redirect_uri(),
            signed_in: signed_in.as_ref().map(|it| (&it.session, &it.user)),
            transaction: pending
                .transaction
                .as_ref()
                .map(|(_, transaction)| transaction),
            hinted,
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
                Ok(self.refuse(&pending.client, &pending.return_address, refusal))
            }
            (Step::Grant, Some(signed_in)) => self.grant(pending, &signed_in).await,
            (Step::Grant, None) => {
                let refusal = Refusal::LoginRequired;
                Ok(self.refuse(&pending.client, &pending.return_address, refusal))
            }
        }
    }

    /// Tells the client no.
    pub(super) fn refuse(
        &self,
        client: &Client,
        return_address: &ReturnAddress,
        refusal: Refusal,
    ) -> AuthorizationOutcome {
        tracing::info!(client.id = %client.id, reason = %refusal, "authorization refused");
        AuthorizationOutcome::Respond(return_address.refuse(&self.issuer, refusal))
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

    /// Issues a code. If the request is a transaction, it ends here, once.
    async fn grant(
        &self,
        pending: Pending,
        signed_in: &SignedIn,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let now = self.clock.now();
        let lifetimes = &self.policy.lifetimes;
        let grant = self.new_grant(&pending.client, &pending.request, signed_in, now);
        let offline_at = grant.scopes.contains(OFFLINE_ACCESS).then_some(now);
        let code = self.random.secret(SecretKind::AuthorizationCode);
        let digest = code.digest();
        let record = AuthorizationCode {
            grant_id: grant.id,
            redirect_uri: pending.return_address.redirect_uri().to_owned(),
            code_challenge: pending.request.code_challenge,
            failures: 0,
            expires_at: now.after(lifetimes.authorization_code),
        };
        tracing::info!(
            client.id = %grant.client_id, subject = %grant.user_id, grant.id = %grant.id,
            "authorization granted"
        );
        let transaction = pending
            .transaction
            .map(|(handle, transaction)| (handle.digest(), transaction.browser_digest));
        let pushed = pending.pushed;
        let session_id = signed_in.session.id;
        let touch = (now.seconds_since(signed_in.session.seen_at) >= SEEN_EVERY)
            .then(|| now.after(lifetimes.session_idle));
        let issuance = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    if let Some((digest, browser)) = transaction
                        && !authorization_transactions::finish(db, &digest, &browser, now).await?
                    {
                        return Ok(Issuance::Finished);
                    }
                    // RFC 9126 section 7.3: a request_uri is used once.
                    if let Some(pushed) = pushed
                        && !pushed_authorization_requests::consume(db, &pushed, now).await?
                    {
                        return Ok(Issuance::RequestUriUsed);
                    }
                    grants::insert(db, &grant, offline_at).await?;
                    authorization_codes::insert(db, &digest, &record).await?;
                    if let Some(idle_expires_at) = touch {
                        crate::store::sessions::touch(db, session_id, now, idle_expires_at).await?;
                    }
                    Ok::<_, StoreError>(Issuance::Done)
                })
            })
            .await?;
        match issuance {
            Issuance::Done => {
                let response = pending.return_address.grant(&self.issuer, &code);
                Ok(AuthorizationOutcome::Respond(response))
            }
            Issuance::Finished => Err(TransactionError::Finished.into()),
            Issuance::RequestUriUsed => {
                let refusal = Refusal::RequestUriUsed;
                Ok(self.refuse(&pending.client, &pending.return_address, refusal))
            }
        }
    }

    /// What `request` of `client` asks for, granted.
    pub(super) fn new_grant(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
        signed_in: &SignedIn,
        now: Timestamp,
    ) -> Grant {
        let lifetimes = &self.policy.lifetimes;
        Grant {
            id: GrantId(self.random.uuid()),
            client_id: client.id.clone(),
            user_id: signed_in.user.id,
            session_id: signed_in.session.id,
            scopes: request.scopes.clone(),
            authenticated_at: signed_in.session.authenticated_at,
            acr: request.acr.answer(&signed_in.session.amr).to_owned(),
            amr: signed_in.session.amr.clone(),
            nonce: request.nonce.clone(),
            details: GrantDetails {
                claims: request.claims.about_user(),
                authorization_details: request.authorization_details.clone(),
            },
            created_at: now,
            expires_at: grant::expiry(client, &request.scopes, lifetimes, now),
        }
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

    /// The user whom an `id_token_hint` names, if it is an ID token that was issued to `client`,
    /// expired or not. It says who is meant, and signs nobody in.
    pub(in crate::provider) fn hinted_user(&self, hint: &str, client: &Client) -> Option<UserId> {
        let claims = self.read_id_token(hint, Some(client.id.as_str())).ok()?;
        claims.sub.parse().ok()
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

/// The seconds after which a session's last use is written down again.
const SEEN_EVERY: i64 = 60;
