//! Pushed authorization requests, stored under the digest of the `request_uri` and never itself.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::pushed_authorization_request::PushedAuthorizationRequest;
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// Stores a request that was pushed.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    pushed: &PushedAuthorizationRequest,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO pushed_authorization_requests
            (digest, client_id, request, created_at, expires_at, used_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(digest.as_stored())
    .bind(pushed.client_id.as_str())
    .bind(&pushed.request)
    .bind(pushed.created_at.0)
    .bind(pushed.expires_at.0)
    .bind(pushed.used_at.map(|at| at.0))
    .execute(db)
    .await?;
    Ok(())
}

/// The request with this digest, whatever has become of it.
pub async fn find(
    db: &mut Connection,
    digest: &Digest,
) -> Result<Option<PushedAuthorizationRequest>, StoreError> {
    let pushed = sqlx::query_as(
        "SELECT client_id, request, created_at, expires_at, used_at
           FROM pushed_authorization_requests WHERE digest = $1",
    )
    .bind(digest.as_stored())
    .fetch_optional(db)
    .await?;
    Ok(pushed)
}

/// Uses the request up: it is granted once. Returns whether this call, and no other, did.
///
/// A request past its expiry is used up like any other: a person may take longer to sign in.
pub async fn consume(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // The condition and the write are one statement, so the database serialises the race.
    let updated = sqlx::query(
        "UPDATE pushed_authorization_requests SET used_at = $2
          WHERE digest = $1 AND used_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for PushedAuthorizationRequest {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            client_id: super::parse(row, "client_id")?,
            request: row.try_get("request")?,
            created_at: row.try_get("created_at").map(Timestamp)?,
            expires_at: row.try_get("expires_at").map(Timestamp)?,
            used_at: super::instant(row, "used_at")?,
        })
    }
}
