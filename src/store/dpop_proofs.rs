//! DPoP proofs that were used.

use super::{Connection, StoreError};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// Remembers that the proof with this digest was used. Returns whether this was the first time.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO dpop_proofs (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(digest.as_stored())
    .bind(expires_at.0)
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
