//! JWT access tokens that were revoked one by one, by their `jti`.
//!
//! Whether one was is asked by [`super::grants::find_live`], and by [`is_revoked`] for a token
//! that has no grant.

use super::{Connection, StoreError};
use crate::oidc::timestamp::Timestamp;

/// Revokes the access token with this `jti`, which ends by itself at `expires_at`. Doing so again
/// changes nothing.
pub async fn insert(
    db: &mut Connection,
    jti: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO revoked_access_tokens (jti, expires_at) VALUES ($1, $2)
         ON CONFLICT (jti) DO NOTHING",
    )
    .bind(jti)
    .bind(expires_at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the access token with this `jti` was revoked.
pub async fn is_revoked(db: &mut Connection, jti: &str) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT jti FROM revoked_access_tokens WHERE jti = $1")
        .bind(jti)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}
