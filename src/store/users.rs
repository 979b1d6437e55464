//! Registered users.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::{Connection, StoreError};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::{
    EmailKey, LoginName, PasswordHash, StandardClaims, User, UserId, Username,
};

/// What became of an attempt to register or change a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Registration {
    /// The user is as was asked.
    Done,
    /// Another user has this user name.
    UsernameTaken,
    /// Another user has this e-mail address.
    EmailTaken,
    /// There is no such user.
    Unknown,
}

/// The columns of a [`User`], under names that are unique among all tables.
macro_rules! columns {
    () => {
        "users.id AS user_id, users.username, users.password_hash, users.claims, \
         users.group_names, users.created_at AS user_created_at, \
         users.updated_at AS user_updated_at, users.disabled_at AS user_disabled_at"
    };
}
pub(super) use columns;

/// Registers `user`, unless the user name or the e-mail address is another's.
pub async fn insert(db: &mut Connection, user: &User) -> Result<Registration, StoreError> {
    let email_key = email_key(&user.claims);
    let inserted = sqlx::query(
        "INSERT INTO users
            (id, username, email_key, password_hash, claims, group_names,
             created_at, updated_at, disabled_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT DO NOTHING",
    )
    .bind(user.id.to_string())
    .bind(user.username.as_str())
    .bind(email_key.as_ref().map(EmailKey::as_str))
    .bind(user.password.as_ref().map(PasswordHash::as_phc))
    .bind(super::json(&user.claims)?)
    .bind(super::json(&user.groups)?)
    .bind(user.created_at.0)
    .bind(user.updated_at.0)
    .bind(user.disabled_at.map(|at| at.0))
    .execute(&mut *db)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Registration::Done);
    }
    // Which of the two it is, as far as it still is.
    if find_by_login(db, &LoginName::Username(user.username.clone()))
        .await?
        .is_some()
    {
        return Ok(Registration::UsernameTaken);
    }
    if email_key.is_some() && find(db, user.id).await?.is_none() {
        return Ok(Registration::EmailTaken);
    }
    Err(StoreError::Conflict)
}

/// The user with this subject identifier.
pub async fn find(db: &mut Connection, id: UserId) -> Result<Option<User>, StoreError> {
    let user = sqlx::query_as(concat!("SELECT ", columns!(), " FROM users WHERE id = $1"))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    Ok(user)
}

/// The user who signs in as `name`.
pub async fn find_by_login(
    db: &mut Connection,
    name: &LoginName,
) -> Result<Option<User>, StoreError> {
    let query = match name {
        LoginName::Username(username) => sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM users WHERE username = $1"
        ))
        .bind(username.as_str()),
        LoginName::Email(key) => sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM users WHERE email_key = $1"
        ))
        .bind(key.as_str()),
    };
    Ok(query.fetch_optional(db).await?)
}

/// Up to `limit` users by user name, from the one that follows `after` on.
pub async fn list(
    db: &mut Connection,
    after: Option<&Username>,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let users = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE username > $1 ORDER BY username LIMIT $2"
    ))
    .bind(after.map_or("", Username::as_str))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    Ok(users)
}

/// Replaces what is known of a user, and the groups.
pub async fn update(
    db: &mut Connection,
    id: UserId,
    claims: &StandardClaims,
    groups: &[String],
    now: Timestamp,
) -> Result<Registration, StoreError> {
    let email_key = email_key(claims);
    let updated = sqlx::query(
        "UPDATE users
            SET email_key = $2, claims = $3, group_names = $4, updated_at = $5
          WHERE id = $1
            AND NOT EXISTS
                (SELECT 1 FROM users AS others
                  WHERE others.email_key = $2 AND others.id <> $1)",
    )
    .bind(id.to_string())
    .bind(email_key.as_ref().map(EmailKey::as_str))
    .bind(super::json(claims)?)
    .bind(super::json(groups)?)
    .bind(now.0)
    .execute(&mut *db)
    .await?;
    if updated.rows_affected() == 1 {
        return Ok(Registration::Done);
    }
    match find(db, id).await? {
        Some(_) => Ok(Registration::EmailTaken),
        None => Ok(Registration::Unknown),
    }
}

/// Gives a user a new password. Returns whether there is such a user.
pub async fn set_password(
    db: &mut Connection,
    id: UserId,
    password: &PasswordHash,
) -> Result<bool, StoreError> {
    let updated = sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(password.as_phc())
        .execute(db)
        .await?;
    Ok(updated.rows_affected() == 1)
}

/// Replaces the hash of a password by another of the same password, unless the password was
/// changed meanwhile. Returns whether this call did.
pub async fn rehash_password(
    db: &mut Connection,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, StoreError> {
    let updated =
        sqlx::query("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
            .bind(id.to_string())
            .bind(old.as_phc())
            .bind(new.as_phc())
            .execute(db)
            .await?;
    Ok(updated.rows_affected() == 1)
}

/// Disables a user. Returns whether this call did.
pub async fn disable(db: &mut Connection, id: UserId, now: Timestamp) -> Result<bool, StoreError> {
    let updated =
        sqlx::query("UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL")
            .bind(id.to_string())
            .bind(now.0)
            .execute(db)
            .await?;
    Ok(updated.rows_affected() == 1)
}

/// Enables a user. Returns whether this call did.
pub async fn enable(db: &mut Connection, id: UserId) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL",
    )
    .bind(id.to_string())
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Deletes a user and all that is theirs. Returns whether there was such a user.
pub async fn delete(db: &mut Connection, id: UserId) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM users WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

impl FromRow<'_, AnyRow> for User {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let password: Option<String> = row.try_get("password_hash")?;
        Ok(Self {
            id: super::parse(row, "user_id")?,
            username: super::parse(row, "username")?,
            password: password.map(PasswordHash::from_phc),
            claims: super::parse_json(row, "claims")?,
            groups: super::parse_json(row, "group_names")?,
            created_at: row.try_get("user_created_at").map(Timestamp)?,
            updated_at: row.try_get("user_updated_at").map(Timestamp)?,
            disabled_at: super::instant(row, "user_disabled_at")?,
        })
    }
}

fn email_key(claims: &StandardClaims) -> Option<EmailKey> {
    claims.email.as_deref().and_then(EmailKey::of)
}
