//! Grants: what every code and token hangs on.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError, clients, users};
use crate::oidc::client::{Client, ClientId};
use crate::oidc::grant::{Grant, GrantDetails, GrantId};
use crate::oidc::protected_response::Protection;
use crate::oidc::session::SessionId;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::{User, UserId};

/// A grant with the two it is between.
#[derive(Clone, Debug)]
pub struct GrantWithParties {
    /// The grant.
    pub grant: Grant,
    /// Who gave it.
    pub user: User,
    /// To whom.
    pub client: Client,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl GrantWithParties {
    /// Whether anything under the grant may be used: it is neither revoked nor expired, and
    /// neither its user nor its client is disabled.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && now < self.grant.expires_at
            && self.user.is_enabled()
            && self.client.is_enabled()
    }
}

/// What there is to know of a grant that is live.
#[derive(Clone, Debug)]
pub struct LiveGrant {
    /// To whom it was given.
    pub client_id: ClientId,
    /// Who gave it.
    pub user: User,
    /// What else was asked for.
    pub details: GrantDetails,
    /// How that client wants to be told of the user.
    pub userinfo: Protection,
}

/// The grants that a session was used for, and that may end with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OfSession {
    /// Those that are not to outlive it.
    Online,
    /// All of them, offline access too.
    All,
}

/// The columns of a [`Grant`], but for the ids of its user and its client.
macro_rules! columns {
    () => {
        "grants.id AS grant_id, grants.session_id, grants.scopes AS grant_scopes, \
         grants.authenticated_at, grants.acr, grants.amr, grants.nonce, \
         grants.details AS grant_details, \
         grants.created_at AS grant_created_at, grants.expires_at AS grant_expires_at, \
         grants.revoked_at"
    };
}
pub(super) use columns;

/// The columns of a [`GrantWithParties`].
macro_rules! columns_with_parties {
    () => {
        concat!(
            $crate::store::grants::columns!(),
            ", ",
            $crate::store::users::columns!(),
            ", ",
            $crate::store::clients::columns!()
        )
    };
}
pub(super) use columns_with_parties;

/// Stores a new grant. `offline_at` is when it came to outlive its session, if it does.
///
/// A grant is swept away a day after `expires_at`: let that be no earlier than the end of the
/// last token under it.
pub async fn insert(
    db: &mut Connection,
    grant: &Grant,
    offline_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO grants
            (id, client_id, user_id, session_id, scopes, authenticated_at, acr, amr, nonce,
             details, offline_at, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(grant.id.to_string())
    .bind(grant.client_id.as_str())
    .bind(grant.user_id.to_string())
    .bind(grant.session_id.to_string())
    .bind(grant.scopes.to_string())
    .bind(grant.authenticated_at.0)
    .bind(&grant.acr)
    .bind(super::json(&grant.amr)?)
    .bind(grant.nonce.as_deref())
    .bind(details(&grant.details)?)
    .bind(offline_at.map(|at| at.0))
    .bind(grant.created_at.0)
    .bind(grant.expires_at.0);
    db.run_ahead(query).await?;
    Ok(())
}

/// The grant, whatever has become of it.
pub async fn find(
    db: &mut Connection,
    id: GrantId,
) -> Result<Option<GrantWithParties>, StoreError> {
    let grant = sqlx::query_as(concat!(
        "SELECT ",
        columns_with_parties!(),
        " FROM grants
           JOIN users ON users.id = grants.user_id
           JOIN clients ON clients.id = grants.client_id
          WHERE grants.id = $1"
    ))
    .bind(id.to_string())
    .fetch_optional(db)
    .await?;
    Ok(grant)
}

/// The latest grant of a session to a client, whatever has become of it.
pub async fn find_of_session(
    db: &mut Connection,
    session_id: SessionId,
    client_id: &ClientId,
) -> Result<Option<GrantWithParties>, StoreError> {
    let grant = sqlx::query_as(concat!(
        "SELECT ",
        columns_with_parties!(),
        " FROM grants
           JOIN users ON users.id = grants.user_id
           JOIN clients ON clients.id = grants.client_id
          WHERE grants.session_id = $1 AND grants.client_id = $2
          ORDER BY grants.created_at DESC, grants.id
          LIMIT 1"
    ))
    .bind(session_id.to_string())
    .bind(client_id.as_str())
    .fetch_optional(db)
    .await?;
    Ok(grant)
}

/// The columns of a [`LiveGrant`].
macro_rules! live_columns {
    () => {
        concat!(
            "grantees.id AS grantee_id, grants.details AS grant_details, \
             grantees.userinfo_protection, ",
            users::columns!()
        )
    };
}

/// Where a live grant is found: $1 is its id, $2 the present instant, $3 the `jti`.
macro_rules! live_rows {
    () => {
        "grants
           JOIN users ON users.id = grants.user_id
           JOIN clients AS grantees ON grantees.id = grants.client_id
          WHERE grants.id = $1
            AND grants.revoked_at IS NULL
            AND grants.expires_at > $2
            AND users.disabled_at IS NULL
            AND grantees.disabled_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM revoked_access_tokens WHERE jti = $3)"
    };
}

