//! The JWT bearer grant ([RFC 7523 section 2.1]): a workload of a trusted issuer acts as the client
//! that it is registered as.
//!
//! It names its `client_id`, and the JWT that its platform gave it stands in for a secret. What it
//! gets is what the client credentials grant gives.
//!
//! [RFC 7523 section 2.1]: https://www.rfc-editor.org/rfc/rfc7523#section-2.1

use crate::keys::public_keys::PublicKeySet;
use crate::keys::signed_jwt::{Accepted, SignedJwt};
use crate::oidc::client::Client;
use crate::oidc::jwt_claims::JwtClaims;
use crate::oidc::token_request::JwtBearerRequest;
use crate::oidc::token_response::TokenResponse;
use crate::oidc::workload_identity::{self, IssuerKeys, TrustedIssuer, claimed_issuer};
use crate::provider::Provider;
use crate::provider::client::dpop::Sender;
use crate::provider::client::signed_by_client::ClientJwtError;
use crate::store::{StoreError, access_tokens, used_assertions};

use super::TokenError;
use super::client_credentials::own_scopes;
use super::issue::Subject;

impl Provider {
    /// Issues an access token that speaks for `client` itself to a workload that is it.
    pub(super) async fn act_as_workload(
        &self,
        client: &Client,
        request: &JwtBearerRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        let claimed = claimed_issuer(&request.assertion);
        let mut trusted = self.policy.trusted_issuers.iter();
        let issuer = trusted.find(|issuer| Some(&issuer.issuer) == claimed.as_ref());
        let issuer = issuer.ok_or(TokenError::UntrustedIssuer)?;
        let claims = self.verify_of_issuer(issuer, &request.assertion).await?;
        let now = self.clock.now();
        let used = workload_identity::check(
            &claims,
            issuer,
            &self.assertion_audiences,
            &client.metadata.workload_identities,
            now,
        )?;
        let scopes = own_scopes(client, request.scopes.as_ref())?;
        let access = self.own_access(client, scopes.into(), &request.resources)?;
        let confirmation = self.bind(client, sender).await?;
        let mut access_token =
            self.make_access_token(client, Subject::Client, access, &confirmation, now)?;
        let record = access_token.record.take();
        let is_first = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    if let Some(used) = used
                        && !used_assertions::insert(db, &used.digest, used.expires_at).await?
                    {
                        return Ok(false);
                    }
                    if let Some((digest, record)) = record {
                        access_tokens::insert(db, &digest, &record).await?;
                    }
                    Ok::<_, StoreError>(true)
                })
            })
            .await?;
        if !is_first {
            return Err(TokenError::ReplayedAssertion);
        }
        tracing::info!(
            client.id = %client.id, issuer = issuer.issuer, workload = claims.text("sub"),
            "a workload signed in"
        );
        Ok(access_token.respond(None, None))
    }

    /// The claims of `assertion`, if `issuer` signed it.
    async fn verify_of_issuer(
        &self,
        issuer: &TrustedIssuer,
        assertion: &str,
    ) -> Result<JwtClaims, TokenError> {
        let accepted = Accepted {
            algorithms: &issuer.algorithms,
            types: workload_identity::TYPES,
            requires_type: false,
        };
        let jwt = SignedJwt::parse(assertion, &accepted).map_err(ClientJwtError::from)?;
        let verified = match &issuer.keys {
            IssuerKeys::Given(jwks) => PublicKeySet::from_jwks(jwks)
                .map_err(ClientJwtError::from)
                .and_then(|keys| Ok(jwt.verify(&keys)?)),
            IssuerKeys::At(uri) => self.verify_with_keys_at(uri, &jwt).await,
            IssuerKeys::Discovered => {
                let uri = self.discover_jwks_uri(&issuer.issuer).await?;
                self.verify_with_keys_at(&uri, &jwt).await
            }
        };
        Ok(verified?)
    }
}
