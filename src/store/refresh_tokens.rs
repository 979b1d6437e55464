//! Refresh tokens, stored under the digest of the token. They are revoked by their grant.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::grants::{self, GrantWithParties};
use super::{Connection, StoreError};
use crate::oidc::grant::RefreshToken;
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// A refresh token as it was found, with everything that is looked at before it is exchanged.
#[derive(Clone, Debug)]
pub struct PresentedRefreshToken {
    /// The token.
    pub token: RefreshToken,
    /// How often it was presented again after it had been exchanged, as one whose answer was lost.
    pub retries: i64,
    /// What it belongs to.
    pub grant: GrantWithParties,
}

/// Stores a freshly issued token. The successor of another may be stored already, by whoever
/// presented that at the same time.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    token: &RefreshToken,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO refresh_tokens
            (digest, grant_id, issued_at, expires_at, rotated_at, retries, confirmation)
         VALUES ($1, $2, $3, $4, $5, 0, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(digest.as_stored())
    .bind(token.grant_id.to_string())
    .bind(token.issued_at.0)
    .bind(token.expires_at.0)
    .bind(token.rotated_at.map(|at| at.0))
    .bind(super::confirmation(&token.confirmation)?);
    db.run_ahead(query).await?;
    Ok(())
}

/// The token with this digest and its grant, whatever has become of them.
pub async fn find_with_grant(
    db: &mut Connection,
    digest: &Digest,
) -> Result<Option<PresentedRefreshToken>, StoreError> {
    let token = sqlx::query_as(concat!(
        "SELECT refresh_tokens.issued_at, refresh_tokens.expires_at,
                refresh_tokens.rotated_at, refresh_tokens.retries,
                refresh_tokens.confirmation, ",
        grants::columns_with_parties!(),
        " FROM refresh_tokens
           JOIN grants ON grants.id = refresh_tokens.grant_id
           JOIN users ON users.id = grants.user_id
           JOIN clients ON clients.id = grants.client_id
          WHERE refresh_tokens.digest = $1"
    ))
    .bind(digest.as_stored())
    .fetch_optional(db)
    .await?;
    Ok(token)
}

/// Marks the token as exchanged. Returns whether this call, and no other, did.
pub async fn rotate(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE refresh_tokens SET rotated_at = $2 WHERE digest = $1 AND rotated_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Lets a token that was used, and is to be used again, live on. Returns whether it has not been
/// exchanged meanwhile.
pub async fn extend(
    db: &mut Connection,
    digest: &Digest,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE refresh_tokens SET expires_at = $2 WHERE digest = $1 AND rotated_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(expires_at.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Counts that a token was presented again after it had been exchanged. Returns whether that is
/// still within `limit` times.
pub async fn count_retry(
    db: &mut Connection,
    digest: &Digest,
    limit: i64,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE refresh_tokens SET retries = retries + 1
          WHERE digest = $1 AND rotated_at IS NOT NULL AND retries < $2",
    )
    .bind(digest.as_stored())
    .bind(limit)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for RefreshToken {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            grant_id: super::parse(row, "grant_id")?,
            issued_at: row.try_get("issued_at").map(Timestamp)?,
            expires_at: row.try_get("expires_at").map(Timestamp)?,
            confirmation: super::read_confirmation(row)?,
            rotated_at: super::instant(row, "rotated_at")?,
        })
    }
}

impl FromRow<'_, AnyRow> for PresentedRefreshToken {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            token: RefreshToken::from_row(row)?,
            retries: row.try_get("retries")?,
            grant: GrantWithParties::from_row(row)?,
        })
    }
}
