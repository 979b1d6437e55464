//! TEMPORARY.
use crate::keys::public_keys::{PublicKeySet, PublicKeySetError};
use crate::keys::signed_jwt::{SignedJwt, SignedJwtError};
use crate::oidc::client::Client;
use crate::oidc::jwt_claims::JwtClaims;
use crate::provider::Provider;
/// x
#[derive(Debug, thiserror::Error)]
pub enum ClientJwtError {
    /// x
    #[error("the client has registered no keys")]
    NoKeys,
    /// x
    #[error("the client's keys: {0}")]
    Keys(#[from] PublicKeySetError),
    /// x
    #[error(transparent)]
    Jwt(#[from] SignedJwtError),
}
impl Provider {
    pub(in crate::provider) async fn verify_signed_by_client(
        &self,
        client: &Client,
        jwt: &SignedJwt<'_>,
    ) -> Result<JwtClaims, ClientJwtError> {
        let jwks = client
            .metadata
            .jwks
            .as_ref()
            .ok_or(ClientJwtError::NoKeys)?;
        Ok(jwt.verify(&PublicKeySet::from_jwks(jwks)?)?)
    }
}
