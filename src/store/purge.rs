//! Sweeping away what has expired, in steps small enough to be in nobody's way.

use std::time::Duration;

use super::{Connection, Store, StoreError, clients};
use crate::oidc::timestamp::Timestamp;

impl Store {
    /// Deletes what has expired and can no longer matter. Returns how many rows that were.
    ///
    /// What is needed to recognise a replay is kept for a day longer, and a code that was
    /// consumed as long as its grant. One call deletes a bounded number of rows; what is left
    /// waits for the next one.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for (statement, delay) in STEPS {
            let before = now.before(*delay);
            for _ in 0..ROUNDS {
                let count = self
                    .write(move |db| Box::pin(delete(db, statement, before)))
                    .await?;
                deleted += count;
                if count < u64::from(LIMIT) {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    /// Deletes clients that registered themselves at `before` or earlier and that nobody has ever
    /// signed in to. Returns how many; what one call leaves waits for the next one.
    pub async fn purge_unused_clients(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for _ in 0..ROUNDS {
            let count = self
                .write(move |db| Box::pin(clients::purge_unused(db, before, LIMIT)))
                .await?;
            deleted += count;
            if count < u64::from(LIMIT) {
                break;
            }
        }
        Ok(deleted)
    }
}

async fn delete(
    db: &mut Connection,
    statement: &'static str,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let deleted = sqlx::query(statement)
        .bind(before.0)
        .bind(i64::from(LIMIT))
        .execute(db)
        .await?;
    Ok(deleted.rows_affected())
}

/// What to delete, and how long after it has expired.
const STEPS: &[(&str, Duration)] = &[
    (
        "DELETE FROM grants WHERE id IN
            (SELECT id FROM grants WHERE expires_at <= $1 LIMIT $2)",
        DAY,
    ),
    (
        "DELETE FROM grants WHERE id IN
            (SELECT id FROM grants WHERE revoked_at <= $1 LIMIT $2)",
        DAY,
    ),
    // A code that nobody came for: there is nothing else under its grant, and never will be.
    (
        "DELETE FROM grants WHERE id IN
            (SELECT grant_id FROM authorization_codes
              WHERE expires_at <= $1 AND consumed_at IS NULL LIMIT $2)",
        DAY,
    ),
    // What a person allowed a device that never came for it: likewise.
    (
        "DELETE FROM grants WHERE id IN
            (SELECT grant_id FROM device_authorizations
              WHERE expires_at <= $1 AND consumed_at IS NULL AND grant_id IS NOT NULL
              LIMIT $2)",
        HOUR,
    ),
    // For a while a device is told that its code has expired.
    (
        "DELETE FROM device_authorizations WHERE digest IN
            (SELECT digest FROM device_authorizations WHERE expires_at <= $1 LIMIT $2)",
        HOUR,
    ),
    (
        "DELETE FROM refresh_tokens WHERE digest IN
            (SELECT digest FROM refresh_tokens WHERE expires_at <= $1 LIMIT $2)",
        DAY,
    ),
    (
        "DELETE FROM access_tokens WHERE digest IN
            (SELECT digest FROM access_tokens WHERE expires_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
    // Somebody's clock may be behind: a token that has expired for us may live on for them.
    (
        "DELETE FROM revoked_access_tokens WHERE jti IN
            (SELECT jti FROM revoked_access_tokens WHERE expires_at <= $1 LIMIT $2)",
        DAY,
    ),
    (
        "DELETE FROM authorization_transactions WHERE digest IN
            (SELECT digest FROM authorization_transactions WHERE expires_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
    // A transaction that began with it may last for a day, and uses it up at its end.
    (
        "DELETE FROM pushed_authorization_requests WHERE digest IN
            (SELECT digest FROM pushed_authorization_requests WHERE expires_at <= $1 LIMIT $2)",
        DAY,
    ),
    (
        "DELETE FROM sessions WHERE id IN
            (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
    (
        "DELETE FROM sessions WHERE id IN
            (SELECT id FROM sessions WHERE idle_expires_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
    (
        "DELETE FROM sessions WHERE id IN
            (SELECT id FROM sessions WHERE ended_at <= $1 LIMIT $2)",
        DAY,
    ),
    (
        "DELETE FROM known_browsers WHERE digest IN
            (SELECT digest FROM known_browsers WHERE expires_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
    (
        "DELETE FROM dpop_proofs WHERE digest IN
            (SELECT digest FROM dpop_proofs WHERE expires_at <= $1 LIMIT $2)",
        CLOCKS_APART,
    ),
    (
        "DELETE FROM used_assertions WHERE digest IN
            (SELECT digest FROM used_assertions WHERE expires_at <= $1 LIMIT $2)",
        CLOCKS_APART,
    ),
    (
        "DELETE FROM logout_deliveries WHERE id IN
            (SELECT id FROM logout_deliveries WHERE created_at <= $1 LIMIT $2)",
        WEEK,
    ),
    (
        "DELETE FROM initial_access_tokens WHERE id IN
            (SELECT id FROM initial_access_tokens WHERE expires_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
    (
        "DELETE FROM login_throttles WHERE digest IN
            (SELECT digest FROM login_throttles WHERE window_ends_at <= $1 LIMIT $2)",
        Duration::ZERO,
    ),
];

/// How many rows one unit of work deletes at most, not counting those that hang on them.
const LIMIT: u32 = 200;

/// How many units of work one call spends on one kind of row.
const ROUNDS: u32 = 50;

const HOUR: Duration = Duration::from_hours(1);
/// How far the clocks of two replicas may be apart: what has expired for one is good for the other.
const CLOCKS_APART: Duration = Duration::from_mins(5);

const DAY: Duration = Duration::from_hours(24);
/// Deliveries are kept beyond their hour, for who looks into what became of them.
const WEEK: Duration = Duration::from_hours(7 * 24);
