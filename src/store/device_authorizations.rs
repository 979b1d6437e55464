//! Device authorizations, stored under the digest of the device code.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::grants::{self, GrantWithParties};
use super::{Connection, StoreError, clients, users};
use crate::oidc::client::Client;
use crate::oidc::device_authorization::DeviceAuthorization;
use crate::oidc::grant::{Grant, GrantId};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::User;

/// A device authorization as it was found, with everything that is looked at before it is redeemed.
#[derive(Clone, Debug)]
pub struct PresentedDeviceCode {
    /// What the device asked for.
    pub authorization: DeviceAuthorization,
    /// The client that it is.
    pub client: Client,
    /// What a person answered.
    pub decision: Decision,
}

/// What a person answered to a device.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Nothing yet.
    Pending,
    /// No.
    Denied,
    /// Yes.
    Granted {
        /// What was granted.
        grant: Box<GrantWithParties>,
        /// When the device got its tokens, if it did.
        consumed_at: Option<Timestamp>,
    },
}

/// Stores what a device asks for. Returns whether the user code was free.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    user_code: &Digest,
    authorization: &DeviceAuthorization,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO device_authorizations
            (digest, user_code_digest, client_id, scopes, resources, poll_interval, created_at,
             expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (user_code_digest) DO NOTHING",
    )
    .bind(digest.as_stored())
    .bind(user_code.as_stored())
    .bind(authorization.client_id.as_str())
    .bind(authorization.scopes.to_string())
    .bind(super::resources(&authorization.resources))
    .bind(authorization.poll_interval)
    .bind(authorization.created_at.0)
    .bind(authorization.expires_at.0)
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The device authorization of this device code, whatever has become of it.
pub async fn find_with_grant(
    db: &mut Connection,
    digest: &Digest,
) -> Result<Option<PresentedDeviceCode>, StoreError> {
    let found = sqlx::query_as(concat!(
        "SELECT device_authorizations.scopes, device_authorizations.resources,
                device_authorizations.poll_interval, device_authorizations.created_at,
                device_authorizations.expires_at, device_authorizations.denied_at,
                device_authorizations.consumed_at, ",
        grants::columns!(),
        ", ",
        users::columns!(),
        ", ",
        clients::columns!(),
        " FROM device_authorizations
           JOIN clients ON clients.id = device_authorizations.client_id
           LEFT JOIN grants ON grants.id = device_authorizations.grant_id
           LEFT JOIN users ON users.id = grants.user_id
          WHERE device_authorizations.digest = $1"
    ))
    .bind(digest.as_stored())
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The digest of the device code that belongs to this user code, if it still waits for an answer.
pub async fn find_by_user_code(
    db: &mut Connection,
    user_code: &Digest,
    now: Timestamp,
) -> Result<Option<(Digest, DeviceAuthorization)>, StoreError> {
    let row = sqlx::query(
        "SELECT digest, client_id, scopes, resources, poll_interval, created_at, expires_at
           FROM device_authorizations
          WHERE user_code_digest = $1 AND expires_at > $2
            AND grant_id IS NULL AND denied_at IS NULL",
    )
    .bind(user_code.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let digest = row.try_get("digest").map(Digest::from_stored)?;
    Ok(Some((digest, DeviceAuthorization::from_row(&row)?)))
}

/// The device authorization of this device code, if it still waits for an answer.
pub async fn find_pending(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<DeviceAuthorization>, StoreError> {
    let found = sqlx::query_as(
        "SELECT client_id, scopes, resources, poll_interval, created_at, expires_at
           FROM device_authorizations
          WHERE digest = $1 AND expires_at > $2
            AND grant_id IS NULL AND denied_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Answers yes with a grant. Returns whether this call, and no other, answered.
pub async fn approve(
    db: &mut Connection,
    digest: &Digest,
    grant_id: GrantId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE device_authorizations SET grant_id = $3
          WHERE digest = $1 AND expires_at > $2
            AND grant_id IS NULL AND denied_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .bind(grant_id.to_string())
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Answers no. Returns whether this call, and no other, answered.
pub async fn deny(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE device_authorizations SET denied_at = $2
          WHERE digest = $1 AND expires_at > $2
            AND grant_id IS NULL AND denied_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Notes that the device asked. Returns whether enough time lies between this and the question
/// before; if not, more of it must from now on.
pub async fn poll(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let in_time = sqlx::query(
        "UPDATE device_authorizations SET polled_at = $2
          WHERE digest = $1 AND (polled_at IS NULL OR polled_at + poll_interval <= $2)",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(&mut *db)
    .await?;
    if in_time.rows_affected() == 1 {
        return Ok(true);
    }
    sqlx::query(
        "UPDATE device_authorizations
            SET polled_at = $2, poll_interval = poll_interval + 5
          WHERE digest = $1",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(false)
}

/// Redeems a device code that was granted. Returns whether this call, and no other, did.
pub async fn consume(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE device_authorizations SET consumed_at = $2
          WHERE digest = $1 AND grant_id IS NOT NULL AND consumed_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for DeviceAuthorization {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            client_id: super::parse(row, "client_id")?,
            scopes: super::parse(row, "scopes")?,
            resources: super::read_resources(row)?,
            poll_interval: row.try_get("poll_interval")?,
            created_at: row.try_get("created_at").map(Timestamp)?,
            expires_at: row.try_get("expires_at").map(Timestamp)?,
        })
    }
}

impl FromRow<'_, AnyRow> for PresentedDeviceCode {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let client = Client::from_row(row)?;
        let grant_id: Option<&str> = row.try_get("grant_id")?;
        let decision = match (grant_id, super::instant(row, "denied_at")?) {
            (Some(_), _) => Decision::Granted {
                grant: Box::new(GrantWithParties {
                    grant: Grant::from_row(row)?,
                    user: User::from_row(row)?,
                    client: client.clone(),
                    revoked_at: super::instant(row, "revoked_at")?,
                }),
                consumed_at: super::instant(row, "consumed_at")?,
            },
            (None, Some(_)) => Decision::Denied,
            (None, None) => Decision::Pending,
        };
        Ok(Self {
            authorization: DeviceAuthorization::from_row(row)?,
            client,
            decision,
        })
    }
}
