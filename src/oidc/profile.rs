//! Security profiles: what is asked of single clients beyond what is asked of all
//! ([FAPI 2.0 Security Profile], [FAPI 2.0 Message Signing]).
//!
//! Whoever decides something that a profile has otherwise asks here, and a registration that does
//! not go with its profile is refused.
//!
//! [FAPI 2.0 Security Profile]: https://openid.net/specs/fapi-security-profile-2_0-final.html
//! [FAPI 2.0 Message Signing]: https://openid.net/specs/fapi-message-signing-2_0-final.html

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client_assertion::Audience;
use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata::{ApplicationType, ClientMetadata};
use super::grant_type::GrantType;
use super::jws_algorithm::JwsAlgorithm;
use super::registration::MetadataError;
use super::request_object::RequestObjectSigningAlgorithm;
use super::signing_algorithm::SigningAlgorithm;

/// The security profile that an operator holds a client to.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// None: what is asked of all.
    #[default]
    None,
    /// FAPI 2.0: the security profile, and message signing as far as the client uses it.
    Fapi2,
}

impl Profile {
    /// Whether it is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether authorization requests must be pushed (FAPI 2.0 Security Profile section 5.3.2.2).
    #[must_use]
    pub const fn requires_pushed_requests(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether PKCE is required (FAPI 2.0 Security Profile section 5.3.2.2).
    #[must_use]
    pub const fn requires_pkce(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether a request object may be unsigned, where the operator lets clients.
    #[must_use]
    pub const fn allows_unsigned_request_objects(self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether a request object must have `aud`, and `nbf` and `exp` within an hour
    /// (FAPI 2.0 Message Signing section 5.3.1).
    #[must_use]
    pub const fn requires_fresh_request_objects(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether a refresh token is replaced at each use. A client whose tokens are bound to a key,
    /// and that authenticates with one, gains nothing by that, and could lose its token with an
    /// answer (FAPI 2.0 Security Profile section 5.3.2.1).
    #[must_use]
    pub const fn rotates_refresh_tokens(self) -> bool {
        matches!(self, Self::None)
    }

    /// The algorithms under which a client may sign with a private key (FAPI 2.0 Security Profile
    /// section 5.4.1).
    #[must_use]
    pub const fn algorithms(self) -> &'static [JwsAlgorithm] {
        match self {
            Self::None => JwsAlgorithm::ASYMMETRIC,
            Self::Fapi2 => JwsAlgorithm::FAPI,
        }
    }

    /// The algorithm under which Keyfob signs for a client that does not say.
    #[must_use]
    pub const fn usual_algorithm(self) -> SigningAlgorithm {
        match self {
            Self::None => SigningAlgorithm::RS256,
            Self::Fapi2 => SigningAlgorithm::ES256,
        }
    }

    /// Whom a client assertion may be for: `issuer` alone, or any of this server's `own` names
    /// (FAPI 2.0 Security Profile section 5.3.2.1).
    #[must_use]
    pub const fn assertion_audience<'a>(self, issuer: &'a str, own: &'a [String]) -> Audience<'a> {
        match self {
            Self::None => Audience::OneOf(own),
            Self::Fapi2 => Audience::IssuerAlone(issuer),
        }
    }

    /// For how long a code lives that usually does for `usual` (FAPI 2.0 Security Profile section
    /// 5.3.2.2: a minute at most).
    #[must_use]
    pub fn code_lifetime(self, usual: Duration) -> Duration {
        match self {
            Self::None => usual,
            Self::Fapi2 => usual.min(LONGEST_CODE),
        }
    }

    /// For how long a pushed request lives that usually does for `usual` (FAPI 2.0 Security
    /// Profile section 5.3.2.2: less than ten minutes).
    #[must_use]
    pub fn pushed_request_lifetime(self, usual: Duration) -> Duration {
        match self {
            Self::None => usual,
            Self::Fapi2 => usual.min(LONGEST_PUSHED_REQUEST),
        }
    }

    /// Whether Keyfob may sign under `algorithm` for a client.
    #[must_use]
    pub fn allows(self, algorithm: SigningAlgorithm) -> bool {
        let mut allowed = self.algorithms().iter();
        allowed.any(|it| it.as_str() == algorithm.as_str())
    }
}

/// Fills in what a client's profile has otherwise than is usual, where the description of the
/// client does not say.
pub fn complete(description: &mut Map<String, Value>) {
    let profile = description.get("profile").cloned().unwrap_or_default();
    let profile = serde_json::from_value(profile).unwrap_or(Profile::None);
    if profile.is_none() {
        return;
    }
    for member in [
        "id_token_signed_response_alg",
        "access_token_signed_response_alg",
    ] {
        let algorithm = profile.usual_algorithm().as_str();
        let value = description.entry(member).or_insert(Value::Null);
        if value.is_null() {
            *value = algorithm.into();
        }
    }
}

/// Checks that a registration goes with its profile.
///
/// # Errors
///
/// The member that does not.
pub fn check(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let rules: &[Rule] = match metadata.profile {
        Profile::None => &[],
        Profile::Fapi2 => FAPI2,
    };
    for (member, reason, keeps) in rules {
        if !keeps(metadata) {
            return Err(MetadataError::new(member, format!("FAPI 2.0: {reason}")));
        }
    }
    Ok(())
}

/// A member, what it must be, and whether it is.
type Rule = (&'static str, &'static str, fn(&ClientMetadata) -> bool);

const FAPI2: &[Rule] = &[
    (
        "token_endpoint_auth_method",
        "it must be private_key_jwt, tls_client_auth or self_signed_tls_client_auth",
        |metadata| {
            matches!(
                metadata.token_endpoint_auth_method,
                ClientAuthenticationMethod::PrivateKeyJwt
                    | ClientAuthenticationMethod::TlsClientAuth
                    | ClientAuthenticationMethod::SelfSignedTlsClientAuth
            )
        },
    ),
    ("token_endpoint_auth_signing_alg", ALGORITHMS, |metadata| {
        let algorithm = metadata.token_endpoint_auth_signing_alg;
        algorithm.is_none_or(|it| metadata.profile.algorithms().contains(&it))
    }),
    (
        "request_object_signing_alg",
        ALGORITHMS,
        |metadata| match metadata.request_object_signing_alg {
            None => true,
            Some(RequestObjectSigningAlgorithm::Unsigned) => false,
            Some(RequestObjectSigningAlgorithm::Signed(algorithm)) => {
                metadata.profile.algorithms().contains(&algorithm)
            }
        },
    ),
    ("id_token_signed_response_alg", ALGORITHMS, |metadata| {
        metadata
            .profile
            .allows(metadata.id_token_signed_response_alg)
    }),
    ("access_token_signed_response_alg", ALGORITHMS, |metadata| {
        metadata
            .profile
            .allows(metadata.access_token_signed_response_alg)
    }),
    (
        "authorization_signed_response_alg",
        ALGORITHMS,
        |metadata| {
            let algorithm = metadata.authorization_signed_response_alg;
            algorithm.is_none_or(|it| metadata.profile.allows(it))
        },
    ),
    ("userinfo_signed_response_alg", ALGORITHMS, |metadata| {
        let algorithm = metadata.userinfo_signed_response_alg;
        algorithm.is_none_or(|it| metadata.profile.allows(it))
    }),
    (
        "introspection_signed_response_alg",
        ALGORITHMS,
        |metadata| {
            let algorithm = metadata.introspection_signed_response_alg;
            algorithm.is_none_or(|it| metadata.profile.allows(it))
        },
    ),
    (
        "dpop_bound_access_tokens",
        "it must be true, or else tls_client_certificate_bound_access_tokens",
        |metadata| {
            metadata.dpop_bound_access_tokens || metadata.tls_client_certificate_bound_access_tokens
        },
    ),
    ("response_types", "there is none but code", |metadata| {
        metadata.response_types.front_channel().0.is_empty()
    }),
    ("grant_types", "implicit is none of them", |metadata| {
        !metadata.grant_types.contains(GrantType::Implicit)
    }),
    ("require_pkce", "it must not be false", |metadata| {
        metadata.require_pkce != Some(false)
    }),
    (
        "redirect_uris",
        "they are https; of a native application also http on a loopback address, or of a scheme \
         of its own",
        |metadata| {
            let is_native = metadata.application_type == Some(ApplicationType::Native);
            let mut uris = metadata.redirect_uris.iter();
            uris.all(|it| it.is_https() || is_native && (it.is_loopback() || it.is_private_use()))
        },
    ),
];

const ALGORITHMS: &str = "it must be PS256, ES256 or EdDSA";
const LONGEST_CODE: Duration = Duration::from_mins(1);
const LONGEST_PUSHED_REQUEST: Duration = Duration::from_secs(599);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A description that keeps the profile, changed so.
    fn described(changes: &Value) -> ClientMetadata {
        let mut description = json!({
            "profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://rp.test/jwks", "dpop_bound_access_tokens": true,
            "redirect_uris": ["https://rp.test/cb"],
        });
        for (name, value) in changes.as_object().unwrap() {
            description[name] = value.clone();
        }
        let description = description.as_object_mut().unwrap();
        complete(description);
        serde_json::from_value(Value::Object(description.clone())).unwrap()
    }

    #[test]
    fn a_registration_goes_with_its_profile() {
        for changes in [
            json!({}),
            json!({"token_endpoint_auth_method": "tls_client_auth"}),
            json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"}),
            json!({"dpop_bound_access_tokens": false,
                "tls_client_certificate_bound_access_tokens": true}),
            json!({"token_endpoint_auth_signing_alg": "PS256", "require_pkce": true,
                "request_object_signing_alg": "EdDSA", "id_token_signed_response_alg": "EdDSA",
                "access_token_signed_response_alg": "EdDSA",
                "authorization_signed_response_alg": "ES256"}),
            json!({"application_type": "native", "redirect_uris": ["http://127.0.0.1/cb",
                "com.example.app:/cb"]}),
            json!({"grant_types": ["client_credentials"], "redirect_uris": []}),
        ] {
            assert_eq!(check(&described(&changes)), Ok(()), "{changes}");
        }
    }

    #[test]
    fn a_member_that_does_not_go_with_it_is_named() {
        for (member, value) in [
            ("token_endpoint_auth_method", json!("none")),
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("token_endpoint_auth_method", json!("client_secret_post")),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("token_endpoint_auth_signing_alg", json!("RS256")),
            ("token_endpoint_auth_signing_alg", json!("ES384")),
            ("request_object_signing_alg", json!("RS256")),
            ("request_object_signing_alg", json!("none")),
            ("id_token_signed_response_alg", json!("RS256")),
            ("access_token_signed_response_alg", json!("RS256")),
            ("authorization_signed_response_alg", json!("RS256")),
            ("userinfo_signed_response_alg", json!("RS256")),
            ("introspection_signed_response_alg", json!("RS256")),
            ("dpop_bound_access_tokens", json!(false)),
            ("response_types", json!(["code", "code id_token"])),
            ("grant_types", json!(["authorization_code", "implicit"])),
            ("require_pkce", json!(false)),
            (
                "redirect_uris",
                json!(["https://rp.test/cb", "http://127.0.0.1/cb"]),
            ),
            ("redirect_uris", json!(["com.example.app:/cb"])),
        ] {
            let metadata = described(&json!({ member: value }));
            let error = check(&metadata).unwrap_err();
            assert_eq!(error.member, member, "{value}");
            let metadata = ClientMetadata {
                profile: Profile::None,
                ..metadata
            };
            assert_eq!(check(&metadata), Ok(()), "{member} {value}");
        }
    }

    #[test]
    fn what_a_description_leaves_out_goes_with_its_profile() {
        let fapi = described(&json!({ "id_token_signed_response_alg": null }));
        assert_eq!(fapi.id_token_signed_response_alg, SigningAlgorithm::ES256);
        assert_eq!(
            fapi.access_token_signed_response_alg,
            SigningAlgorithm::ES256
        );
        let chosen = described(&json!({ "id_token_signed_response_alg": "EdDSA" }));
        assert_eq!(chosen.id_token_signed_response_alg, SigningAlgorithm::EdDsa);
        for profile in [json!(null), json!("none"), json!(1)] {
            let mut description = json!({ "profile": profile });
            complete(description.as_object_mut().unwrap());
            assert_eq!(description, json!({ "profile": profile }));
        }
    }

    #[test]
    fn codes_and_pushed_requests_are_short_lived() {
        let hour = Duration::from_hours(1);
        assert_eq!(Profile::None.code_lifetime(hour), hour);
        assert_eq!(Profile::Fapi2.code_lifetime(hour), Duration::from_mins(1));
        let second = Duration::from_secs(1);
        assert_eq!(Profile::Fapi2.code_lifetime(second), second);
        assert_eq!(Profile::None.pushed_request_lifetime(hour), hour);
        let lifetime = Profile::Fapi2.pushed_request_lifetime(hour);
        assert!(lifetime < Duration::from_mins(10));
    }
}
