//! Browsers in which a user has signed in before, each under the digest of its cookie.

use super::{Connection, StoreError};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::UserId;

/// Remembers a browser of `user_id` until `expires_at`. One that is known already stays known.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    user_id: UserId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO known_browsers (digest, user_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest.as_stored())
    .bind(user_id.to_string())
    .bind(now.0)
    .bind(expires_at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Whether this is a browser in which that user has signed in before.
pub async fn is_known(
    db: &mut Connection,
    digest: &Digest,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = sqlx::query(
        "SELECT digest FROM known_browsers
          WHERE digest = $1 AND user_id = $2 AND expires_at > $3",
    )
    .bind(digest.as_stored())
    .bind(user_id.to_string())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Forgets every browser of a user. Returns how many that were.
pub async fn forget_all_of_user(db: &mut Connection, user_id: UserId) -> Result<u64, StoreError> {
    let deleted = sqlx::query("DELETE FROM known_browsers WHERE user_id = $1")
        .bind(user_id.to_string())
        .execute(db)
        .await?;
    Ok(deleted.rows_affected())
}
