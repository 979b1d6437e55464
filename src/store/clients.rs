//! Registered clients.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::client::{Client, ClientId, ClientSecrets};
use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::protected_response::Protection;
use crate::oidc::response_type::ResponseTypes;
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// The columns of a [`Client`], under names that are unique among all tables.
macro_rules! columns {
    () => {
        "clients.id AS client_id, clients.metadata, clients.secret_digest, \
         clients.previous_secret_digest, clients.previous_secret_expires_at, \
         clients.created_at AS client_created_at, clients.updated_at AS client_updated_at, \
         clients.disabled_at AS client_disabled_at, \
         clients.self_registered_at AS client_self_registered_at"
    };
}
pub(super) use columns;

/// Registers `client`. Returns whether its id was free.
pub async fn insert(db: &mut Connection, client: &Client) -> Result<bool, StoreError> {
    let (secret, previous, previous_expires_at) = secrets(client);
    let inserted = sqlx::query(
        "INSERT INTO clients
            (id, metadata, secret_digest, previous_secret_digest, previous_secret_expires_at,
             created_at, updated_at, disabled_at, self_registered_at,
             front_channel_response_types, userinfo_protection)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING",
    )
    .bind(client.id.as_str())
    .bind(super::json(&client.metadata)?)
    .bind(secret)
    .bind(previous)
    .bind(previous_expires_at)
    .bind(client.created_at.0)
    .bind(client.updated_at.0)
    .bind(client.disabled_at.map(|at| at.0))
    .bind(client.self_registered_at.map(|at| at.0))
    .bind(front_channel(&client.metadata)?)
    .bind(userinfo(&client.metadata)?)
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Registers `client`, or replaces the registration that bears its id.
///
/// Returns the instant at which the id was first registered.
pub async fn upsert(db: &mut Connection, client: &Client) -> Result<Timestamp, StoreError> {
    let (secret, previous, previous_expires_at) = secrets(client);
    let created_at = sqlx::query_scalar(
        "INSERT INTO clients
            (id, metadata, secret_digest, previous_secret_digest, previous_secret_expires_at,
             created_at, updated_at, disabled_at, self_registered_at,
             front_channel_response_types, userinfo_protection)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE
            SET metadata = excluded.metadata,
                front_channel_response_types = excluded.front_channel_response_types,
                userinfo_protection = excluded.userinfo_protection,
                secret_digest = excluded.secret_digest,
                previous_secret_digest = excluded.previous_secret_digest,
                previous_secret_expires_at = excluded.previous_secret_expires_at,
                updated_at = excluded.updated_at,
                disabled_at = excluded.disabled_at,
                self_registered_at = excluded.self_registered_at
         RETURNING created_at",
    )
    .bind(client.id.as_str())
    .bind(super::json(&client.metadata)?)
    .bind(secret)
    .bind(previous)
    .bind(previous_expires_at)
    .bind(client.created_at.0)
    .bind(client.updated_at.0)
    .bind(client.disabled_at.map(|at| at.0))
    .bind(client.self_registered_at.map(|at| at.0))
    .bind(front_channel(&client.metadata)?)
    .bind(userinfo(&client.metadata)?)
    .fetch_one(db)
    .await?;
    Ok(Timestamp(created_at))
}

/// The client that bears `id`.
pub async fn find(db: &mut Connection, id: &ClientId) -> Result<Option<Client>, StoreError> {
    let client = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM clients WHERE id = $1"
    ))
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    Ok(client)
}

/// Up to `limit` clients by id, from the one that follows `after` on.
pub async fn list(
    db: &mut Connection,
    after: Option<&ClientId>,
    limit: u32,
) -> Result<Vec<Client>, StoreError> {
    let clients = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM clients WHERE id > $1 ORDER BY id LIMIT $2"
    ))
    .bind(after.map_or("", ClientId::as_str))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    Ok(clients)
}

