//! Request objects: reading them, and fetching those that are named by reference
//! ([RFC 9101 sections 5 and 6], [OIDC Core section 6]).
//!
//! [RFC 9101 sections 5 and 6]: https://www.rfc-editor.org/rfc/rfc9101#section-5
//! [OIDC Core section 6]: https://openid.net/specs/openid-connect-core-1_0.html#JWTRequests

use crate::keys::jwt::JwtError;
use crate::keys::signed_jwt::{Accepted, SignedJwt, SignedJwtError};
use crate::oidc::authorization_request::Refusal;
use crate::oidc::client::Client;
use crate::oidc::jwt_claims::JwtClaims;
use crate::oidc::parameters::Parameters;
use crate::oidc::request_object::{
    self, Expected, RequestObjectError, RequestObjectSigningAlgorithm, TYPES, unsecured,
};
use crate::oidc::request_uri::RequestUriRefusal;
use crate::provider::Provider;
use crate::provider::client::signed_by_client::ClientJwtError;

impl Provider {
    /// The authorization request in the request object `text`, with which `sent` came.
    pub(in crate::provider) async fn read_request_object(
        &self,
        client: &Client,
        text: &str,
        sent: &Parameters,
    ) -> Result<Parameters, RequestObjectError> {
        let claims = match unsecured(text) {
            Some(claims) if self.may_be_unsigned(client) => claims?,
            Some(_) => return Err(RequestObjectError::Unsigned),
            None => self.verify_request_object(client, text).await?,
        };
        let expected = Expected {
            client_id: client.id.as_str(),
            issuer: self.issuer.as_str(),
            now: self.clock.now(),
            must_be_fresh: client.metadata.profile.requires_fresh_request_objects(),
        };
        request_object::request(claims, sent, &expected)
    }

    /// The request object that is at `request_uri`.
    pub(in crate::provider) async fn fetch_request_object(
        &self,
        client: &Client,
        request_uri: &str,
    ) -> Result<String, Refusal> {
        if !self.policy.request_uri {
            return Err(RequestUriRefusal::NotSupported.into());
        }
        let mut registered = client.metadata.request_uris.iter();
        if !registered.any(|uri| uri.matches(request_uri)) {
            return Err(RequestUriRefusal::NotRegistered.into());
        }
        let accept = "application/oauth-authz-req+jwt, application/jwt";
        let fetched = self.outbound.fetch(request_uri, accept, LONGEST).await;
        let document = fetched.map_err(|error| {
            tracing::info!(client.id = %client.id, reason = %error, "request_uri not fetched");
            RequestUriRefusal::NotFetched
        })?;
        let text = String::from_utf8(document.content);
        let text = text.map_err(|_| RequestObjectError::Malformed)?;
        Ok(text.trim().to_owned())
    }

    async fn verify_request_object(
        &self,
        client: &Client,
        text: &str,
    ) -> Result<JwtClaims, RequestObjectError> {
        let only;
        let algorithms = match client.metadata.request_object_signing_alg {
            None => client.metadata.profile.algorithms(),
            Some(RequestObjectSigningAlgorithm::Signed(algorithm)) => {
                only = [algorithm];
                &only
            }
            Some(RequestObjectSigningAlgorithm::Unsigned) => {
                return Err(RequestObjectError::AlgorithmNotAllowed);
            }
        };
        let accepted = Accepted {
            algorithms,
            types: TYPES,
            requires_type: false,
        };
        let jwt = SignedJwt::parse(text, &accepted).map_err(why)?;
        let verified = self.verify_signed_by_client(client, &jwt).await;
        verified.map_err(|error| match error {
            ClientJwtError::Jwt(error) => why(error),
            error => {
                tracing::info!(client.id = %client.id, reason = %error, "no keys of the client");
                RequestObjectError::NoKeys
            }
        })
    }

    /// Whether `client` may send what nobody signed: if the operator lets clients, and this one
    /// has not said to sign.
    fn may_be_unsigned(&self, client: &Client) -> bool {
        let algorithm = client.metadata.request_object_signing_alg;
        self.policy.unsigned_request_objects
            && client.metadata.profile.allows_unsigned_request_objects()
            && !client.metadata.require_signed_request_object
            && matches!(
                algorithm,
                None | Some(RequestObjectSigningAlgorithm::Unsigned)
            )
    }
}

fn why(error: SignedJwtError) -> RequestObjectError {
    match error {
        SignedJwtError::Malformed(JwtError::WrongType) => RequestObjectError::WrongType,
        SignedJwtError::Malformed(JwtError::MalformedClaims) => RequestObjectError::MalformedClaims,
        SignedJwtError::Malformed(_) => RequestObjectError::Malformed,
        SignedJwtError::AlgorithmNotAllowed => RequestObjectError::AlgorithmNotAllowed,
        SignedJwtError::UnknownKey => RequestObjectError::NoKeys,
        SignedJwtError::NoEmbeddedKey
        | SignedJwtError::ShortSecret
        | SignedJwtError::WrongSignature => RequestObjectError::WrongSignature,
    }
}

/// No longer than a JWT may be.
const LONGEST: usize = 16 * 1024;
