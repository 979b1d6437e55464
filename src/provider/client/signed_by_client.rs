//! JWTs that a client signs, verified with its keys: client assertions, request objects, whatever
//! else comes from it.

use zeroize::Zeroizing;

use crate::keys::public_keys::{PublicKeySet, PublicKeySetError};
use crate::keys::signed_jwt::{SignedJwt, SignedJwtError};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::client_algorithms;
use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::client_certificate::ClientCertificate;
use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::jwt_claims::JwtClaims;
use crate::oidc::policy::Policy;
use crate::oidc::protected_response;
use crate::oidc::registration::MetadataError;
use crate::provider::jwks_cache::{FetchedKeys, JwksError};
use crate::provider::{InternalError, Provider};
use crate::store::client_signing_secrets;

/// Why a JWT is not known to be the client's.
#[derive(Debug, thiserror::Error)]
pub enum ClientJwtError {
    /// The client has registered no keys.
    #[error("the client has registered no keys")]
    NoKeys,
    /// The keys in its registration cannot be used.
    #[error("the client's keys: {0}")]
    Keys(#[from] PublicKeySetError),
    /// The keys at its `jwks_uri` cannot be had.
    #[error("the client's jwks_uri: {0}")]
    Jwks(#[from] JwksError),
    /// The JWT is not one that the client signed.
    #[error(transparent)]
    Jwt(#[from] SignedJwtError),
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl Provider {
    /// The claims of `jwt`, if `client` signed it with one of its private keys.
    ///
    /// Asks the network if the client has a `jwks_uri`: hold no connection to the database.
    pub(in crate::provider) async fn verify_signed_by_client(
        &self,
        client: &Client,
        jwt: &SignedJwt<'_>,
    ) -> Result<JwtClaims, ClientJwtError> {
        if let Some(jwks) = &client.metadata.jwks {
            let keys = PublicKeySet::from_jwks(jwks)?;
            return Ok(jwt.verify(&keys)?);
        }
        let uri = client.metadata.jwks_uri.as_ref();
        let uri = uri.ok_or(ClientJwtError::NoKeys)?;
        self.verify_with_keys_at(uri.as_str(), jwt).await
    }

    /// The claims of `jwt`, if one of the keys at `uri` made its signature. If none of them did,
    /// they are fetched once more: their owner may have changed them
    /// ([OIDC Core section 10.1.1]).
    ///
    /// [OIDC Core section 10.1.1]: https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys
    pub(in crate::provider) async fn verify_with_keys_at(
        &self,
        uri: &str,
        jwt: &SignedJwt<'_>,
    ) -> Result<JwtClaims, ClientJwtError> {
        let now = self.clock.now();
        let held: FetchedKeys = self.jwks_cache.find(uri, now).await?;
        match jwt.verify(&held.keys) {
            Err(SignedJwtError::UnknownKey) => {}
            Err(SignedJwtError::WrongSignature) if jwt.kid().is_none() => {}
            verified => return Ok(verified?),
        }
        let newer = self.jwks_cache.find_newer(uri, &held, now).await?;
        Ok(jwt.verify(&newer.keys)?)
    }

    /// Whether `certificate` is registered with one of the keys of `client`
    /// ([RFC 8705 section 2.2]).
    ///
    /// [RFC 8705 section 2.2]: https://www.rfc-editor.org/rfc/rfc8705#section-2.2
    pub(in crate::provider) async fn has_registered(
        &self,
        client: &Client,
        certificate: &ClientCertificate,
    ) -> Result<bool, ClientJwtError> {
        if let Some(jwks) = &client.metadata.jwks {
            return Ok(PublicKeySet::from_jwks(jwks)?.has_certificate(&certificate.der));
        }
        let uri = client.metadata.jwks_uri.as_ref();
        let uri = uri.ok_or(ClientJwtError::NoKeys)?.as_str();
        let now = self.clock.now();
        let held = self.jwks_cache.find(uri, now).await?;
        if held.keys.has_certificate(&certificate.der) {
            return Ok(true);
        }
        let newer = self.jwks_cache.find_newer(uri, &held, now).await?;
        Ok(newer.keys.has_certificate(&certificate.der))
    }

    /// The claims of `jwt`, if `client` signed it with its secret.
    pub(in crate::provider) async fn verify_signed_with_client_secret(
        &self,
        client: &Client,
        jwt: &SignedJwt<'_>,
    ) -> Result<JwtClaims, ClientJwtError> {
        let now = self.clock.now();
        let mut db = self.store.read().await.map_err(InternalError::from)?;
        let sealed = client_signing_secrets::find(&mut db, &client.id).await;
        drop(db);
        let sealed = sealed.map_err(InternalError::from)?;
        let sealed = sealed.ok_or(ClientJwtError::NoKeys)?;
        let context = seal_context(&client.id);
        let open = |sealed: &str| -> Result<Zeroizing<Vec<u8>>, InternalError> {
            Ok(self.keyring.master_key.open(&context, sealed)?)
        };
        let refused = match jwt.verify_with_secret(&open(&sealed.current)?) {
            Ok(claims) => return Ok(claims),
            Err(refused) => refused,
        };
        match sealed.previous {
            Some((previous, until)) if now < until => {
                Ok(jwt.verify_with_secret(&open(&previous)?)?)
            }
            _ => Err(refused.into()),
        }
    }
}

/// Checks that a client can authenticate here as its registration says, with the keys that it has,
/// and is answered with keys that there are.
pub(in crate::provider) fn check_keys(
    metadata: &ClientMetadata,
    policy: &Policy,
) -> Result<(), MetadataError> {
    client_algorithms::are_offered(metadata, &policy.key_rotation.algorithms)?;
    let method = metadata.token_endpoint_auth_method;
    if !method.is_offered(&policy.client_certificates) {
        return Err(MetadataError::new(
            "token_endpoint_auth_method",
            NO_CERTIFICATES,
        ));
    }
    let binds = metadata.tls_client_certificate_bound_access_tokens;
    if binds && !policy.client_certificates.is_accepted {
        let member = "tls_client_certificate_bound_access_tokens";
        return Err(MetadataError::new(member, NO_CERTIFICATES));
    }
    let Some(jwks) = &metadata.jwks else {
        return Ok(());
    };
    let keys = PublicKeySet::from_jwks(jwks);
    let keys = keys.map_err(|error| MetadataError::new("jwks", error.to_string()))?;
    for (_, algorithm) in protected_response::encrypted(metadata) {
        if let Some(algorithm) = algorithm.filter(|it| keys.encryption_key(*it).is_none()) {
            let reason = format!("none of its keys is for encryption under {algorithm}");
            return Err(MetadataError::new("jwks", reason));
        }
    }
    if method != ClientAuthenticationMethod::PrivateKeyJwt {
        return Ok(());
    }
    let algorithm = metadata.token_endpoint_auth_signing_alg;
    if keys.is_empty() || algorithm.is_some_and(|algorithm| !keys.has_key_for(algorithm)) {
        let reason = "none of its keys can be used: RSA of 2048 bits or more, P-256, P-384, P-521 \
                      or Ed25519, for signatures and the registered algorithm";
        return Err(MetadataError::new("jwks", reason));
    }
    Ok(())
}

const NO_CERTIFICATES: &str =
    "it needs client certificates, which this server is not configured for";

/// Where the sealed secret of a client belongs.
pub(in crate::provider) fn seal_context(client_id: &ClientId) -> String {
    format!("client_signing_secrets:{client_id}")
}
