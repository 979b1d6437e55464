//! The schema, and how a database gets it.

use sqlx::SqlStr;
use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _};

use super::connection::Connection;
use super::error::StoreError;

/// Every version of the schema, oldest first. A file that was released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "initial",
        include_str!("../../migrations/0001_initial.sql"),
    ),
    (
        2,
        "grant details",
        include_str!("../../migrations/0002_grant_details.sql"),
    ),
    (
        4,
        "client assertions",
        include_str!("../../migrations/0004_client_assertions.sql"),
    ),
    (
        5,
        "logout",
        include_str!("../../migrations/0005_logout.sql"),
    ),
    (
        6,
        "authorization",
        include_str!("../../migrations/0006_authorization.sql"),
    ),
    (
        7,
        "pushed authorization requests",
        include_str!("../../migrations/0007_pushed_authorization_requests.sql"),
    ),
    (
        8,
        "client registration",
        include_str!("../../migrations/0008_client_registration.sql"),
    ),
    (
        9,
        "device authorizations",
        include_str!("../../migrations/0009_device_authorizations.sql"),
    ),
    (
        10,
        "resource indicators",
        include_str!("../../migrations/0010_resource_indicators.sql"),
    ),
    (
        11,
        "sender-constrained tokens",
        include_str!("../../migrations/0011_sender_constrained_tokens.sql"),
    ),
    (
        15,
        "authorization details",
        include_str!("../../migrations/0015_authorization_details.sql"),
    ),
    (
        16,
        "token exchange",
        include_str!("../../migrations/0016_token_exchange.sql"),
    ),
    (
        18,
        "protected responses",
        include_str!("../../migrations/0018_protected_responses.sql"),
    ),
];

/// Brings the schema up to date, and leaves alone one that is.
///
/// `begin` starts a transaction in which no other process can be migrating; without it, the
/// database has a lock that sqlx takes.
pub(super) async fn run(
    db: &mut AnyConnection,
    begin: Option<&'static str>,
) -> Result<(), StoreError> {
    let migrator = migrator();
    let outcome = match begin {
        Some(begin) => {
            let mut transaction = db.begin_with(begin).await?;
            let outcome = migrator.run_direct(None, &mut *transaction, false).await;
            match outcome {
                Ok(()) => transaction.commit().await.map_err(MigrateError::Execute),
                Err(error) => Err(error),
            }
        }
        None => migrator.run_direct(None, db, false).await,
    };
    outcome.map_err(unmigrated)
}

fn unmigrated(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) if found > latest() => StoreError::NewerSchema {
            found,
            known: latest(),
        },
        MigrateError::Execute(error) => error.into(),
        error => StoreError::Migration(error.into()),
    }
}

/// Whether `error` says that there is no such table.
fn is_missing(error: &dyn DatabaseError) -> bool {
    // SQLite has one code for every error in a statement; this statement can have no other.
    matches!(error.code().as_deref(), Some("42P01" | "1"))
}

/// The version that the database has; `None` if it has no schema of ours.
pub(super) async fn version(db: &mut Connection) -> Result<Option<i64>, StoreError> {
    use sqlx::migrate::Migrate as _;
    let applied = db.inner().list_applied_migrations(TABLE).await;
    match applied {
        Ok(applied) => Ok(applied.iter().map(|it| it.version).max()),
        Err(MigrateError::Execute(sqlx::Error::Database(error))) if is_missing(&*error) => Ok(None),
        Err(error) => Err(unmigrated(error)),
    }
}

/// The latest version that this program knows.
pub(super) fn latest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, description, sql)| {
        Migration::new(
            *version,
            (*description).into(),
            MigrationType::Simple,
            SqlStr::from_static(sql),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// Where sqlx keeps which migrations were applied.
const TABLE: &str = "_sqlx_migrations";
