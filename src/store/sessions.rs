//! Sessions, each stored under the digest of its cookie.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError, users};
use crate::oidc::secret::Digest;
use crate::oidc::session::{Session, SessionId};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::{User, UserId};

/// The columns of a [`Session`], but for the id of its user.
macro_rules! columns {
    () => {
        "sessions.id AS session_id, sessions.authenticated_at, sessions.amr, \
         sessions.created_at AS session_created_at, sessions.seen_at, \
         sessions.expires_at AS session_expires_at"
    };
}

/// Stores a session that just began. It ends at `idle_expires_at` unless it is used before.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    session: &Session,
    idle_expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sessions
            (id, digest, user_id, authenticated_at, amr, created_at, seen_at,
             idle_expires_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(session.id.to_string())
    .bind(digest.as_stored())
    .bind(session.user_id.to_string())
    .bind(session.authenticated_at.0)
    .bind(super::json(&session.amr)?)
    .bind(session.created_at.0)
    .bind(session.seen_at.0)
    .bind(idle_expires_at.0)
    .bind(session.expires_at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// The session of this cookie and its user, if it is live: neither ended nor expired, and its
/// user not disabled.
pub async fn find_by_digest(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<(Session, User)>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", ",
        users::columns!(),
        " FROM sessions JOIN users ON users.id = sessions.user_id
          WHERE sessions.digest = $1
            AND sessions.ended_at IS NULL
            AND sessions.expires_at > $2
            AND sessions.idle_expires_at > $2
            AND users.disabled_at IS NULL"
    ))
    .bind(digest.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some((Session::from_row(&row)?, User::from_row(&row)?)))
}

/// The live sessions of a user, the latest first.
pub async fn list_of_user(
    db: &mut Connection,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let sessions = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        ", sessions.user_id
           FROM sessions
          WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND idle_expires_at > $2
          ORDER BY seen_at DESC, id"
    ))
    .bind(user_id.to_string())
    .bind(now.0)
    .fetch_all(db)
    .await?;
    Ok(sessions)
}

/// Notes that a session is in use: it now ends at `idle_expires_at` unless it is used before.
pub async fn touch(
    db: &mut Connection,
    id: SessionId,
    now: Timestamp,
    idle_expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE sessions SET seen_at = $2, idle_expires_at = $3
          WHERE id = $1 AND ended_at IS NULL AND seen_at < $2",
    )
    .bind(id.to_string())
    .bind(now.0)
    .bind(idle_expires_at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Goes on with a session whose user has signed in again, under a new cookie: `session` as it
/// shall be. Returns whether it had not ended.
pub async fn renew(
    db: &mut Connection,
    digest: &Digest,
    session: &Session,
    idle_expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE sessions
            SET digest = $3, authenticated_at = $4, amr = $5, seen_at = $6,
                idle_expires_at = $7, expires_at = $8
          WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $6",
    )
    .bind(session.id.to_string())
    .bind(session.user_id.to_string())
    .bind(digest.as_stored())
    .bind(session.authenticated_at.0)
    .bind(super::json(&session.amr)?)
    .bind(session.seen_at.0)
    .bind(idle_expires_at.0)
    .bind(session.expires_at.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Ends a session. Returns whether this call did.
pub async fn end(db: &mut Connection, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
    let updated =
        sqlx::query("UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
            .bind(id.to_string())
            .bind(now.0)
            .execute(db)
            .await?;
    Ok(updated.rows_affected() == 1)
}

/// Ends every session of a user. Returns how many that were.
pub async fn end_all_of_user(
    db: &mut Connection,
    user_id: UserId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let updated =
        sqlx::query("UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL")
            .bind(user_id.to_string())
            .bind(now.0)
            .execute(db)
            .await?;
    Ok(updated.rows_affected())
}

impl FromRow<'_, AnyRow> for Session {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: super::parse(row, "session_id")?,
            user_id: super::parse(row, "user_id")?,
            authenticated_at: row.try_get("authenticated_at").map(Timestamp)?,
            amr: super::parse_json(row, "amr")?,
            created_at: row.try_get("session_created_at").map(Timestamp)?,
            seen_at: row.try_get("seen_at").map(Timestamp)?,
            expires_at: row.try_get("session_expires_at").map(Timestamp)?,
        })
    }
}
