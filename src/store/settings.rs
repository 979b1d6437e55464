//! What a database says of itself, such as which master key seals its keys.

use super::{Connection, StoreError};

/// Stores `value` under `name` unless there is one. Returns the one that is now stored.
pub async fn insert_if_absent(
    db: &mut Connection,
    name: &str,
    value: &str,
) -> Result<String, StoreError> {
    // An update that changes nothing makes the row be returned.
    let stored = sqlx::query_scalar(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name
         RETURNING value",
    )
    .bind(name)
    .bind(value)
    .fetch_one(db)
    .await?;
    Ok(stored)
}

/// The value that is stored under `name`.
pub async fn find(db: &mut Connection, name: &str) -> Result<Option<String>, StoreError> {
    let value = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?;
    Ok(value)
}

/// Replaces the value under `name`, if it is `old`. Returns whether this call did.
pub async fn replace(
    db: &mut Connection,
    name: &str,
    old: &str,
    new: &str,
) -> Result<bool, StoreError> {
    let updated = sqlx::query("UPDATE settings SET value = $3 WHERE name = $1 AND value = $2")
        .bind(name)
        .bind(old)
        .bind(new)
        .execute(db)
        .await?;
    Ok(updated.rows_affected() == 1)
}
