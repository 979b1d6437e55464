//! Answering an authorization request: with what it asked for, or with why not.
//!
//! Codes and tokens are made and signed first; then one unit of work finishes the transaction,
//! once, and stores the grant with all that hangs on it.

use crate::oidc::authorization_request::{AuthorizationRequest, Refusal};
use crate::oidc::authorization_response::{
    AuthorizationResponse, ResponseParameters, ReturnAddress, SignedResponseClaims,
    refusal_parameters,
};
use crate::oidc::client::Client;
use crate::oidc::confirmation::Confirmation;
use crate::oidc::grant::{
    self, AccessTokenRecord, AuthorizationCode, Grant, GrantDetails, GrantId,
};
use crate::oidc::protected_response::Protection;
use crate::oidc::request_uri::RequestUriRefusal;
use crate::oidc::scope::OFFLINE_ACCESS;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::provider::client::token::issue::{Access, AccessToken, FrontChannel, Subject};
use crate::provider::{InternalError, Provider};
use crate::store::{
    Connection, StoreError, access_tokens, authorization_codes, authorization_transactions, grants,
    pushed_authorization_requests,
};

use super::authorization::{AuthorizationError, AuthorizationOutcome, Pending};
use super::session_use::SessionUse;
use super::transaction::TransactionError;
use super::{Browser, SignedIn};

impl Provider {
    /// Tells the client no.
    pub(super) async fn refuse(
        &self,
        client: &Client,
        return_address: &ReturnAddress,
        refusal: Refusal,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        tracing::info!(client.id = %client.id, reason = %refusal, "authorization refused");
        let parameters = refusal_parameters(refusal);
        let response = self.respond(client, return_address, parameters).await?;
        Ok(AuthorizationOutcome::Respond(response))
    }

    /// Issues what the request asked for. If it is a transaction, it ends here, once.
    pub(super) async fn grant(
        &self,
        browser: &Browser,
        pending: Pending,
        signed_in: &SignedIn,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let now = self.clock.now();
        let lifetimes = &self.policy.lifetimes;
        let grant = self.new_grant(&pending.client, &pending.request, signed_in, now);
        let mut issued = self.issue(&pending, &grant, signed_in, now).await?;
        let session_state = self.session_state(browser, &pending);
        issued.parameters.extend(session_state);
        let (client, address) = (&pending.client, &pending.return_address);
        let response = self.respond(client, address, issued.parameters).await?;
        let profile = client.metadata.profile;
        let code = issued.code.map(|code| {
            let record = AuthorizationCode {
                grant_id: grant.id,
                redirect_uri: pending.return_address.redirect_uri().to_owned(),
                code_challenge: pending.request.code_challenge,
                failures: 0,
                expires_at: now.after(profile.code_lifetime(lifetimes.authorization_code)),
            };
            (code.digest(), record)
        });
        let access_token = issued.access_token.as_mut();
        let access_token = access_token.and_then(|token| token.record.take());
        tracing::info!(
            client.id = %grant.client_id, subject = %grant.user_id, grant.id = %grant.id,
            "authorization granted"
        );
        let record = Record {
            transaction: pending
                .transaction
                .map(|(handle, transaction)| (handle.digest(), transaction.browser_digest)),
            pushed: pending.pushed,
            grant,
            code,
            access_token,
            session: self.session_use(&pending.client, signed_in, now),
        };
        let issuance = self
            .store
            .write(move |db| Box::pin(record.store(db, now)))
            .await?;
        match issuance {
            Issuance::Done => Ok(AuthorizationOutcome::Respond(response)),
            Issuance::Finished => Err(TransactionError::Finished.into()),
            Issuance::RequestUriUsed => {
                let refusal = RequestUriRefusal::Used.into();
                let (client, address) = (&pending.client, &pending.return_address);
                self.refuse(client, address, refusal).await
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
                resources: request.resources.clone(),
                dpop_jkt: request.dpop_jkt.clone(),
                authorization_details: request.authorization_details.clone(),
            },
            created_at: now,
            expires_at: grant::expiry(client, &request.scopes, lifetimes, now),
        }
    }

