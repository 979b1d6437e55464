//! The secrets with which clients sign their assertions, encrypted under the master key.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::client::ClientId;
use crate::oidc::timestamp::Timestamp;

/// A client's secret as it is kept; during a rotation the one before is valid too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedClientSecrets {
    /// The secret that was made last.
    pub current: String,
    /// The secret before it, and the instant until which it is still accepted.
    pub previous: Option<(String, Timestamp)>,
}

/// Keeps the secret of a client that had none.
pub async fn insert(
    db: &mut Connection,
    client_id: &ClientId,
    sealed: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO client_signing_secrets (client_id, sealed) VALUES ($1, $2)")
        .bind(client_id.as_str())
        .bind(sealed)
        .execute(db)
        .await?;
    Ok(())
}

/// Gives a client another secret; the one before is accepted until `previous_until`. Returns
/// whether it had one.
pub async fn rotate(
    db: &mut Connection,
    client_id: &ClientId,
    sealed: &str,
    previous_until: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE client_signing_secrets
            SET previous_sealed = sealed,
                previous_expires_at = $3,
                sealed = $2
          WHERE client_id = $1",
    )
    .bind(client_id.as_str())
    .bind(sealed)
    .bind(previous_until.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// The secret of a client.
pub async fn find(
    db: &mut Connection,
    client_id: &ClientId,
) -> Result<Option<SealedClientSecrets>, StoreError> {
    let found = sqlx::query_as(
        "SELECT sealed, previous_sealed, previous_expires_at
           FROM client_signing_secrets
          WHERE client_id = $1",
    )
    .bind(client_id.as_str())
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Forgets the secret of a client that signs with it no more.
pub async fn delete(db: &mut Connection, client_id: &ClientId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM client_signing_secrets WHERE client_id = $1")
        .bind(client_id.as_str())
        .execute(db)
        .await?;
    Ok(())
}

impl FromRow<'_, AnyRow> for SealedClientSecrets {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let previous: Option<String> = row.try_get("previous_sealed")?;
        Ok(Self {
            current: row.try_get("sealed")?,
            previous: previous.zip(super::instant(row, "previous_expires_at")?),
        })
    }
}
