//! The version of the keyset: of several replicas that start or rotate at the same time, one
//! does.

use super::{Connection, StoreError};

/// The version of the keyset that the signing keys are. It is 0 as long as there are none.
pub async fn version(db: &mut Connection) -> Result<i64, StoreError> {
    let version = sqlx::query_scalar("SELECT version FROM keyset WHERE id = $1")
        .bind(ID)
        .fetch_optional(db)
        .await?;
    Ok(version.unwrap_or(0))
}

/// Moves the keyset on from `version`. Returns whether this call, and no other, did.
///
/// The first statement of a unit of work that changes signing keys: whoever does not win shall
/// change nothing and read the keys anew.
pub async fn advance(db: &mut Connection, version: i64) -> Result<bool, StoreError> {
    // Without a row the version is 0, and nobody can move on from another one. With one, its
    // version decides; of all who insert it at once, the others wait and then find it moved on.
    let advanced = sqlx::query(
        "INSERT INTO keyset (id, version)
         SELECT $1, $2 WHERE $3 = 0 OR EXISTS (SELECT 1 FROM keyset WHERE id = $1)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE keyset.version = $3",
    )
    .bind(ID)
    .bind(version.saturating_add(1))
    .bind(version)
    .execute(db)
    .await?;
    Ok(advanced.rows_affected() == 1)
}

/// The key of the one row.
const ID: &str = "signing_keys";
