//! What is signed and encrypted for the client that it is for: ID tokens
//! ([OIDC Core section 2]), userinfo ([OIDC Core section 5.3.2]), introspection responses
//! ([RFC 9701]) and authorization responses ([JARM section 3]).
//!
//! [OIDC Core section 2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
//! [JARM section 3]: https://openid.net/specs/oauth-v2-jarm-final.html#section-3
//! [OIDC Core section 5.3.2]: https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client_metadata::ClientMetadata;
use super::encryption_algorithm::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};
use super::registration::MetadataError;
use super::signing_algorithm::SigningAlgorithm;
use super::timestamp::Timestamp;

/// How an answer to a client is protected beside by TLS.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Protection {
    /// The algorithm that signs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SigningAlgorithm>,
    /// How it is encrypted, signed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted_by: Option<Encryption>,
}

/// How something is encrypted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Encryption {
    /// How its key comes to the client.
    pub alg: KeyManagementAlgorithm,
    /// How it is encrypted under that.
    pub enc: ContentEncryptionAlgorithm,
}

impl Encryption {
    /// What two members of client metadata say: A128CBC-HS256, where only the first is there
    /// ([OIDC Registration section 2]).
    ///
    /// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
    #[must_use]
    pub fn of(
        alg: Option<KeyManagementAlgorithm>,
        enc: Option<ContentEncryptionAlgorithm>,
    ) -> Option<Self> {
        Some(Self {
            alg: alg?,
            enc: enc.unwrap_or_default(),
        })
    }
}

impl Protection {
    /// That of ID tokens.
    #[must_use]
    pub fn of_id_token(metadata: &ClientMetadata) -> Self {
        let alg = metadata.id_token_encrypted_response_alg;
        Self {
            signed_by: Some(metadata.id_token_signed_response_alg),
            encrypted_by: Encryption::of(alg, metadata.id_token_encrypted_response_enc),
        }
    }

    /// That of authorization responses which are asked for as JWTs.
    #[must_use]
    pub fn of_authorization_response(metadata: &ClientMetadata) -> Self {
        let algorithm = metadata.authorization_signed_response_alg;
        let alg = metadata.authorization_encrypted_response_alg;
        Self {
            signed_by: Some(algorithm.unwrap_or(metadata.profile.usual_algorithm())),
            encrypted_by: Encryption::of(alg, metadata.authorization_encrypted_response_enc),
        }
    }

    /// That of userinfo: none, unless the client asked for it.
    #[must_use]
    pub fn of_userinfo(metadata: &ClientMetadata) -> Self {
        let alg = metadata.userinfo_encrypted_response_alg;
        Self {
            signed_by: metadata.userinfo_signed_response_alg,
            encrypted_by: Encryption::of(alg, metadata.userinfo_encrypted_response_enc),
        }
    }

    /// That of an introspection response which is asked for as a JWT: signed by RS256, unless the
    /// client or its profile says otherwise ([RFC 9701 section 6]).
    ///
    /// [RFC 9701 section 6]: https://www.rfc-editor.org/rfc/rfc9701#section-6
    #[must_use]
    pub fn of_introspection(metadata: &ClientMetadata) -> Self {
        let algorithm = metadata.introspection_signed_response_alg;
        let alg = metadata.introspection_encrypted_response_alg;
        Self {
            signed_by: Some(algorithm.unwrap_or(metadata.profile.usual_algorithm())),
            encrypted_by: Encryption::of(alg, metadata.introspection_encrypted_response_enc),
        }
    }

