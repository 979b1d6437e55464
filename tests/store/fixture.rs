//! Stores to test, and things to put into them.

use std::future::Future;

use keyfob::oidc::client::{Client, ClientId, ClientSecrets};
use keyfob::oidc::client_metadata::ClientMetadata;
use keyfob::oidc::confirmation::Confirmation;
use keyfob::oidc::grant::{AuthorizationCode, Grant, GrantDetails, GrantId, RefreshToken};
use keyfob::oidc::secret::Digest;
use keyfob::oidc::session::{Session, SessionId};
use keyfob::oidc::timestamp::Timestamp;
use keyfob::oidc::user::{PasswordHash, StandardClaims, User, UserId};
use keyfob::store::users::Registration;
use keyfob::store::{
    Connection, DatabaseOptions, Lease, Store, StoreError, authorization_codes, clients, grants,
    refresh_tokens, sessions, users,
};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(crate) const LATER: Timestamp = Timestamp(NOW.0 + 60);
pub(crate) const MUCH_LATER: Timestamp = Timestamp(NOW.0 + 86_400);

pub(crate) async fn in_memory() -> Store {
    connect("sqlite::memory:").await
}

pub(crate) async fn in_a_file() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyfob.db");
    let store = connect(&format!("sqlite:{}", path.display())).await;
    (directory, store)
}

pub(crate) async fn on_postgres() -> Option<Store> {
    let url = crate::postgres::database()?;
    Some(connect(&url).await)
}

pub(crate) async fn connect(url: &str) -> Store {
    Store::connect(&DatabaseOptions::new(url)).await.unwrap()
}

pub(crate) async fn reader(store: &Store) -> Lease {
    store.read().await.unwrap()
}

/// Runs one statement as a unit of work.
macro_rules! commit {
    ($store:expr, |$db:ident| $statement:expr) => {
        $store
            .write(move |$db| Box::pin(async move { $statement.await }))
            .await
    };
}
pub(crate) use commit;

/// Starts 64 tasks that do the same at once. Returns what each came to.
pub(crate) async fn race<T, F>(store: &Store, racer: impl Fn(Store, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let racers: Vec<_> = (0..64)
        .map(|number| tokio::spawn(racer(store.clone(), number)))
        .collect();
    let mut outcomes = Vec::new();
    for racer in racers {
        outcomes.push(racer.await.unwrap());
    }
    outcomes
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(text)
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: UserId(Uuid::new_v4()),
        username: name.parse().unwrap(),
        password: Some(PasswordHash::from_phc(format!("$argon2id$of {name}"))),
        claims: StandardClaims {
            name: Some(format!("{name} \u{2764} O'Neill")),
            email: Some(format!("{name}@example.com")),
            ..StandardClaims::default()
        },
        groups: vec!["staff".to_owned(), "a \"quoted\" group".to_owned()],
        created_at: NOW,
        updated_at: NOW,
        disabled_at: None,
    }
}

pub(crate) fn client_id(id: &str) -> ClientId {
    id.parse().unwrap()
}

pub(crate) fn client(id: &str) -> Client {
    Client {
        id: client_id(id),
        metadata: ClientMetadata {
            client_name: Some(format!("The {id}")),
            redirect_uris: vec!["https://app.example/callback".parse().unwrap()],
            ..ClientMetadata::default()
        },
        secret: Some(ClientSecrets {
            current: digest("a client's secret"),
            previous: None,
        }),
        created_at: NOW,
        updated_at: NOW,
        disabled_at: None,
        self_registered_at: None,
    }
}

pub(crate) fn session(user: &User) -> Session {
    Session {
        id: SessionId(Uuid::new_v4()),
        user_id: user.id,
        authenticated_at: NOW,
        amr: vec!["pwd".to_owned()],
        created_at: NOW,
        seen_at: NOW,
        expires_at: MUCH_LATER,
    }
}

