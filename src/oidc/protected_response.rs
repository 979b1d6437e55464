//! Answers that are JWTs, signed for the client that they are for: of the userinfo endpoint
//! ([OIDC Core section 5.3.2]) and of the introspection endpoint ([RFC 9701]).
//!
//! [OIDC Core section 5.3.2]: https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client_metadata::ClientMetadata;
use super::signing_algorithm::SigningAlgorithm;
use super::timestamp::Timestamp;

/// How an answer to a client is protected beside by TLS.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Protection {
    /// The algorithm that signs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SigningAlgorithm>,
}

impl Protection {
    /// That of userinfo: none, unless the client asked for it.
    #[must_use]
    pub fn of_userinfo(metadata: &ClientMetadata) -> Self {
        Self {
            signed_by: metadata.userinfo_signed_response_alg,
        }
    }

    /// That of an introspection response which is asked for as a JWT: signed by RS256, unless the
    /// client says otherwise ([RFC 9701 section 6]).
    ///
    /// [RFC 9701 section 6]: https://www.rfc-editor.org/rfc/rfc9701#section-6
    #[must_use]
    pub fn of_introspection(metadata: &ClientMetadata) -> Self {
        let algorithm = metadata.introspection_signed_response_alg;
        Self {
            signed_by: Some(algorithm.unwrap_or_default()),
        }
    }

    /// Whether there is none, so that the answer is plain JSON.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// In what form an introspection response is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntrospectionForm {
    /// JSON ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
    Json,
    /// A JWT ([RFC 9701](https://www.rfc-editor.org/rfc/rfc9701)).
    Jwt,
}

/// The claims of userinfo that is a JWT ([OIDC Core section 5.3.2]).
///
/// [OIDC Core section 5.3.2]: https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
#[derive(Clone, Debug, Serialize)]
pub struct UserinfoClaims<'a> {
    /// The issuer.
    pub iss: &'a str,
    /// The client.
    pub aud: &'a str,
    /// `sub` and what else it says of the user.
    #[serde(flatten)]
    pub user: &'a Map<String, Value>,
}

/// The claims of an introspection response that is a JWT ([RFC 9701 section 5]).
///
/// `sub` and `exp` are the token's and not its own, so that it is not taken for a token.
///
/// [RFC 9701 section 5]: https://www.rfc-editor.org/rfc/rfc9701#section-5
#[derive(Clone, Debug, Serialize)]
pub struct IntrospectionClaims<'a, T: Serialize> {
    /// The issuer.
    pub iss: &'a str,
    /// Who asked.
    pub aud: &'a str,
    /// When it was answered.
    pub iat: Timestamp,
    /// What there is to know of the token.
    pub token_introspection: &'a T,
}
