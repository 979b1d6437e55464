//! Signing keys, sealed. Change them in a unit of work that begins with
//! [`super::keyset::advance`].

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::oidc::timestamp::Timestamp;

/// A signing key as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKeyRecord {
    /// The key id ([RFC 7517 section 4.5]).
    ///
    /// [RFC 7517 section 4.5]: https://www.rfc-editor.org/rfc/rfc7517#section-4.5
    pub kid: String,
    /// The algorithm it signs with.
    pub algorithm: SigningAlgorithm,
    /// The private key, encrypted under the master key.
    pub sealed: String,
    /// The public key as a JWK, in JSON.
    pub public_jwk: String,
    /// From when on it is published.
    pub published_at: Timestamp,
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// Until when it signs, once that is known.
    pub retires_at: Option<Timestamp>,
    /// Until when it is published, once that is known.
    pub expires_at: Option<Timestamp>,
}

/// Every key, the one that was published first first.
pub async fn list(db: &mut Connection) -> Result<Vec<SigningKeyRecord>, StoreError> {
    let keys = sqlx::query_as(
        "SELECT kid, algorithm, sealed, public_jwk, published_at, activates_at, retires_at,
                expires_at
           FROM signing_keys
          ORDER BY published_at, kid",
    )
    .fetch_all(db)
    .await?;
    Ok(keys)
}

/// Stores a new key.
pub async fn insert(db: &mut Connection, key: &SigningKeyRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO signing_keys
            (kid, algorithm, sealed, public_jwk, published_at, activates_at, retires_at,
             expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&key.kid)
    .bind(key.algorithm.as_str())
    .bind(&key.sealed)
    .bind(&key.public_jwk)
    .bind(key.published_at.0)
    .bind(key.activates_at.0)
    .bind(key.retires_at.map(|at| at.0))
    .bind(key.expires_at.map(|at| at.0))
    .execute(db)
    .await?;
    Ok(())
}

/// Replaces what is kept of the key that bears the same id. Returns whether there is one.
pub async fn update(db: &mut Connection, key: &SigningKeyRecord) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE signing_keys
            SET sealed = $2, published_at = $3, activates_at = $4, retires_at = $5,
                expires_at = $6
          WHERE kid = $1",
    )
    .bind(&key.kid)
    .bind(&key.sealed)
    .bind(key.published_at.0)
    .bind(key.activates_at.0)
    .bind(key.retires_at.map(|at| at.0))
    .bind(key.expires_at.map(|at| at.0))
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Deletes a key. Returns whether there was one.
pub async fn delete(db: &mut Connection, kid: &str) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM signing_keys WHERE kid = $1")
        .bind(kid)
        .execute(db)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for SigningKeyRecord {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            kid: row.try_get("kid")?,
            algorithm: super::parse(row, "algorithm")?,
            sealed: row.try_get("sealed")?,
            public_jwk: row.try_get("public_jwk")?,
            published_at: row.try_get("published_at").map(Timestamp)?,
            activates_at: row.try_get("activates_at").map(Timestamp)?,
            retires_at: super::instant(row, "retires_at")?,
            expires_at: super::instant(row, "expires_at")?,
        })
    }
}
