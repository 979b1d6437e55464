//! The version of the keyset: of several replicas that start or rotate at the same time, one
//! does.

use super::{Connection, StoreError};

/// The version of the keyset that the signing keys are. It is 0 as long as there are none.
pub async fn version(db: &mut Connection) -> Result<i64, StoreError> {
    let version = sqlx::query_scalar("SELECT version FROM keyset WHERE id = 'signing_keys'")
        .fetch_one(db)
        .await?;
    Ok(version)
}

/// Moves the keyset on from `version`. Returns whether this call, and no other, did.
///
/// The first statement of a unit of work that changes signing keys: whoever does not win shall
/// change nothing and read the keys anew.
pub async fn advance(db: &mut Connection, version: i64) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE keyset SET version = version + 1 WHERE id = 'signing_keys' AND version = $1",
    )
    .bind(version)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}
