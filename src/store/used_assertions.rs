//! Assertions that have been used and may not be used again, by a digest of who signed them and
//! their `jti`.

use super::{Connection, StoreError};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// Uses an assertion that ends by itself at `expires_at`. Returns whether this call, and no other
/// before it or beside it, did.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    // The condition and the write are one statement, so the database serialises the race.
    let inserted = sqlx::query(
        "INSERT INTO used_assertions (digest, expires_at) VALUES ($1, $2)
         ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest.as_stored())
    .bind(expires_at.0)
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