/// The grant, if it is live ([`GrantWithParties::is_live`]) and the access token with this `jti`,
/// where one is named, has not been revoked by itself.
pub async fn find_live(
    db: &mut Connection,
    id: GrantId,
    jti: Option<&str>,
    now: Timestamp,
) -> Result<Option<LiveGrant>, StoreError> {
    let grant = sqlx::query_as(concat!("SELECT ", live_columns!(), " FROM ", live_rows!()))
        .bind(id.to_string())
        .bind(now.0)
        .bind(jti)
        .fetch_optional(db)
        .await?;
    Ok(grant)
}

/// The client `caller`, and with it what [`find_live`] finds: in one statement, since every
/// question to the database costs more than its answer.
pub async fn find_live_with_caller(
    db: &mut Connection,
    caller: &ClientId,
    id: GrantId,
    jti: &str,
    now: Timestamp,
) -> Result<Option<(Client, Option<LiveGrant>)>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        clients::columns!(),
        ", ",
        live_columns!(),
        " FROM clients
           LEFT JOIN grants
             ON grants.id = $1
            AND grants.revoked_at IS NULL
            AND grants.expires_at > $2
            AND NOT EXISTS (SELECT 1 FROM revoked_access_tokens WHERE jti = $3)
           LEFT JOIN users ON users.id = grants.user_id AND users.disabled_at IS NULL
           LEFT JOIN clients AS grantees
             ON grantees.id = grants.client_id AND grantees.disabled_at IS NULL
          WHERE clients.id = $4"
    ))
    .bind(id.to_string())
    .bind(now.0)
    .bind(jti)
    .bind(caller.as_str())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let grantee: Option<&str> = row.try_get("grantee_id")?;
    let user: Option<&str> = row.try_get("user_id")?;
    let live = match (grantee, user) {
        (Some(_), Some(_)) => Some(LiveGrant::from_row(&row)?),
        _ => None,
    };
    Ok(Some((Client::from_row(&row)?, live)))
}

/// The live grants of a user, the latest first.
pub async fn list_of_user(
    db: &mut Connection,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<Grant>, StoreError> {
    let grants = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        ", grants.user_id, grants.client_id
           FROM grants
          WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
          ORDER BY created_at DESC, id"
    ))
    .bind(user_id.to_string())
    .bind(now.0)
    .fetch_all(db)
    .await?;
    Ok(grants)
}

/// Revokes a grant and so everything issued under it. Returns whether this call did.
pub async fn revoke(
    db: &mut Connection,
    id: GrantId,
    now: Timestamp,
    reason: &str,
) -> Result<bool, StoreError> {
    let statement = "UPDATE grants SET revoked_at = $2, revocation_reason = $3
                      WHERE id = $1 AND revoked_at IS NULL";
    let revoked = revoke_by(db, statement, &id.to_string(), now, reason).await?;
    Ok(revoked == 1)
}

/// Revokes every grant of a user. Returns how many that were.
pub async fn revoke_all_of_user(
    db: &mut Connection,
    user_id: UserId,
    now: Timestamp,
    reason: &str,
) -> Result<u64, StoreError> {
    let statement = "UPDATE grants SET revoked_at = $2, revocation_reason = $3
          WHERE user_id = $1 AND revoked_at IS NULL";
    revoke_by(db, statement, &user_id.to_string(), now, reason).await
}

