//! Pushed authorization requests ([RFC 9126]).
//!
//! [RFC 9126]: https://www.rfc-editor.org/rfc/rfc9126

use serde::Serialize;

use super::client::ClientId;
use super::parameters::Parameters;
use super::secret::{Secret, SecretKind};
use super::timestamp::Timestamp;

/// A pushed authorization request as it is kept, under the digest of its `request_uri`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PushedAuthorizationRequest {
    /// The client that pushed it: no other may use it.
    pub client_id: ClientId,
    /// The parameters that count, form-encoded.
    pub request: String,
    /// When it was pushed.
    pub created_at: Timestamp,
    /// When no sign-in can start from it any more.
    pub expires_at: Timestamp,
    /// When it was granted, if it was: it is granted once.
    pub used_at: Option<Timestamp>,
}

/// The answer to a pushed request ([RFC 9126 section 2.2]).
///
/// [RFC 9126 section 2.2]: https://www.rfc-editor.org/rfc/rfc9126#section-2.2
#[derive(Clone, Debug, Serialize)]
pub struct PushedAuthorizationResponse {
    /// What the client sends the browser with, in place of the parameters.
    pub request_uri: String,
    /// Its lifetime in seconds.
    pub expires_in: u64,
}

/// The `request_uri` of a pushed request, if that is what `request_uri` can be.
#[must_use]
pub fn reference(request_uri: &str) -> Option<Secret> {
    Secret::parse(SecretKind::PushedAuthorizationRequest, request_uri)
}

/// Whether `request_uri` names, rightly or not, what was pushed to Keyfob, and no document on the
/// web.
#[must_use]
pub fn is_reference(request_uri: &str) -> bool {
    request_uri.starts_with(SecretKind::PushedAuthorizationRequest.prefix())
}

/// What is kept of the body of a pushed request: the authorization request of `client`, and
/// nothing that authenticated it ([RFC 9126 section 2.1]).
///
/// [RFC 9126 section 2.1]: https://www.rfc-editor.org/rfc/rfc9126#section-2.1
#[must_use]
pub fn without_credentials(body: Parameters, client: &ClientId) -> Parameters {
    body.without(CREDENTIALS).with("client_id", client.as_str())
}

/// The parameters that authenticate a client, and its identifier.
const CREDENTIALS: &[&str] = &[
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authenticated_the_client_is_not_kept() {
        let body = "client_secret=s&scope=openid&client_assertion=a&client_assertion_type=t&\
                    state=x&state=y";
        let body = Parameters::parse(body).unwrap();
        let kept = without_credentials(body, &"app".parse().unwrap());
        assert_eq!(kept.encode(), "scope=openid&state=x&state=y&client_id=app");
    }

    #[test]
    fn a_reference_is_told_from_an_address() {
        let secret = Secret::new(SecretKind::PushedAuthorizationRequest, &[7; 32]);
        assert!(reference(secret.expose()).is_some());
        for (request_uri, is) in [
            ("urn:ietf:params:oauth:request_uri:", true),
            ("urn:ietf:params:oauth:request_uri:short", true),
            ("https://rp.test/request", false),
            ("urn:example:other", false),
        ] {
            assert!(reference(request_uri).is_none(), "{request_uri}");
            assert_eq!(is_reference(request_uri), is, "{request_uri}");
        }
    }
}
