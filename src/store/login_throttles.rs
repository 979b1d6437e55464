//! How often a login has failed, by account, address or browser.
//!
//! The key is the digest of what is counted, so that the table names nobody.

use std::time::Duration;

use super::{Connection, StoreError};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// Counts one more failure and returns how many that makes in this window. The first one after a
/// window opens the next, `window` long.
///
/// Counted before the password is looked at, and taken back if it is right, it bounds attempts
/// that are made at the same time, too.
pub async fn count(
    db: &mut Connection,
    key: &Digest,
    now: Timestamp,
    window: Duration,
) -> Result<i64, StoreError> {
    let failures = sqlx::query_scalar(
        "INSERT INTO login_throttles (digest, failures, window_ends_at)
         VALUES ($1, 1, $3)
         ON CONFLICT (digest) DO UPDATE
            SET failures = CASE WHEN login_throttles.window_ends_at <= $2
                                THEN 1 ELSE login_throttles.failures + 1 END,
                window_ends_at = CASE WHEN login_throttles.window_ends_at <= $2
                                      THEN $3 ELSE login_throttles.window_ends_at END
         RETURNING failures",
    )
    .bind(key.as_stored())
    .bind(now.0)
    .bind(now.after(window).0)
    .fetch_one(db)
    .await?;
    Ok(failures)
}

/// How many failures there are in this window, and when it ends.
pub async fn find(
    db: &mut Connection,
    key: &Digest,
    now: Timestamp,
) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let found: Option<(i64, i64)> = sqlx::query_as(
        "SELECT failures, window_ends_at FROM login_throttles
          WHERE digest = $1 AND window_ends_at > $2",
    )
    .bind(key.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(found.map(|(failures, window_ends_at)| (failures, Timestamp(window_ends_at))))
}

/// Takes one failure back, because it was none.
pub async fn uncount(db: &mut Connection, key: &Digest, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE login_throttles SET failures = failures - 1
          WHERE digest = $1 AND window_ends_at > $2 AND failures > 0",
    )
    .bind(key.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets every failure.
pub async fn forget(db: &mut Connection, key: &Digest) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM login_throttles WHERE digest = $1")
        .bind(key.as_stored())
        .execute(db)
        .await?;
    Ok(())
}
