//! Opaque access tokens, stored under the digest of the token.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError, clients, grants, users};
use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::client::Client;
use crate::oidc::grant::{AccessTokenRecord, Grant};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::User;

/// An opaque access token that may be used, with those it speaks for.
#[derive(Clone, Debug)]
pub struct LiveAccessToken {
    /// The token.
    pub token: AccessTokenRecord,
    /// The client that it was issued to.
    pub client: Client,
    /// The user for whom the client acts, and the grant; none if it acts as itself.
    pub on_behalf_of: Option<(Grant, User)>,
}

/// Stores a freshly issued token.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    token: &AccessTokenRecord,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO access_tokens
            (digest, grant_id, client_id, scopes, audience, confirmation, issued_at, expires_at,
             details, actor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(digest.as_stored())
    .bind(token.grant_id.map(|id| id.to_string()))
    .bind(token.client_id.as_str())
    .bind(token.scopes.to_string())
    .bind(super::json(&token.audience)?)
    .bind(super::confirmation(&token.confirmation)?)
    .bind(token.issued_at.0)
    .bind(token.expires_at.0)
    .bind(details(&token.details)?)
    .bind(token.actor.as_ref().map(super::json).transpose()?);
    db.run_ahead(query).await?;
    Ok(())
}

/// The token with this digest, if it may be used: it is neither revoked nor expired, its client
/// not disabled, and its grant, where it has one, live. The grant is to another client where the
/// token came of an exchange.
pub async fn find_live(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<LiveAccessToken>, StoreError> {
    let token = sqlx::query_as(concat!(
        "SELECT access_tokens.scopes AS token_scopes, access_tokens.audience,
                access_tokens.confirmation, access_tokens.actor, access_tokens.issued_at,
                access_tokens.expires_at, access_tokens.details AS token_details,
                grantees.id AS grantee_id, ",
        grants::columns!(),
        ", ",
        users::columns!(),
        ", ",
        clients::columns!(),
        " FROM access_tokens
           JOIN clients ON clients.id = access_tokens.client_id
           LEFT JOIN grants ON grants.id = access_tokens.grant_id
           LEFT JOIN users ON users.id = grants.user_id
           LEFT JOIN clients AS grantees ON grantees.id = grants.client_id
          WHERE access_tokens.digest = $1
            AND access_tokens.revoked_at IS NULL
            AND access_tokens.expires_at > $2
            AND clients.disabled_at IS NULL
            AND (access_tokens.grant_id IS NULL
                 OR (grants.revoked_at IS NULL
                     AND grants.expires_at > $2
                     AND users.disabled_at IS NULL
                     AND grantees.disabled_at IS NULL))"
    ))
    .bind(digest.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(token)
}

/// Revokes one token. Returns whether this call did.
pub async fn revoke(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE access_tokens SET revoked_at = $2 WHERE digest = $1 AND revoked_at IS NULL",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// What is stored of the details of a token: nothing of most.
fn details(details: &AuthorizationDetails) -> sqlx::Result<Option<String>> {
    if details.is_empty() {
        return Ok(None);
    }
    super::json(details).map(Some)
}

impl FromRow<'_, AnyRow> for LiveAccessToken {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let grant_id: Option<&str> = row.try_get("grant_id")?;
        let on_behalf_of = match grant_id {
            Some(_) => {
                let grant = Grant {
                    client_id: super::parse(row, "grantee_id")?,
                    ..Grant::from_row(row)?
                };
                Some((grant, User::from_row(row)?))
            }
            None => None,
        };
        let client = Client::from_row(row)?;
        Ok(Self {
            token: AccessTokenRecord {
                grant_id: on_behalf_of.as_ref().map(|(grant, _)| grant.id),
                client_id: client.id.clone(),
                scopes: super::parse(row, "token_scopes")?,
                details: match row.try_get::<Option<&str>, _>("token_details")? {
                    Some(_) => super::parse_json(row, "token_details")?,
                    None => AuthorizationDetails::default(),
                },
                audience: super::parse_json(row, "audience")?,
                confirmation: super::read_confirmation(row)?,
                actor: match row.try_get::<Option<&str>, _>("actor")? {
                    Some(_) => Some(super::parse_json(row, "actor")?),
                    None => None,
                },
                issued_at: row.try_get("issued_at").map(Timestamp)?,
                expires_at: row.try_get("expires_at").map(Timestamp)?,
            },
            client,
            on_behalf_of,
        })
    }
}