/// Up to `limit` clients by id, from the one that follows `after` on, in whose metadata `text`
/// occurs, in whatever case.
pub async fn list_mentioning(
    db: &mut Connection,
    text: &str,
    after: Option<&ClientId>,
    limit: u32,
) -> Result<Vec<Client>, StoreError> {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    let clients = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM clients WHERE id > $1 AND LOWER(metadata) LIKE $2 ESCAPE '!' ORDER BY id LIMIT $3"
    ))
    .bind(after.map_or("", ClientId::as_str))
    .bind(pattern)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    Ok(clients)
}

/// Replaces the metadata of a client, unless it was changed since it was read. Returns whether
/// this call did.
///
/// `updated_at` is the client's as it was read; the new one is always later.
pub async fn update_metadata(
    db: &mut Connection,
    id: &ClientId,
    updated_at: Timestamp,
    metadata: &ClientMetadata,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE clients
            SET metadata = $3,
                front_channel_response_types = $5,
                userinfo_protection = $6,
                updated_at = CASE WHEN updated_at < $4 THEN $4 ELSE updated_at + 1 END
          WHERE id = $1 AND updated_at = $2",
    )
    .bind(id.as_str())
    .bind(updated_at.0)
    .bind(super::json(metadata)?)
    .bind(now.0)
    .bind(front_channel(metadata)?)
    .bind(userinfo(metadata)?)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Gives a client a new secret; the one before is accepted until `previous_until`. Returns
/// whether there is such a client.
pub async fn rotate_secret(
    db: &mut Connection,
    id: &ClientId,
    secret: &Digest,
    previous_until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE clients
            SET previous_secret_digest = secret_digest,
                previous_secret_expires_at = $3,
                secret_digest = $2,
                updated_at = CASE WHEN updated_at < $4 THEN $4 ELSE updated_at + 1 END
          WHERE id = $1",
    )
    .bind(id.as_str())
    .bind(secret.as_stored())
    .bind(previous_until.0)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Lets a client manage its own registration with the token of this digest. Returns whether there
/// is such a client.
pub async fn set_registration_token(
    db: &mut Connection,
    id: &ClientId,
    token: &Digest,
) -> Result<bool, StoreError> {
    let updated = sqlx::query("UPDATE clients SET registration_token_digest = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(token.as_stored())
        .execute(db)
        .await?;
    Ok(updated.rows_affected() == 1)
}

/// The client that bears `id`, if it manages its own registration with the token of this digest.
pub async fn find_by_registration_token(
    db: &mut Connection,
    id: &ClientId,
    token: &Digest,
) -> Result<Option<Client>, StoreError> {
    let client = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM clients WHERE id = $1 AND registration_token_digest = $2"
    ))
    .bind(id.as_str())
    .bind(token.as_stored())
    .fetch_optional(db)
    .await?;
    Ok(client)
}

/// Replaces what a client registered, its secrets with it, unless it was changed since it was
/// read. Returns whether this call did.
///
/// `updated_at` is the client's as it was read; the new one is always later.
pub async fn replace(
    db: &mut Connection,
    client: &Client,
    updated_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (secret, previous, previous_expires_at) = secrets(client);
    let updated = sqlx::query(
        "UPDATE clients
            SET metadata = $3,
                front_channel_response_types = $8,
                userinfo_protection = $9,
                secret_digest = $5,
                previous_secret_digest = $6,
                previous_secret_expires_at = $7,
                updated_at = CASE WHEN updated_at < $4 THEN $4 ELSE updated_at + 1 END
          WHERE id = $1 AND updated_at = $2",
    )
    .bind(client.id.as_str())
    .bind(updated_at.0)
    .bind(super::json(&client.metadata)?)
    .bind(now.0)
    .bind(secret)
    .bind(previous)
    .bind(previous_expires_at)
    .bind(front_channel(&client.metadata)?)
    .bind(userinfo(&client.metadata)?)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Deletes up to `limit` clients that registered themselves at `before` or earlier and that nobody
/// has ever signed in to. Returns how many.
pub async fn purge_unused(
    db: &mut Connection,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    // Who signs in to such a client is asked for consent, which is remembered.
    let deleted = sqlx::query(
        "DELETE FROM clients WHERE id IN
            (SELECT id FROM clients
              WHERE self_registered_at <= $1
                AND NOT EXISTS (SELECT 1 FROM consents WHERE consents.client_id = clients.id)
                AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.client_id = clients.id)
              LIMIT $2)",
    )
    .bind(before.0)
    .bind(i64::from(limit))
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}

