//! What an operator asks: about users, clients and keys. It works while servers run on the same
//! database, and needs nothing of theirs but the database.

pub mod clients;
pub mod initial_access_tokens;
pub mod keys;
pub mod users;

use std::sync::Arc;

use crate::keys::master_key::MasterKey;
use crate::oidc::policy::Policy;
use crate::oidc::registration::MetadataError;
use crate::store::{Store, StoreError};

use super::account::password_hasher::{HashError, PasswordHasher};
use super::account::password_rules::PasswordRuleError;
use super::clock::Clock;
use super::logout::SessionEnd;
use super::random::Random;
use super::{InternalError, StartError};

/// An operator at work on a store.
#[derive(Debug)]
pub struct Operator {
    store: Store,
    clock: Clock,
    random: Random,
    policy: Policy,
    hasher: PasswordHasher,
    master_key: Arc<MasterKey>,
}

/// Why an operator's wish was not granted.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Nothing is called that.
    #[error("there is no {0} called {1:?}")]
    NotFound(&'static str, String),
    /// Something is called that already.
    #[error("there is already a {0} called {1:?}")]
    AlreadyExists(&'static str, String),
    /// A value that cannot be.
    #[error("{0:?} is not allowed as {1}: {2}")]
    Invalid(String, &'static str, String),
    /// Client metadata that cannot be registered.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A password that is not accepted.
    #[error(transparent)]
    Password(#[from] PasswordRuleError),
    /// The client has no secret to rotate.
    #[error("the client {0:?} has no secret")]
    NoSecret(String),
    /// The record was changed by somebody else meanwhile.
    #[error("somebody else changed it at the same time; try again")]
    ChangedMeanwhile,
    /// The master key is not the store's.
    #[error(transparent)]
    MasterKey(#[from] StartError),
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<HashError> for OperatorError {
    fn from(error: HashError) -> Self {
        Self::Internal(error.into())
    }
}

impl Operator {
    /// An operator at work on `store`.
    pub fn new(
        store: Store,
        clock: Clock,
        random: Random,
        policy: Policy,
        master_key: Arc<MasterKey>,
    ) -> Result<Self, HashError> {
        Ok(Self {
            hasher: PasswordHasher::new(&policy.passwords, random.clone())?,
            store,
            clock,
            random,
            policy,
            master_key,
        })
    }

    /// Lets everything that has been asked of the store finish, and closes it.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// How sessions end that an operator ends.
    fn session_end(&self, reason: &'static str) -> SessionEnd {
        SessionEnd {
            ends: self.policy.logout.ends,
            reason,
            now: self.clock.now(),
            random: self.random.clone(),
        }
    }

    async fn check_master_key(&self, master_key: &Arc<MasterKey>) -> Result<(), OperatorError> {
        Ok(super::keyring::adopt_master_key(&self.store, master_key).await?)
    }
}
