//! What the tokens say ([OIDC Core section 2], [RFC 9068 section 2.2]).
//!
//! [OIDC Core section 2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
//! [RFC 9068 section 2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::authorization_details::AuthorizationDetails;
use super::confirmation::Confirmation;
use super::scope::Scopes;
use super::signing_algorithm::SigningAlgorithm;
use super::timestamp::Timestamp;
use super::token_exchange::Actor;

/// The claims of an ID token: the badge, for one client.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct IdTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The subject.
    pub sub: String,
    /// The client, and nobody else.
    pub aud: String,
    /// When it ends.
    pub exp: Timestamp,
    /// When it was issued.
    pub iat: Timestamp,
    /// When the user proved who they are.
    pub auth_time: Timestamp,
    /// The nonce of the request; not in an ID token that a refresh gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How strongly the user was authenticated.
    pub acr: String,
    /// How.
    pub amr: Vec<String>,
    /// The client.
    pub azp: String,
    /// The half hash of the access token issued with it, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The half hash of the code that travels with it, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// The session.
    pub sid: String,
    /// The claims of the granted scopes, unless the client's ID tokens are lean.
    #[serde(flatten)]
    pub user: Map<String, Value>,
}

/// The claims of a JWT access token: the key card, for the APIs it names.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AccessTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The user, or the client that acts as itself.
    pub sub: String,
    /// The APIs it is for.
    pub aud: OneOrMany,
    /// When it ends.
    pub exp: Timestamp,
    /// When it was issued.
    pub iat: Timestamp,
    /// Its identifier.
    pub jti: String,
    /// The client it was issued to.
    pub client_id: String,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    pub scope: Scopes,
    /// The keys that it is bound to.
    #[serde(default, skip_serializing_if = "Confirmation::is_empty")]
    pub cnf: Confirmation,
    /// What it allows in detail ([RFC 9396 section 9.1]).
    ///
    /// [RFC 9396 section 9.1]: https://www.rfc-editor.org/rfc/rfc9396#section-9.1
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The grant it belongs to, by which Keyfob's own endpoints know whether it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Who acts for the subject, in a token that came of an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// A member that is one string, or a list of more or fewer ([RFC 7519 section 4.1.3]).
///
/// [RFC 7519 section 4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl OneOrMany {
    /// Whether `value` is among them.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        match self {
            Self::One(own) => own == value,
            Self::Many(all) => all.iter().any(|own| own == value),
        }
    }
}

impl From<Vec<String>> for OneOrMany {
    fn from(mut all: Vec<String>) -> Self {
        if all.len() == 1 {
            return Self::One(all.remove(0));
        }
        Self::Many(all)
    }
}

/// Every claim that an answer of Keyfob can have: `claims_supported` of the metadata.
pub const SUPPORTED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "email",
    "email_verified",
    "address",
    "phone_number",
    "phone_number_verified",
    "groups",
];

/// The claim `at_hash` of an access token, or `c_hash` of a code
/// ([OIDC Core sections 3.1.3.6 and 3.3.2.11]): the left half of the hash that goes with the ID
/// token's algorithm; SHA-512 for Ed25519, which uses it itself.
///
/// [OIDC Core sections 3.1.3.6 and 3.3.2.11]: https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken
#[must_use]
pub fn half_hash(algorithm: SigningAlgorithm, value: &str) -> String {
    match algorithm {
        SigningAlgorithm::RS256 | SigningAlgorithm::ES256 | SigningAlgorithm::PS256 => {
            URL_SAFE_NO_PAD.encode(&Sha256::digest(value)[..16])
        }
        SigningAlgorithm::ES384 => URL_SAFE_NO_PAD.encode(&Sha384::digest(value)[..24]),
        SigningAlgorithm::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(value)[..32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_hashes_are_those_of_the_specifications_examples() {
        // OIDC Core, appendix A.4: the code and its c_hash.
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        let expected = "LDktKdoQak3Pk0cnXxCltA";
        assert_eq!(half_hash(SigningAlgorithm::RS256, code), expected);
        // Appendix A.3: the access token and its at_hash.
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let expected = "77QmUPtjPfzWtF2AnpK9RQ";
        assert_eq!(half_hash(SigningAlgorithm::RS256, access_token), expected);
        assert_eq!(half_hash(SigningAlgorithm::PS256, access_token), expected);
        for (algorithm, length) in [(SigningAlgorithm::ES384, 32), (SigningAlgorithm::EdDsa, 43)] {
            assert_eq!(
                half_hash(algorithm, access_token).len(),
                length,
                "half of its hash"
            );
        }
    }
}
