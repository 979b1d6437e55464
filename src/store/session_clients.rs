//! The clients of a session that want to be told when it ends.

use super::{Connection, StoreError, clients};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::session::SessionId;
use crate::oidc::timestamp::Timestamp;

/// Notes that `client_id` was signed in to in a session, if the session goes on.
pub async fn insert(
    db: &mut Connection,
    session_id: SessionId,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session_clients (session_id, client_id, created_at)
         SELECT sessions.id, $2, $3 FROM sessions
          WHERE sessions.id = $1 AND sessions.ended_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind(session_id.to_string())
    .bind(client_id.as_str())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

/// The clients of a session, but for those that are disabled.
pub async fn list(db: &mut Connection, session_id: SessionId) -> Result<Vec<Client>, StoreError> {
    let clients = sqlx::query_as(concat!(
        "SELECT ",
        clients::columns!(),
        " FROM session_clients JOIN clients ON clients.id = session_clients.client_id
          WHERE session_clients.session_id = $1 AND clients.disabled_at IS NULL
          ORDER BY clients.id"
    ))
    .bind(session_id.to_string())
    .fetch_all(db)
    .await?;
    Ok(clients)
}
