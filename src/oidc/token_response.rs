//! The token response ([RFC 6749 section 5.1], [RFC 8693 section 2.2.1], [OIDC Core section 3.1.3.3]).
//!
//! [RFC 6749 section 5.1]: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
//! [RFC 8693 section 2.2.1]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1
//! [OIDC Core section 3.1.3.3]: https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse

use serde::Serialize;

use super::authorization_details::AuthorizationDetails;
use super::scope::Scopes;

/// The tokens that answer a token request.
#[derive(Clone, Debug, Serialize)]
pub struct TokenResponse {
    /// The key card.
    pub access_token: String,
    /// What the access token is, where that was not clear from the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// `Bearer`, or `DPoP` where it is bound to a key.
    pub token_type: &'static str,
    /// The lifetime of the access token in seconds.
    pub expires_in: u64,
    /// What was granted.
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub scope: Scopes,
    /// What was granted in detail ([RFC 9396 section 7]).
    ///
    /// [RFC 9396 section 7]: https://www.rfc-editor.org/rfc/rfc9396#section-7
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// What gets the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The badge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}