    /// Makes the code and the tokens of the request's response type
    /// ([OIDC Core sections 3.2.2.5 and 3.3.2.5]).
    ///
    /// [OIDC Core sections 3.2.2.5 and 3.3.2.5]: https://openid.net/specs/openid-connect-core-1_0.html#HybridAuthResponse
    async fn issue(
        &self,
        pending: &Pending,
        grant: &Grant,
        signed_in: &SignedIn,
        now: Timestamp,
    ) -> Result<Issued, InternalError> {
        let client = &pending.client;
        let response_type = pending.request.response_type;
        let mut parameters = ResponseParameters::new();
        let code = response_type
            .has_code()
            .then(|| self.random.secret(SecretKind::AuthorizationCode));
        if let Some(code) = &code {
            parameters.push(("code", code.expose().to_owned()));
        }
        let mut access_token = None;
        if response_type.has_token() {
            let mut access = Access::all_of(grant);
            if let Some(resource) = grant.details.resources.first() {
                access = self.access_to(client, resource, access)?;
            }
            // Such a token comes by the browser, where nobody proves anything.
            let bound_to = Confirmation::default();
            let subject = Subject::User(grant);
            let token = self.make_access_token(client, subject, access, &bound_to, now)?;
            parameters.extend(token.parameters());
            access_token = Some(token);
        }
        if response_type.has_id_token() {
            let beside = FrontChannel {
                response_type,
                code: code.as_ref(),
                access_token: access_token.as_ref(),
            };
            let user = &signed_in.user;
            let id_token = self.make_front_channel_id_token(client, grant, user, &beside, now);
            parameters.push(("id_token", id_token.await?));
        }
        Ok(Issued {
            parameters,
            code,
            access_token,
        })
    }

    /// The answer that brings `parameters` to `client`, signed if it asked for that, and encrypted
    /// if it always wants that.
    async fn respond(
        &self,
        client: &Client,
        return_address: &ReturnAddress,
        parameters: ResponseParameters,
    ) -> Result<AuthorizationResponse, InternalError> {
        let parameters = return_address.complete(&self.issuer, parameters);
        if !return_address.response_mode().is_signed {
            return Ok(return_address.carry(parameters));
        }
        let claims = SignedResponseClaims::new(&client.id, parameters, self.clock.now());
        let protection = Protection::of_authorization_response(&client.metadata);
        let signed = self.sign_content(protection, None, &claims)?;
        let response = self.encrypt_content(client, protection, signed).await?;
        Ok(return_address.carry(vec![("response", response)]))
    }
}

/// What became of storing what was made.
enum Issuance {
    /// It is stored.
    Done,
    /// The transaction was answered before.
    Finished,
    /// Something was granted through the same pushed request before.
    RequestUriUsed,
}

/// What an answer leaves in the store.
struct Record {
    /// The transaction that it ends, and the browser that began that.
    transaction: Option<(Digest, Digest)>,
    /// The pushed request that it uses up.
    pushed: Option<Digest>,
    grant: Grant,
    code: Option<(Digest, AuthorizationCode)>,
    access_token: Option<(Digest, AccessTokenRecord)>,
    session: SessionUse,
}

impl Record {
    async fn store(self, db: &mut Connection, now: Timestamp) -> Result<Issuance, StoreError> {
        if let Some((digest, browser)) = self.transaction
            && !authorization_transactions::finish(db, &digest, &browser, now).await?
        {
            return Ok(Issuance::Finished);
        }
        // RFC 9126 section 7.3: a request_uri is used once.
        if let Some(pushed) = self.pushed
            && !pushed_authorization_requests::consume(db, &pushed, now).await?
        {
            return Ok(Issuance::RequestUriUsed);
        }
        let grant = &self.grant;
        let offline_at = grant.scopes.contains(OFFLINE_ACCESS).then_some(now);
        grants::insert(db, grant, offline_at).await?;
        if let Some((digest, record)) = self.code {
            authorization_codes::insert(db, &digest, &record).await?;
        }
        if let Some((digest, record)) = self.access_token {
            access_tokens::insert(db, &digest, &record).await?;
        }
        self.session.note(db, now).await?;
        Ok(Issuance::Done)
    }
}

/// What was made for an answer.
struct Issued {
    /// All of it, as the client gets it.
    parameters: ResponseParameters,
    /// The code.
    code: Option<Secret>,
    /// The access token, which may have to be stored.
    access_token: Option<AccessToken>,
}
