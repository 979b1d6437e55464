//! Authorization codes, stored under the digest of the code and never the code itself.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::grants::{self, GrantWithParties};
use super::{Connection, StoreError};
use crate::oidc::grant::{AuthorizationCode, GrantId};
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;

/// What became of an attempt to consume an authorization code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Consumption {
    /// This call, and no other, consumed the code.
    Consumed(AuthorizationCode),
    /// The code had been consumed before, so everything issued under the grant is suspect.
    Replayed(GrantId),
    /// No such code was issued, or it has since been purged.
    Unknown,
}

/// A code as it was found, with everything that is looked at before it is consumed.
#[derive(Clone, Debug)]
pub struct PresentedCode {
    /// The code.
    pub code: AuthorizationCode,
    /// When it was consumed, if it was.
    pub consumed_at: Option<Timestamp>,
    /// What it stands for.
    pub grant: GrantWithParties,
}

/// Stores a freshly issued code.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    code: &AuthorizationCode,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO authorization_codes
            (digest, grant_id, redirect_uri, code_challenge, failures, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(digest.as_stored())
    .bind(code.grant_id.to_string())
    .bind(&code.redirect_uri)
    .bind(code.code_challenge.as_ref().map(CodeChallenge::as_str))
    .bind(code.failures)
    .bind(code.expires_at.0);
    db.run_ahead(query).await?;
    Ok(())
}

/// The code with this digest and its grant, whatever has become of them.
pub async fn find_with_grant(
    db: &mut Connection,
    digest: &Digest,
) -> Result<Option<PresentedCode>, StoreError> {
    let code = sqlx::query_as(concat!(
        "SELECT authorization_codes.redirect_uri, authorization_codes.code_challenge,
                authorization_codes.failures, authorization_codes.expires_at,
                authorization_codes.consumed_at, ",
        grants::columns_with_parties!(),
        " FROM authorization_codes
           JOIN grants ON grants.id = authorization_codes.grant_id
           JOIN users ON users.id = grants.user_id
           JOIN clients ON clients.id = grants.client_id
          WHERE authorization_codes.digest = $1"
    ))
    .bind(digest.as_stored())
    .fetch_optional(db)
    .await?;
    Ok(code)
}

/// Consumes the code with this digest, at most once however many callers race for it.
///
/// A code past its expiry is consumed like any other; whether it is still worth anything is the
/// caller's question. [RFC 6749 section 4.1.2] forbids using a code twice and asks that a second
/// use revoke what the first one earned, hence [`Consumption::Replayed`].
///
/// [RFC 6749 section 4.1.2]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
pub async fn consume(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Consumption, StoreError> {
    // The condition and the write are one statement, so the database serialises the race.
    let consumed: Option<AuthorizationCode> = sqlx::query_as(
        "UPDATE authorization_codes
            SET consumed_at = $2
          WHERE digest = $1 AND consumed_at IS NULL
         RETURNING grant_id, redirect_uri, code_challenge, failures, expires_at",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .fetch_optional(&mut *db)
    .await?;
    if let Some(code) = consumed {
        return Ok(Consumption::Consumed(code));
    }

    let replayed = sqlx::query("SELECT grant_id FROM authorization_codes WHERE digest = $1")
        .bind(digest.as_stored())
        .fetch_optional(db)
        .await?;
    match replayed {
        Some(row) => Ok(Consumption::Replayed(super::parse(&row, "grant_id")?)),
        None => Ok(Consumption::Unknown),
    }
}

/// Counts that a code was presented wrongly. The last of `limit` times burns it: it counts as
/// consumed from then on. Returns whether it can still be used.
pub async fn count_failure(
    db: &mut Connection,
    digest: &Digest,
    limit: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let failures: Option<i64> = sqlx::query_scalar(
        "UPDATE authorization_codes
            SET failures = failures + 1,
                consumed_at = CASE WHEN failures + 1 >= $2 THEN $3 ELSE consumed_at END
          WHERE digest = $1 AND consumed_at IS NULL
         RETURNING failures",
    )
    .bind(digest.as_stored())
    .bind(limit)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(failures.is_some_and(|failures| failures < limit))
}

impl FromRow<'_, AnyRow> for AuthorizationCode {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let challenge: Option<&str> = row.try_get("code_challenge")?;
        let code_challenge = challenge
            .map(|text| {
                text.parse()
                    .map_err(|error| super::malformed("code_challenge", error))
            })
            .transpose()?;
        Ok(Self {
            grant_id: super::parse(row, "grant_id")?,
            redirect_uri: row.try_get("redirect_uri")?,
            code_challenge,
            failures: row.try_get("failures")?,
            expires_at: row.try_get("expires_at").map(Timestamp)?,
        })
    }
}

impl FromRow<'_, AnyRow> for PresentedCode {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            code: AuthorizationCode::from_row(row)?,
            consumed_at: super::instant(row, "consumed_at")?,
            grant: GrantWithParties::from_row(row)?,
        })
    }
}
