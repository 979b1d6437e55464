//! Authorization requests on their way through the pages.
//!
//! Every change names the browser that began the transaction: no other can make it.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::transaction::Transaction;
use crate::oidc::user::UserId;

/// Stores a transaction that begins.
pub async fn insert(
    db: &mut Connection,
    digest: &Digest,
    transaction: &Transaction,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO authorization_transactions
            (digest, browser_digest, client_id, request, created_at, expires_at,
             user_id, authenticated_at, account_chosen_at, consented_at, finished_at,
             device_digest, pushed_digest)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(digest.as_stored())
    .bind(transaction.browser_digest.as_stored())
    .bind(transaction.client_id.as_str())
    .bind(&transaction.request)
    .bind(transaction.created_at.0)
    .bind(transaction.expires_at.0)
    .bind(transaction.user_id.map(|id| id.to_string()))
    .bind(transaction.authenticated_at.map(|at| at.0))
    .bind(transaction.account_chosen_at.map(|at| at.0))
    .bind(transaction.consented_at.map(|at| at.0))
    .bind(transaction.finished_at.map(|at| at.0))
    .bind(transaction.device.as_ref().map(Digest::as_stored))
    .bind(transaction.pushed_digest.as_ref().map(Digest::as_stored))
    .execute(db)
    .await?;
    Ok(())
}

/// The transaction of this handle, finished or not, unless it has expired.
pub async fn find(
    db: &mut Connection,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Transaction>, StoreError> {
    let transaction = sqlx::query_as(
        "SELECT browser_digest, client_id, request, created_at, expires_at,
                user_id, authenticated_at, account_chosen_at, consented_at, finished_at,
                device_digest, pushed_digest
           FROM authorization_transactions
          WHERE digest = $1 AND expires_at > $2",
    )
    .bind(digest.as_stored())
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(transaction)
}

/// Notes that `user_id` signed in; whatever was done before is forgotten. Returns whether the
/// transaction is still open to that browser.
pub async fn mark_authenticated(
    db: &mut Connection,
    digest: &Digest,
    browser: &Digest,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let statement = "UPDATE authorization_transactions
                        SET user_id = $4, authenticated_at = $3, account_chosen_at = NULL,
                            consented_at = NULL
                      WHERE digest = $1 AND browser_digest = $2
                        AND finished_at IS NULL AND expires_at > $3";
    mark(db, statement, digest, browser, user_id, now).await
}

/// Notes that `user_id` chose to go on with this account; what somebody else did before is
/// forgotten. Returns whether the transaction is still open to that browser.
pub async fn mark_account_chosen(
    db: &mut Connection,
    digest: &Digest,
    browser: &Digest,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let statement = "UPDATE authorization_transactions
                        SET user_id = $4, account_chosen_at = $3,
                            authenticated_at =
                                CASE WHEN user_id = $4 THEN authenticated_at END,
                            consented_at = CASE WHEN user_id = $4 THEN consented_at END
                      WHERE digest = $1 AND browser_digest = $2
                        AND finished_at IS NULL AND expires_at > $3";
    mark(db, statement, digest, browser, user_id, now).await
}

/// Notes that `user_id` allowed what was asked; what somebody else did before is forgotten.
/// Returns whether the transaction is still open to that browser.
pub async fn mark_consented(
    db: &mut Connection,
    digest: &Digest,
    browser: &Digest,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let statement = "UPDATE authorization_transactions
                        SET user_id = $4, consented_at = $3,
                            authenticated_at =
                                CASE WHEN user_id = $4 THEN authenticated_at END,
                            account_chosen_at =
                                CASE WHEN user_id = $4 THEN account_chosen_at END
                      WHERE digest = $1 AND browser_digest = $2
                        AND finished_at IS NULL AND expires_at > $3";
    mark(db, statement, digest, browser, user_id, now).await
}

/// Finishes the transaction: it is answered once. Returns whether this call, and no other, did.
pub async fn finish(
    db: &mut Connection,
    digest: &Digest,
    browser: &Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE authorization_transactions SET finished_at = $3
          WHERE digest = $1 AND browser_digest = $2
            AND finished_at IS NULL AND expires_at > $3",
    )
    .bind(digest.as_stored())
    .bind(browser.as_stored())
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

async fn mark(
    db: &mut Connection,
    statement: &'static str,
    digest: &Digest,
    browser: &Digest,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(statement)
        .bind(digest.as_stored())
        .bind(browser.as_stored())
        .bind(now.0)
        .bind(user_id.to_string())
        .execute(db)
        .await?;
    Ok(updated.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for Transaction {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            browser_digest: row.try_get("browser_digest").map(Digest::from_stored)?,
            client_id: super::parse(row, "client_id")?,
            request: row.try_get("request")?,
            device: row
                .try_get::<Option<String>, _>("device_digest")?
                .map(Digest::from_stored),
            pushed_digest: row
                .try_get::<Option<String>, _>("pushed_digest")?
                .map(Digest::from_stored),
            created_at: row.try_get("created_at").map(Timestamp)?,
            expires_at: row.try_get("expires_at").map(Timestamp)?,
            user_id: user_id(row)?,
            authenticated_at: super::instant(row, "authenticated_at")?,
            account_chosen_at: super::instant(row, "account_chosen_at")?,
            consented_at: super::instant(row, "consented_at")?,
            finished_at: super::instant(row, "finished_at")?,
        })
    }
}

fn user_id(row: &AnyRow) -> sqlx::Result<Option<UserId>> {
    let text: Option<&str> = row.try_get("user_id")?;
    text.map(|_| super::parse(row, "user_id")).transpose()
}
