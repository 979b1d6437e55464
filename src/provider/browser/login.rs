//! Signing in with a user name and a password.

use std::time::Duration;

use crate::oidc::client::Client;
use crate::oidc::metadata::AMR_PASSWORD;
use crate::oidc::password::Password;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::session::{Session, SessionId};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::user::{LoginName, PasswordHash, User, UserId};
use crate::provider::account::password_hasher::HashError;
use crate::provider::logout::SessionEnd;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, authorization_transactions, known_browsers, sessions, users};

use super::transaction::TransactionError;
use super::{Browser, SignedIn};

/// What the login page shows.
#[derive(Debug)]
pub struct LoginPrompt {
    /// The client that the person goes on to.
    pub client: Client,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What to fill in.
    pub login_hint: Option<String>,
    /// Who is signed in already and has to do it again.
    pub signed_in: Option<SignedIn>,
}

/// The cookies of somebody who has just signed in.
#[derive(Debug)]
pub struct LoggedIn {
    /// The session.
    pub session: Secret,
    /// What makes this browser known to the account.
    pub known: Secret,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The page's transaction is not there.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// No such user, another password, or a disabled user: nobody is told which.
    #[error("the user name or the password is wrong")]
    WrongCredentials,
    /// Too many failures of this account, address or browser.
    #[error("too many sign-ins have failed")]
    TooManyFailures {
        /// When the next try counts.
        retry_after: Duration,
    },
    /// More sign-ins at once than the machine can check.
    #[error("too many sign-ins at once")]
    Busy,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for LoginError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<HashError> for LoginError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Argon2 => Self::Internal(error.into()),
        }
    }
}

impl Provider {
    /// What to show on the login page of a transaction.
    pub async fn login_prompt(
        &self,
        browser: &Browser,
        handle: &Secret,
    ) -> Result<LoginPrompt, TransactionError> {
        let mut db = self.store.read().await?;
        let open = self.find_transaction(&mut db, browser, handle).await?;
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        Ok(LoginPrompt {
            redirect_uri: open.redirect_uri().to_owned(),
            login_hint: open.request.login_hint,
            client: open.client,
            signed_in,
        })
    }

    /// Signs somebody in for a transaction. The session is new, or the same person's renewed; the
    /// cookie is another one in either case.
    pub async fn log_in(
        &self,
        browser: &Browser,
        handle: &Secret,
        typed_name: &str,
        typed_password: &str,
    ) -> Result<LoggedIn, LoginError> {
        let name = LoginName::parse(typed_name);
        let mut db = self.store.read().await?;
        self.find_transaction(&mut db, browser, handle).await?;
        let user = match &name {
            Some(name) => users::find_by_login(&mut db, name).await?,
            None => None,
        };
        let signed_in = self.find_signed_in(&mut db, browser).await?;
        let is_known = self.is_known(&mut db, browser, user.as_ref()).await?;
        drop(db);

        let throttle = self.throttle(browser, is_known, name.as_ref(), user.as_ref());
        self.count_attempt(&throttle).await?;
        let user = user.filter(User::is_enabled);
        let stored = user.as_ref().and_then(|user| user.password.clone());
        // Also without a user or a password that could be right: the answer takes its time.
        let password = Password::prepare(typed_password);
        let verification = self.hasher.verify(stored, password).await?;
        let Some(user) = user.filter(|_| verification.is_correct) else {
            return Err(LoginError::WrongCredentials);
        };

        let now = self.clock.now();
        let (session, replaced) = self.next_session(&user, signed_in, now);
        let has_replaced = replaced.is_some();
        let cookies = LoggedIn {
            session: self.random.secret(SecretKind::Session),
            known: self.random.secret(SecretKind::KnownBrowser),
        };
        tracing::info!(subject = %user.id, "signed in");
        let entry = Entry {
            handle: handle.digest(),
            browser: self.binding(browser).secret.digest(),
            replaced,
            session,
            session_digest: cookies.session.digest(),
            idle_expires_at: now.after(self.policy.lifetimes.session_idle),
            known_digest: cookies.known.digest(),
            known_until: now.after(self.policy.lifetimes.known_browser),
            rehashed: verification.rehashed.map(|fresh| (user.password, fresh)),
        };
        let throttles = throttle.keys;
        let is_open = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    for key in &throttles {
                        crate::store::login_throttles::uncount(db, key, now).await?;
                    }
                    entry.run(db, now).await
                })
            })
            .await?;
        if !is_open {
            return Err(TransactionError::Finished.into());
        }
        if has_replaced {
            self.logouts.notify_one();
        }
        Ok(cookies)
    }

    /// The session of somebody who has just signed in, and that of somebody else which it ends.
    /// The same person's session goes on under a new cookie, so that clients know it again.
    fn next_session(
        &self,
        user: &User,
        signed_in: Option<SignedIn>,
        now: Timestamp,
    ) -> (Session, Option<Replaced>) {
        let before = signed_in.map(|it| (it.session.id, it.session.created_at, it.user.id));
        let (id, created_at, replaced) = match before {
            Some((id, created_at, user_id)) if user_id == user.id => (id, created_at, None),
            Some((id, _, user_id)) => {
                let end = self.session_end("somebody else signed in");
                let replaced = Replaced { id, user_id, end };
                (SessionId(self.random.uuid()), now, Some(replaced))
            }
            None => (SessionId(self.random.uuid()), now, None),
        };
        let session = Session {
            id,
            user_id: user.id,
            authenticated_at: now,
            amr: vec![AMR_PASSWORD.to_owned()],
            created_at,
            seen_at: now,
            expires_at: now.after(self.policy.lifetimes.session),
        };
        (session, replaced)
    }
}

/// The session of somebody else, which ends, and how.
struct Replaced {
    id: SessionId,
    user_id: UserId,
    end: SessionEnd,
}

/// What a sign-in does to the store.
struct Entry {
    handle: Digest,
    browser: Digest,
    /// Somebody else's session, which ends.
    replaced: Option<Replaced>,
    session: Session,
    session_digest: Digest,
    idle_expires_at: Timestamp,
    known_digest: Digest,
    known_until: Timestamp,
    /// The stored hash, and the one to put in its place.
    rehashed: Option<(Option<PasswordHash>, PasswordHash)>,
}

impl Entry {
    /// Says whether the transaction was still open; if not, nothing has happened.
    async fn run(
        self,
        db: &mut crate::store::Connection,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let user_id = self.session.user_id;
        let is_open = authorization_transactions::mark_authenticated(
            db,
            &self.handle,
            &self.browser,
            user_id,
            now,
        )
        .await?;
        if !is_open {
            return Ok(false);
        }
        if let Some(Replaced { id, user_id, end }) = self.replaced {
            end.of_session(db, id, user_id).await?;
        }
        let (digest, session) = (&self.session_digest, &self.session);
        if !sessions::renew(db, digest, session, self.idle_expires_at).await? {
            sessions::insert(db, digest, session, self.idle_expires_at).await?;
        }
        known_browsers::insert(db, &self.known_digest, user_id, now, self.known_until).await?;
        if let Some((Some(stored), fresh)) = self.rehashed {
            users::rehash_password(db, user_id, &stored, &fresh).await?;
        }
        Ok(true)
    }
}
