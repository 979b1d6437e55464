//! Initial access tokens.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::initial_access_token::{InitialAccessToken, InitialAccessTokenId};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// Stores `token`, whose secret has this digest.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    token: &InitialAccessToken,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO initial_access_tokens (id, digest, note, uses_left, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(token.id.to_string())
    .bind(digest.as_stored())
    .bind(token.note.as_deref())
    .bind(i64::from(token.uses_left))
    .bind(token.created_at.0)
    .bind(token.expires_at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// The token whose secret has this digest, if a client can be registered with it at `now`.
pub async fn find_usable(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<InitialAccessToken>, StoreError> {
    let token = sqlx::query_as(
        "SELECT id, note, uses_left, created_at, expires_at FROM initial_access_tokens
          WHERE digest = $1 AND uses_left > 0 AND expires_at > $2",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(token)
}

/// Those that have not expired by `now`, the oldest first.
pub async fn list(
    db: &mut Connection,
    now: Timestamp,
) -> Result<Vec<InitialAccessToken>, StoreError> {
    let tokens = sqlx::query_as(
        "SELECT id, note, uses_left, created_at, expires_at FROM initial_access_tokens
          WHERE expires_at > $1 ORDER BY created_at, id",
    )
    .bind(now.0)
    .fetch_all(db)
    .await?;
    Ok(tokens)
}

/// Uses a token once. Returns whether it could be.
pub async fn consume(
    db: &mut Connection,
    id: InitialAccessTokenId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE initial_access_tokens SET uses_left = uses_left - 1
          WHERE id = $1 AND uses_left > 0 AND expires_at > $2",
    )
    .bind(id.to_string())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Deletes a token. Returns whether there was such a token.
pub async fn delete(db: &mut Connection, id: InitialAccessTokenId) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM initial_access_tokens WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for InitialAccessToken {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let uses_left: i64 = row.try_get("uses_left")?;
        Ok(Self {
            id: super::parse(row, "id")?,
            note: row.try_get("note")?,
            uses_left: u32::try_from(uses_left)
                .map_err(|error| super::malformed("uses_left", error))?,
            created_at: row.try_get("created_at").map(Timestamp)?,
            expires_at: row.try_get("expires_at").map(Timestamp)?,
        })
    }
}