    /// Whether there is none, so that the answer is plain JSON.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The members of client metadata that have something encrypted, and what they say.
#[must_use]
pub fn encrypted(metadata: &ClientMetadata) -> [(&'static str, Option<KeyManagementAlgorithm>); 4] {
    [
        (
            "id_token_encrypted_response_alg",
            metadata.id_token_encrypted_response_alg,
        ),
        (
            "userinfo_encrypted_response_alg",
            metadata.userinfo_encrypted_response_alg,
        ),
        (
            "introspection_encrypted_response_alg",
            metadata.introspection_encrypted_response_alg,
        ),
        (
            "authorization_encrypted_response_alg",
            metadata.authorization_encrypted_response_alg,
        ),
    ]
}

/// Whether what a client wants encrypted can be, as far as its metadata alone tells: the keys are
/// its own, and an `enc` goes with an `alg` ([OIDC Registration section 2]).
///
/// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
pub(super) fn encryption_has_keys(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let encodings = [
        (
            "id_token_encrypted_response_enc",
            metadata.id_token_encrypted_response_enc,
        ),
        (
            "userinfo_encrypted_response_enc",
            metadata.userinfo_encrypted_response_enc,
        ),
        (
            "introspection_encrypted_response_enc",
            metadata.introspection_encrypted_response_enc,
        ),
        (
            "authorization_encrypted_response_enc",
            metadata.authorization_encrypted_response_enc,
        ),
    ];
    let has_keys = metadata.jwks.is_some() || metadata.jwks_uri.is_some();
    for ((alg_member, alg), (enc_member, enc)) in encrypted(metadata).into_iter().zip(encodings) {
        if alg.is_none() && enc.is_some() {
            let reason = format!("it goes with {alg_member}, which is not there");
            return Err(MetadataError::new(enc_member, reason));
        }
        if alg.is_some() && !has_keys {
            let reason = "it needs the client's public keys, in jwks or at a jwks_uri";
            return Err(MetadataError::new(alg_member, reason));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_encrypted_as_the_members_say_and_by_a_usual_way_where_one_is_missing() {
        let metadata: ClientMetadata = serde_json::from_value(json!({
            "id_token_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_alg": "RSA-OAEP-256",
            "userinfo_encrypted_response_enc": "A256GCM",
        }))
        .unwrap();
        let id_token = Protection::of_id_token(&metadata);
        assert_eq!(
            json!(id_token),
            json!({"signed_by": "RS256", "encrypted_by": {"alg": "ECDH-ES", "enc": "A128CBC-HS256"}})
        );
        let userinfo = Protection::of_userinfo(&metadata);
        let stored = json!({"encrypted_by": {"alg": "RSA-OAEP-256", "enc": "A256GCM"}});
        assert_eq!(json!(userinfo), stored);
        assert_eq!(
            serde_json::from_value::<Protection>(stored).unwrap(),
            userinfo
        );
        assert!(!userinfo.is_none());
        let none = Protection::of_userinfo(&ClientMetadata::default());
        assert!(none.is_none());
        let introspection = Protection::of_introspection(&metadata);
        assert_eq!(json!(introspection), json!({"signed_by": "RS256"}));
        assert_eq!(
            Protection::of_authorization_response(&metadata),
            introspection
        );
    }

    #[test]
    fn what_is_encrypted_needs_keys_and_both_members_in_order() {
        let jwks = json!({"keys": []});
        for what in ["id_token", "userinfo", "introspection", "authorization"] {
            let alg = format!("{what}_encrypted_response_alg");
            let enc = format!("{what}_encrypted_response_enc");
            for (metadata, expected) in [
                (json!({&alg: "ECDH-ES"}), Some(&alg)),
                (json!({&alg: "ECDH-ES", "jwks": jwks}), None),
                (
                    json!({&alg: "ECDH-ES", &enc: "A128GCM", "jwks": jwks}),
                    None,
                ),
                (
                    json!({&alg: "ECDH-ES", "jwks_uri": "https://rp.test/jwks"}),
                    None,
                ),
                (json!({&enc: "A128GCM", "jwks": jwks}), Some(&enc)),
            ] {
                let parsed = serde_json::from_value(metadata.clone()).unwrap();
                let refused = encryption_has_keys(&parsed).err();
                let member = refused.as_ref().map(|error| error.member);
                assert_eq!(member, expected.map(String::as_str), "{metadata}");
            }
        }
    }
}
