//! Users, as an operator sees them.

use zeroize::Zeroizing;

use crate::oidc::user::{
    EmailKey, LoginName, PasswordHash, StandardClaims, User, UserId, Username,
};
use crate::provider::account::password_rules;
use crate::store::users::{self, Registration};

use super::{Operator, OperatorError};

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name to sign in with, as typed.
    pub username: String,
    /// What is known of the person. An e-mail address counts as verified unless it says otherwise.
    pub claims: StandardClaims,
    /// The groups to be a member of.
    pub groups: Vec<String>,
    /// The password; without one, nobody can sign in yet.
    pub password: Option<Zeroizing<String>>,
}

impl Operator {
    /// Adds a user.
    pub async fn add_user(&self, new: NewUser) -> Result<User, OperatorError> {
        let username = username(&new.username)?;
        let password = match &new.password {
            None => None,
            Some(typed) => Some(self.hash(typed, &username).await?),
        };
        self.add_user_with_hash(username, new.claims, new.groups, password)
            .await
    }

    /// Adds a user whose password is hashed already.
    pub async fn add_user_with_hash(
        &self,
        username: Username,
        mut claims: StandardClaims,
        groups: Vec<String>,
        password: Option<PasswordHash>,
    ) -> Result<User, OperatorError> {
        if let Some(email) = &claims.email {
            if EmailKey::of(email).is_none() {
                let reason = "it is not of the form of an address".to_owned();
                return Err(OperatorError::Invalid(email.clone(), "email", reason));
            }
            claims.email_verified.get_or_insert(true);
        }
        let now = self.clock.now();
        let user = User {
            id: UserId(self.random.uuid()),
            username,
            password,
            claims,
            groups,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        };
        self.insert_user(user).await
    }

    /// Adds a user as they are, under the subject identifier they have.
    pub async fn insert_user(&self, user: User) -> Result<User, OperatorError> {
        let stored = user.clone();
        let inserted = self
            .store
            .write(move |db| Box::pin(async move { users::insert(db, &stored).await }))
            .await?;
        let (what, value) = match inserted {
            Registration::Done | Registration::Unknown => return Ok(user),
            Registration::UsernameTaken => ("user", user.username.to_string()),
            Registration::EmailTaken => (
                "user with the e-mail address",
                user.claims.email.unwrap_or_default(),
            ),
        };
        Err(OperatorError::AlreadyExists(what, value))
    }

    /// All users, by name.
    pub async fn users(&self) -> Result<Vec<User>, OperatorError> {
        let mut db = self.store.read().await?;
        Ok(users::list(&mut db, None, u32::MAX).await?)
    }

    /// The user called `name`: a user name, an e-mail address, or a subject identifier.
    pub async fn user(&self, name: &str) -> Result<User, OperatorError> {
        let mut db = self.store.read().await?;
        let found = match (name.parse::<UserId>(), LoginName::parse(name)) {
            (Ok(id), _) => users::find(&mut db, id).await?,
            (Err(_), Some(name)) => users::find_by_login(&mut db, &name).await?,
            (Err(_), None) => None,
        };
        found.ok_or_else(|| OperatorError::NotFound("user", name.to_owned()))
    }

    /// Sets a user's password. Every session and every grant of the user ends.
    pub async fn set_password(&self, name: &str, typed: &str) -> Result<User, OperatorError> {
        let user = self.user(name).await?;
        let hash = self.hash(typed, &user.username).await?;
        let (id, end) = (user.id, self.session_end("password changed"));
        self.store
            .write(move |db| {
                Box::pin(async move {
                    users::set_password(db, id, &hash).await?;
                    end.of_user(db, id).await
                })
            })
            .await?;
        Ok(user)
    }

    /// Ends every session and every grant of a user, who may sign in again.
    pub async fn sign_out_user(&self, name: &str) -> Result<User, OperatorError> {
        let user = self.user(name).await?;
        let (id, end) = (user.id, self.session_end("signed out by an operator"));
        self.store
            .write(move |db| Box::pin(async move { end.of_user(db, id).await }))
            .await?;
        Ok(user)
    }

    /// Disables a user: nobody signs in as them, and what they granted ends.
    pub async fn disable_user(&self, name: &str) -> Result<User, OperatorError> {
        let user = self.user(name).await?;
        let (id, end) = (user.id, self.session_end("user disabled"));
        self.store
            .write(move |db| {
                Box::pin(async move {
                    users::disable(db, id, end.now).await?;
                    end.of_user(db, id).await
                })
            })
            .await?;
        self.user(name).await
    }

    /// Enables a user again. What ended does not come back.
    pub async fn enable_user(&self, name: &str) -> Result<User, OperatorError> {
        let user = self.user(name).await?;
        let id = user.id;
        self.store
            .write(move |db| Box::pin(async move { users::enable(db, id).await }))
            .await?;
        self.user(name).await
    }

    /// Deletes a user and everything of theirs.
    pub async fn delete_user(&self, name: &str) -> Result<User, OperatorError> {
        let user = self.user(name).await?;
        let (id, end) = (user.id, self.session_end("user deleted"));
        self.store
            .write(move |db| {
                Box::pin(async move {
                    // The clients are told before nothing is left that knows of them.
                    end.of_user(db, id).await?;
                    users::delete(db, id).await
                })
            })
            .await?;
        Ok(user)
    }

    async fn hash(&self, typed: &str, username: &Username) -> Result<PasswordHash, OperatorError> {
        let policy = &self.policy.passwords;
        let password = password_rules::new_password(typed, username.as_str(), policy)?;
        Ok(self.hasher.hash(password).await?)
    }
}

fn username(typed: &str) -> Result<Username, OperatorError> {
    typed
        .parse()
        .map_err(|error: crate::oidc::user::UsernameError| {
            OperatorError::Invalid(typed.to_owned(), "a user name", error.to_string())
        })
}