/// Revokes every grant of a user to a client. Returns how many that were.
pub async fn revoke_all_of_user_and_client(
    db: &mut Connection,
    user_id: UserId,
    client_id: &ClientId,
    now: Timestamp,
    reason: &str,
) -> Result<u64, StoreError> {
    let updated = sqlx::query(
        "UPDATE grants SET revoked_at = $3, revocation_reason = $4
          WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL",
    )
    .bind(user_id.to_string())
    .bind(client_id.as_str())
    .bind(now.0)
    .bind(reason)
    .execute(db)
    .await?;
    Ok(updated.rows_affected())
}

/// Revokes every grant to a client. Returns how many that were.
pub async fn revoke_all_of_client(
    db: &mut Connection,
    client_id: &ClientId,
    now: Timestamp,
    reason: &str,
) -> Result<u64, StoreError> {
    let statement = "UPDATE grants SET revoked_at = $2, revocation_reason = $3
          WHERE client_id = $1 AND revoked_at IS NULL";
    revoke_by(db, statement, client_id.as_str(), now, reason).await
}

/// Revokes the grants that were made in a session. Returns how many that were.
pub async fn revoke_all_of_session(
    db: &mut Connection,
    session_id: SessionId,
    which: OfSession,
    now: Timestamp,
    reason: &str,
) -> Result<u64, StoreError> {
    let statement = match which {
        OfSession::Online => {
            "UPDATE grants SET revoked_at = $2, revocation_reason = $3
              WHERE session_id = $1 AND revoked_at IS NULL AND offline_at IS NULL"
        }
        OfSession::All => {
            "UPDATE grants SET revoked_at = $2, revocation_reason = $3
              WHERE session_id = $1 AND revoked_at IS NULL"
        }
    };
    revoke_by(db, statement, &session_id.to_string(), now, reason).await
}

/// Runs a statement that revokes the grants which one key picks out. Returns how many that were.
async fn revoke_by(
    db: &mut Connection,
    statement: &'static str,
    key: &str,
    now: Timestamp,
    reason: &str,
) -> Result<u64, StoreError> {
    let updated = sqlx::query(statement)
        .bind(key)
        .bind(now.0)
        .bind(reason)
        .execute(db)
        .await?;
    Ok(updated.rows_affected())
}

/// The details as they are stored: nothing, where there are none.
fn details(details: &GrantDetails) -> sqlx::Result<Option<String>> {
    if *details == GrantDetails::default() {
        return Ok(None);
    }
    super::json(details).map(Some)
}

fn read_details(row: &AnyRow) -> sqlx::Result<GrantDetails> {
    match row.try_get::<Option<&str>, _>("grant_details")? {
        Some(_) => super::parse_json(row, "grant_details"),
        None => Ok(GrantDetails::default()),
    }
}

impl FromRow<'_, AnyRow> for Grant {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: super::parse(row, "grant_id")?,
            client_id: super::parse(row, "client_id")?,
            user_id: super::parse(row, "user_id")?,
            session_id: super::parse(row, "session_id")?,
            scopes: super::parse(row, "grant_scopes")?,
            authenticated_at: row.try_get("authenticated_at").map(Timestamp)?,
            acr: row.try_get("acr")?,
            amr: super::parse_json(row, "amr")?,
            nonce: row.try_get("nonce")?,
            details: read_details(row)?,
            created_at: row.try_get("grant_created_at").map(Timestamp)?,
            expires_at: row.try_get("grant_expires_at").map(Timestamp)?,
        })
    }
}

impl FromRow<'_, AnyRow> for LiveGrant {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            client_id: super::parse(row, "grantee_id")?,
            user: User::from_row(row)?,
            details: read_details(row)?,
            userinfo: match row.try_get::<Option<&str>, _>("userinfo_protection")? {
                Some(_) => super::parse_json(row, "userinfo_protection")?,
                None => Protection::default(),
            },
        })
    }
}

impl FromRow<'_, AnyRow> for GrantWithParties {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            grant: Grant::from_row(row)?,
            user: User::from_row(row)?,
            client: Client::from_row(row)?,
            revoked_at: super::instant(row, "revoked_at")?,
        })
    }
}
