//! Whether what a client registers goes with the way in which it authenticates
//! ([RFC 7591 section 2], [OIDC Registration section 2]).
//!
//! [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
//! [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata

use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata::ClientMetadata;
use super::registration::MetadataError;

/// Finds what of the keys and of the way to authenticate does not go together.
pub(super) fn keys_go_with_the_method(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let refuse = |member, reason: &str| Err(MetadataError::new(member, reason));
    if metadata.jwks.is_some() && metadata.jwks_uri.is_some() {
        return refuse("jwks", "a client has either jwks or jwks_uri");
    }
    let has_keys = metadata.jwks.is_some() || metadata.jwks_uri.is_some();
    let method = metadata.token_endpoint_auth_method;
    if method == ClientAuthenticationMethod::PrivateKeyJwt && !has_keys {
        return refuse(
            "token_endpoint_auth_method",
            "private_key_jwt needs the client's public keys, in jwks or at a jwks_uri",
        );
    }
    if let Some(algorithm) = metadata.token_endpoint_auth_signing_alg {
        let fits = match method {
            ClientAuthenticationMethod::PrivateKeyJwt => !algorithm.is_symmetric(),
            ClientAuthenticationMethod::ClientSecretJwt => algorithm.is_symmetric(),
            // It says nothing then.
            ClientAuthenticationMethod::ClientSecretBasic
            | ClientAuthenticationMethod::ClientSecretPost
            | ClientAuthenticationMethod::TlsClientAuth
            | ClientAuthenticationMethod::SelfSignedTlsClientAuth
            | ClientAuthenticationMethod::None => true,
        };
        if !fits {
            return refuse(
                "token_endpoint_auth_signing_alg",
                "private_key_jwt signs with a private key, and client_secret_jwt with a secret",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_algorithm_go_with_the_method() {
        let keys = json!({"keys": [{"kty": "RSA"}]});
        let uri = "https://app.test/jwks";
        for (metadata, expected) in [
            (
                json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": keys}),
                None,
            ),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri}),
                None,
            ),
            (
                json!({"token_endpoint_auth_method": "client_secret_jwt"}),
                None,
            ),
            (json!({"jwks": keys}), None),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt"}),
                Some("token_endpoint_auth_method"),
            ),
            (json!({"jwks": keys, "jwks_uri": uri}), Some("jwks")),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": keys,
                    "token_endpoint_auth_signing_alg": "HS256"}),
                Some("token_endpoint_auth_signing_alg"),
            ),
            (
                json!({"token_endpoint_auth_method": "client_secret_jwt",
                    "token_endpoint_auth_signing_alg": "RS256"}),
                Some("token_endpoint_auth_signing_alg"),
            ),
        ] {
            let parsed: ClientMetadata = serde_json::from_value(metadata.clone()).unwrap();
            let member = keys_go_with_the_method(&parsed).err().map(|it| it.member);
            assert_eq!(member, expected, "{metadata}");
        }
        for metadata in [
            json!({"token_endpoint_auth_signing_alg": "none"}),
            json!({"jwks": []}),
            json!({"jwks": {"keys": [1]}}),
            json!({"jwks_uri": "file:///etc/passwd"}),
        ] {
            let parsed = serde_json::from_value::<ClientMetadata>(metadata.clone());
            assert!(parsed.is_err(), "{metadata}");
        }
    }
}