/// Disables a client. Returns whether this call did.
pub async fn disable(
    db: &mut Connection,
    id: &ClientId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated =
        sqlx::query("UPDATE clients SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL")
            .bind(id.as_str())
            .bind(now.0)
            .execute(db)
            .await?;
    Ok(updated.rows_affected() == 1)
}

/// Enables a client. Returns whether this call did.
pub async fn enable(db: &mut Connection, id: &ClientId) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE clients SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL",
    )
    .bind(id.as_str())
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Deletes a client and all that was issued to it. Returns whether there was such a client.
pub async fn delete(db: &mut Connection, id: &ClientId) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM clients WHERE id = $1")
        .bind(id.as_str())
        .execute(db)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// The response types with which tokens travel through the browser that some enabled client has
/// from an operator.
pub async fn list_front_channel_response_types(
    db: &mut Connection,
) -> Result<ResponseTypes, StoreError> {
    let rows: Vec<AnyRow> = sqlx::query(
        "SELECT DISTINCT front_channel_response_types
           FROM clients
          WHERE front_channel_response_types IS NOT NULL
            AND disabled_at IS NULL AND self_registered_at IS NULL",
    )
    .fetch_all(db)
    .await?;
    let mut all = Vec::new();
    for row in &rows {
        let types: ResponseTypes = super::parse_json(row, "front_channel_response_types")?;
        all.extend(types.0);
    }
    Ok(ResponseTypes(all).front_channel())
}

/// The response types of `metadata` with which tokens travel through the browser, as they are
/// stored beside it: nothing, where there are none.
fn front_channel(metadata: &ClientMetadata) -> sqlx::Result<Option<String>> {
    let types = metadata.response_types.front_channel();
    if types.0.is_empty() {
        return Ok(None);
    }
    super::json(&types).map(Some)
}

/// How the client of `metadata` wants userinfo, as it is stored beside it, where the userinfo
/// endpoint reads it without the rest: nothing, where that is plain JSON.
fn userinfo(metadata: &ClientMetadata) -> sqlx::Result<Option<String>> {
    let protection = Protection::of_userinfo(metadata);
    if protection.is_none() {
        return Ok(None);
    }
    super::json(&protection).map(Some)
}

/// The columns that hold a client's secrets.
fn secrets(client: &Client) -> (Option<&str>, Option<&str>, Option<i64>) {
    let secrets = client.secret.as_ref();
    let previous = secrets.and_then(|secrets| secrets.previous.as_ref());
    (
        secrets.map(|secrets| secrets.current.as_stored()),
        previous.map(|(digest, _)| digest.as_stored()),
        previous.map(|(_, until)| until.0),
    )
}

impl FromRow<'_, AnyRow> for Client {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let current: Option<String> = row.try_get("secret_digest")?;
        let previous: Option<String> = row.try_get("previous_secret_digest")?;
        let previous_until = super::instant(row, "previous_secret_expires_at")?;
        Ok(Self {
            id: super::parse(row, "client_id")?,
            metadata: super::parse_json(row, "metadata")?,
            secret: current.map(|current| ClientSecrets {
                current: Digest::from_stored(current),
                previous: previous.map(Digest::from_stored).zip(previous_until),
            }),
            created_at: row.try_get("client_created_at").map(Timestamp)?,
            updated_at: row.try_get("client_updated_at").map(Timestamp)?,
            disabled_at: super::instant(row, "client_disabled_at")?,
            self_registered_at: super::instant(row, "client_self_registered_at")?,
        })
    }
}
