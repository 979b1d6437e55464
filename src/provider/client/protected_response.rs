//! What a client is told, signed and encrypted as its metadata has it.

use std::sync::Arc;

use serde::Serialize;

use crate::keys::jwe::{self, Content};
use crate::keys::jwt::{self, TokenType};
use crate::keys::public_keys::{PublicKeySet, PublicKeySetError};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::encryption_algorithm::KeyManagementAlgorithm;
use crate::oidc::protected_response::{Encryption, Protection};
use crate::provider::jwks_cache::JwksError;
use crate::provider::{InternalError, Provider};
use crate::store::clients;

/// An answer to a client.
#[derive(Debug)]
pub enum Answer<T> {
    /// In JSON.
    Json(T),
    /// As a JWT.
    Jwt(String),
}

/// Why nothing can be encrypted for a client. It is told nothing then: never in the clear what it
/// wants encrypted.
#[derive(Debug, thiserror::Error)]
#[error("nothing can be encrypted for the client {client_id}: {reason}")]
pub struct EncryptionError {
    client_id: ClientId,
    reason: NoKey,
}

/// Why there is no key of a client to encrypt with.
#[derive(Debug, thiserror::Error)]
enum NoKey {
    /// The client is gone.
    #[error("it is not registered any more")]
    NoClient,
    /// The keys at its `jwks_uri` cannot be had.
    #[error("its jwks_uri: {0}")]
    Jwks(#[from] JwksError),
    /// The keys in its registration cannot be used.
    #[error("its keys: {0}")]
    Keys(#[from] PublicKeySetError),
    /// None of its keys fits.
    #[error("it has no key for {0}")]
    NoneFits(KeyManagementAlgorithm),
}

impl EncryptionError {
    /// Whether trying again later may help: the client's keys may be there then.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.reason, NoKey::Jwks(_))
    }
}

impl Provider {
    /// `claims` before they are encrypted: a JWT, or JSON where nothing is signed. It is of
    /// `token_type`, or without `typ` where the standards name none; nothing here takes such a JWT
    /// for a token.
    pub(in crate::provider) fn sign_content<C: Serialize>(
        &self,
        protection: Protection,
        token_type: Option<TokenType>,
        claims: &C,
    ) -> Result<Content, InternalError> {
        let Some(algorithm) = protection.signed_by else {
            return Ok(Content::Claims(serde_json::to_string(claims)?));
        };
        let key = self.signing_key(algorithm, self.clock.now())?;
        let signed = match token_type {
            Some(token_type) => jwt::sign(&key, token_type, claims),
            None => jwt::sign_untyped(&key, claims),
        };
        Ok(Content::Jwt(signed?))
    }

    /// `content` as `client` gets it, encrypted if `protection` has it so.
    ///
    /// Then it may ask the network for the client's keys: hold no connection to the database.
    pub(in crate::provider) async fn encrypt_content(
        &self,
        client: &Client,
        protection: Protection,
        content: Content,
    ) -> Result<String, InternalError> {
        match protection.encrypted_by {
            None => Ok(content.into_text()),
            Some(encryption) => Box::pin(self.encrypt(client, encryption, &content)).await,
        }
    }

    /// The same where only the identifier of the client is known: the rest is looked up if it is
    /// needed.
    pub(super) async fn encrypt_content_for(
        &self,
        client_id: &ClientId,
        protection: Protection,
        content: Content,
    ) -> Result<String, InternalError> {
        let Some(encryption) = protection.encrypted_by else {
            return Ok(content.into_text());
        };
        let mut db = self.store.read().await?;
        let client = clients::find(&mut db, client_id).await?;
        drop(db);
        let client = client.ok_or_else(|| EncryptionError {
            client_id: client_id.clone(),
            reason: NoKey::NoClient,
        })?;
        Box::pin(self.encrypt(&client, encryption, &content)).await
    }

    async fn encrypt(
        &self,
        client: &Client,
        encryption: Encryption,
        content: &Content,
    ) -> Result<String, InternalError> {
        let failed = |reason| EncryptionError {
            client_id: client.id.clone(),
            reason,
        };
        let keys = self.keys_of(client, encryption.alg).await;
        let keys = keys.map_err(failed)?;
        let key = keys.encryption_key(encryption.alg);
        let key = key.ok_or_else(|| failed(NoKey::NoneFits(encryption.alg)))?;
        Ok(jwe::encrypt(key, encryption, content)?)
    }

    /// The public keys of `client`. Those at a `jwks_uri` are fetched once more where none is for
    /// `algorithm`: their owner may have changed them ([OIDC Core section 10.2.1]).
    ///
    /// [OIDC Core section 10.2.1]: https://openid.net/specs/openid-connect-core-1_0.html#RotateEncKeys
    async fn keys_of(
        &self,
        client: &Client,
        algorithm: KeyManagementAlgorithm,
    ) -> Result<Arc<PublicKeySet>, NoKey> {
        if let Some(jwks) = &client.metadata.jwks {
            return Ok(Arc::new(PublicKeySet::from_jwks(jwks)?));
        }
        let uri = client.metadata.jwks_uri.as_ref();
        let uri = uri.ok_or(NoKey::NoneFits(algorithm))?.as_str();
        let now = self.clock.now();
        let held = self.jwks_cache.find(uri, now).await?;
        if held.keys.encryption_key(algorithm).is_some() {
            return Ok(held.keys);
        }
        Ok(self.jwks_cache.find_newer(uri, &held, now).await?.keys)
    }
}