pub(crate) fn grant(user: &User, client: &Client) -> Grant {
    Grant {
        id: GrantId(Uuid::new_v4()),
        client_id: client.id.clone(),
        user_id: user.id,
        session_id: SessionId(Uuid::new_v4()),
        scopes: "openid profile".parse().unwrap(),
        authenticated_at: NOW,
        acr: "1".to_owned(),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        details: GrantDetails {
            claims: r#"{"userinfo":{"name":{"essential":true,"value":"A"}}}"#
                .parse()
                .unwrap(),
            resources: vec!["https://mcp.example.com/mcp".to_owned()],
            dpop_jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned()),
            authorization_details:
                r#"[{"type":"payment","amount":{"value":"5"}}]"#.parse().unwrap(),
        },
        created_at: NOW,
        expires_at: MUCH_LATER,
    }
}

pub(crate) fn code(grant: &Grant) -> AuthorizationCode {
    AuthorizationCode {
        grant_id: grant.id,
        redirect_uri: "https://app.example/callback?a=b".to_owned(),
        code_challenge: Some(
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
                .parse()
                .unwrap(),
        ),
        failures: 0,
        expires_at: LATER,
    }
}

pub(crate) fn refresh_token(grant: &Grant) -> RefreshToken {
    RefreshToken {
        grant_id: grant.id,
        issued_at: NOW,
        expires_at: MUCH_LATER,
        confirmation: Confirmation {
            jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned()),
            x5t_s256: None,
        },
        rotated_at: None,
    }
}

/// A user, a client and a grant between them, stored.
pub(crate) struct Parties {
    pub(crate) user: User,
    pub(crate) client: Client,
    pub(crate) grant: Grant,
}

/// Stores a user, a client and a grant between them.
pub(crate) async fn parties(store: &Store) -> Parties {
    let user = user("alice");
    let client = client("app");
    let grant = grant(&user, &client);
    let parties = Parties {
        user: user.clone(),
        client: client.clone(),
        grant: grant.clone(),
    };
    let stored: Result<(), StoreError> = store
        .write(move |db| {
            Box::pin(async move {
                users::insert(db, &user).await?;
                clients::insert(db, &client).await?;
                grants::insert(db, &grant, None).await
            })
        })
        .await;
    stored.unwrap();
    parties
}

/// Stores a code of `grant` under the digest of `text`.
pub(crate) async fn issue_code(store: &Store, grant: &Grant, text: &'static str) {
    let code = code(grant);
    commit!(store, |db| authorization_codes::insert(
        db,
        &digest(text),
        &code
    ))
    .unwrap();
}

/// Stores a refresh token of `grant` under the digest of `text`.
pub(crate) async fn issue_refresh_token(store: &Store, grant: &Grant, text: &'static str) {
    let token = refresh_token(grant);
    commit!(store, |db| refresh_tokens::insert(
        db,
        &digest(text),
        &token
    ))
    .unwrap();
}

/// Fails unless the code `code` and the refresh token `token` are gone.
pub(crate) async fn nothing_is_left(store: &Store) {
    let mut db = reader(store).await;
    let code = authorization_codes::find_with_grant(&mut db, &digest("code")).await;
    assert!(code.unwrap().is_none());
    let token = refresh_tokens::find_with_grant(&mut db, &digest("token")).await;
    assert!(token.unwrap().is_none());
}

/// Stores `user`, if the name and the address are free.
pub(crate) async fn register(store: &Store, user: &User) -> Registration {
    let user = user.clone();
    commit!(store, |db| users::insert(db, &user)).unwrap()
}

/// Stores `session` under the digest of `cookie`, to end at `idle_expires_at` if it is not used.
pub(crate) async fn begin_session(
    store: &Store,
    session: &Session,
    cookie: &'static str,
    idle_expires_at: Timestamp,
) {
    let session = session.clone();
    commit!(store, |db| sessions::insert(
        db,
        &digest(cookie),
        &session,
        idle_expires_at
    ))
    .unwrap();
}

/// How many users there are.
pub(crate) async fn count_users(store: &Store) -> usize {
    let mut db = reader(store).await;
    users::list(&mut db, None, 1000).await.unwrap().len()
}

/// Inserts a user named `name`, or fails.
pub(crate) async fn insert_user(db: &mut Connection, name: &str) -> Result<(), StoreError> {
    users::insert(db, &user(name)).await.map(drop)
}
