//! Answers that are protected as the client that they are for has it in its metadata.

use serde::Serialize;

use crate::keys::jwt::{self, TokenType};
use crate::oidc::protected_response::Protection;
use crate::provider::{InternalError, Provider};

/// An answer to a client.
#[derive(Debug)]
pub enum Answer<T> {
    /// In JSON.
    Json(T),
    /// As a JWT.
    Jwt(String),
}

impl Provider {
    /// `claims` as a JWT: of `token_type`, or without `typ` where the standards name none. Nothing
    /// here takes such a JWT for a token.
    pub(super) fn protect<C: Serialize>(
        &self,
        protection: Protection,
        token_type: Option<TokenType>,
        claims: &C,
    ) -> Result<String, InternalError> {
        let algorithm = protection.signed_by.unwrap_or_default();
        let key = self.signing_key(algorithm, self.clock.now())?;
        let signed = match token_type {
            Some(token_type) => jwt::sign(&key, token_type, claims),
            None => jwt::sign_untyped(&key, claims),
        };
        Ok(signed?)
    }
}
