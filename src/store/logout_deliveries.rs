//! Logout tokens on their way to clients.
//!
//! Nobody holds a delivery: whoever claims one has thereby put its next attempt off, so that a
//! process that dies on the way leaves it to the others.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError, clients};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::logout_token::{LogoutDelivery, Verdict};
use crate::oidc::timestamp::Timestamp;
use uuid::Uuid;

/// The columns of a [`LogoutDelivery`], but for the id of its client.
macro_rules! columns {
    () => {
        "logout_deliveries.id AS delivery_id, logout_deliveries.session_id, \
         logout_deliveries.user_id, logout_deliveries.target, logout_deliveries.attempts, \
         logout_deliveries.last_status, logout_deliveries.created_at AS delivery_created_at, \
         logout_deliveries.next_attempt_at, logout_deliveries.delivered_at, \
         logout_deliveries.failed_at"
    };
}

/// Stores a delivery that is to be made.
pub async fn insert(db: &mut Connection, delivery: &LogoutDelivery) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO logout_deliveries
            (id, client_id, session_id, user_id, target, attempts, last_status, created_at,
             next_attempt_at, delivered_at, failed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(delivery.id.to_string())
    .bind(delivery.client_id.as_str())
    .bind(delivery.session_id.to_string())
    .bind(delivery.user_id.to_string())
    .bind(&delivery.target)
    .bind(delivery.attempts)
    .bind(delivery.last_status.as_deref())
    .bind(delivery.created_at.0)
    .bind(delivery.next_attempt_at.map(|at| at.0))
    .bind(delivery.delivered_at.map(|at| at.0))
    .bind(delivery.failed_at.map(|at| at.0))
    .execute(db)
    .await?;
    Ok(())
}

/// Up to `limit` deliveries that are due with their clients, the longest due first, and of those
/// to one target no more than `per_target`: many to a dead one keep none from the living.
pub async fn list_due(
    db: &mut Connection,
    now: Timestamp,
    per_target: u32,
    limit: u32,
) -> Result<Vec<(LogoutDelivery, Client)>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", ",
        clients::columns!(),
        " FROM (SELECT logout_deliveries.id AS due_id,
                       ROW_NUMBER() OVER
                         (PARTITION BY target ORDER BY next_attempt_at, id) AS place
                  FROM logout_deliveries
                 WHERE next_attempt_at <= $1) AS due
           JOIN logout_deliveries ON logout_deliveries.id = due.due_id
           JOIN clients ON clients.id = logout_deliveries.client_id
          WHERE due.place <= $2
          ORDER BY logout_deliveries.next_attempt_at, logout_deliveries.id
          LIMIT $3"
    ))
    .bind(now.0)
    .bind(i64::from(per_target))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    let due = rows
        .iter()
        .map(|row| Ok((LogoutDelivery::from_row(row)?, Client::from_row(row)?)));
    Ok(due.collect::<sqlx::Result<_>>()?)
}

/// Claims the next attempt of a delivery that was listed with so many `attempts`, and puts the one
/// after that off to `next_attempt_at`. Returns whether this call did, and no other.
pub async fn claim(
    db: &mut Connection,
    id: Uuid,
    attempts: i64,
    next_attempt_at: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE logout_deliveries SET attempts = attempts + 1, next_attempt_at = $3
          WHERE id = $1 AND attempts = $2 AND next_attempt_at IS NOT NULL",
    )
    .bind(id.to_string())
    .bind(attempts)
    .bind(next_attempt_at.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Notes what came of an attempt: whether it is over, or there is another. Returns whether it was
/// still open.
pub async fn note(
    db: &mut Connection,
    id: Uuid,
    verdict: Verdict,
    status: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (delivered_at, failed_at) = match verdict {
        Verdict::Delivered => (Some(now.0), None),
        Verdict::Refused => (None, Some(now.0)),
        Verdict::Later => (None, None),
    };
    let updated = sqlx::query(
        "UPDATE logout_deliveries
            SET last_status = $2, delivered_at = $3, failed_at = $4,
                next_attempt_at = CASE WHEN $5 = 1 THEN next_attempt_at END
          WHERE id = $1 AND next_attempt_at IS NOT NULL",
    )
    .bind(id.to_string())
    .bind(status)
    .bind(delivered_at)
    .bind(failed_at)
    .bind(i64::from(verdict == Verdict::Later))
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// The last `limit` deliveries to a client, the latest first.
pub async fn list_of_client(
    db: &mut Connection,
    client_id: &ClientId,
    limit: u32,
) -> Result<Vec<LogoutDelivery>, StoreError> {
    let deliveries = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        ", client_id FROM logout_deliveries WHERE client_id = $1
          ORDER BY created_at DESC, id LIMIT $2"
    ))
    .bind(client_id.as_str())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    Ok(deliveries)
}

impl FromRow<'_, AnyRow> for LogoutDelivery {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: super::parse(row, "delivery_id")?,
            client_id: super::parse(row, "client_id")?,
            session_id: super::parse(row, "session_id")?,
            user_id: super::parse(row, "user_id")?,
            target: row.try_get("target")?,
            attempts: row.try_get("attempts")?,
            last_status: row.try_get("last_status")?,
            created_at: row.try_get("delivery_created_at").map(Timestamp)?,
            next_attempt_at: super::instant(row, "next_attempt_at")?,
            delivered_at: super::instant(row, "delivered_at")?,
            failed_at: super::instant(row, "failed_at")?,
        })
    }
}
