//! What users have allowed clients, remembered.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::claims_request::ClaimNames;
use crate::oidc::client::ClientId;
use crate::oidc::consent::Consent;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::UserId;

/// What the user has allowed the client.
pub async fn find(
    db: &mut Connection,
    user_id: UserId,
    client_id: &ClientId,
) -> Result<Option<Consent>, StoreError> {
    let consent = sqlx::query_as(
        "SELECT user_id, client_id, scopes, claims, resources, granted_at
           FROM consents WHERE user_id = $1 AND client_id = $2",
    )
    .bind(user_id.to_string())
    .bind(client_id.as_str())
    .fetch_optional(db)
    .await?;
    Ok(consent)
}

/// What the user has allowed any client, by client.
pub async fn list_of_user(
    db: &mut Connection,
    user_id: UserId,
) -> Result<Vec<Consent>, StoreError> {
    let consents = sqlx::query_as(
        "SELECT user_id, client_id, scopes, claims, resources, granted_at
           FROM consents WHERE user_id = $1 ORDER BY client_id",
    )
    .bind(user_id.to_string())
    .fetch_all(db)
    .await?;
    Ok(consents)
}

/// Remembers `consent` beside what the user has allowed the client before. Returns all of it.
///
/// For a unit of work: it takes two statements, the first of which locks the row.
pub async fn merge(db: &mut Connection, consent: &Consent) -> Result<Consent, StoreError> {
    // Reading the lists leaves out what is in them twice; nobody else can have changed them since.
    let all: Consent = sqlx::query_as(
        "INSERT INTO consents (user_id, client_id, scopes, claims, resources, granted_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (user_id, client_id) DO UPDATE
            SET scopes = consents.scopes || ' ' || excluded.scopes,
                claims = COALESCE(consents.claims || ' ' || excluded.claims,
                                  consents.claims, excluded.claims),
                resources = COALESCE(consents.resources || ' ' || excluded.resources,
                                     consents.resources, excluded.resources),
                granted_at = excluded.granted_at
         RETURNING user_id, client_id, scopes, claims, resources, granted_at",
    )
    .bind(consent.user_id.to_string())
    .bind(consent.client_id.as_str())
    .bind(consent.scopes.to_string())
    .bind(claims(consent))
    .bind(super::resources(&consent.resources))
    .bind(consent.granted_at.0)
    .fetch_one(&mut *db)
    .await?;
    sqlx::query(
        "UPDATE consents SET scopes = $3, claims = $4, resources = $5
          WHERE user_id = $1 AND client_id = $2",
    )
    .bind(consent.user_id.to_string())
    .bind(consent.client_id.as_str())
    .bind(all.scopes.to_string())
    .bind(claims(&all))
    .bind(super::resources(&all.resources))
    .execute(db)
    .await?;
    Ok(all)
}

/// Forgets what the user has allowed the client. Returns whether there was anything.
///
/// What was issued meanwhile is ended by [`super::grants::revoke_all_of_user_and_client`].
pub async fn withdraw(
    db: &mut Connection,
    user_id: UserId,
    client_id: &ClientId,
) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM consents WHERE user_id = $1 AND client_id = $2")
        .bind(user_id.to_string())
        .bind(client_id.as_str())
        .execute(db)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// The claims as they are stored: nothing, where there are none.
fn claims(consent: &Consent) -> Option<String> {
    let claims = &consent.claims;
    (!claims.is_empty()).then(|| claims.to_string())
}

impl FromRow<'_, AnyRow> for Consent {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            user_id: super::parse(row, "user_id")?,
            client_id: super::parse(row, "client_id")?,
            scopes: super::parse(row, "scopes")?,
            claims: match row.try_get::<Option<&str>, _>("claims")? {
                Some(_) => super::parse(row, "claims")?,
                None => ClaimNames::default(),
            },
            resources: super::read_resources(row)?,
            granted_at: row.try_get("granted_at").map(Timestamp)?,
        })
    }
}
